// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import MartletSignatures
import MartletTesting
import Synchronization
import Testing

@testable import MartletModels

/// A desk, a signed list with one digest, and what the desk asked the kernel for.
private final class DeskFeed {
  let watched = Mutex<[UInt64]>([])
  private(set) var desk: VerdictDesk
  let trust: TrustedModels.Snapshot
  private var kept: [TestRecord] = []
  var now: UInt64 = 1_000_000_000

  static let good = Digest256(of: "weights".utf8)

  init(_ change: (inout ModelVerdicts.Limits) -> Void = { _ in }, watches: Bool = true) throws {
    var limits = ModelVerdicts.Limits()
    change(&limits)
    let list = try ChecksumList(Array("\(Self.good)  x.safetensors\n".utf8), name: "list")
    var index = DigestIndex()
    index.add(try list.trusted(by: TrustPolicy()))
    trust = TrustedModels.Snapshot(index: index, generation: 1, fileCount: 1, refusedCount: 0)
    let box = WeakBox<DeskFeed>()
    desk = VerdictDesk(
      patterns: ModelPatterns(), limits: limits,
      watcher: ModelVerdicts.Watcher(
        watch: { _, inode in
          box.value?.watched.withLock { $0.append(inode) }
          return watches
        }, unwatch: { _, inode in box.value?.watched.withLock { $0.removeAll { $0 == inode } } }))
    box.value = self
  }

  func note(_ record: TestRecord) {
    kept.append(record)
    guard let record = record.record else { return }
    if record.kind == .open { desk.noteOpen(record, trust, at: now) } else { desk.noteChange(record, at: now) }
  }

  func job() -> VerdictDesk.Job? {
    if case .job(let job) = desk.nextJob(at: now) { return job }
    return nil
  }

  /// Reads the next file that waits: `file` is what it is by then.
  @discardableResult
  func read(_ file: TestFile, _ digest: Digest256 = good, magic: String = "") -> Bool {
    guard let job = job() else { return false }
    let stamp = FileTimes(size: file.size, modified: 4_000_000_000, changed: file.changed)
    finish(
      job,
      .digest(
        HashedFile(digest: digest, stamp: stamp, magic: Array(magic.utf8), nanoseconds: 5_000_000, hadNoWriters: true)))
    return true
  }

  func finish(_ job: VerdictDesk.Job, _ reply: HashReply) { desk.finish(job, reply, trust, at: now) }

  func performWishes() { desk.performWishes() }
  func nextQuestion() -> VerdictDesk.Question? { desk.nextQuestion() }

  /// States told since it was asked last, with who was told.
  func told() -> [String] {
    defer { desk.reports = [] }
    return desk.reports.map { "\($0.opener.process_id) \(String(decoding: $0.state, as: UTF8.self))" }
  }

  func takeReports() -> [ModelEvent] {
    defer { desk.reports = [] }
    return desk.reports
  }
}

private final class WeakBox<Value: AnyObject & Sendable>: @unchecked Sendable {
  weak var value: Value?
}

extension DeskFeed: @unchecked Sendable {}

@Suite("Verdicts on models")
struct VerdictDeskTests {
  private let python = TestProcess(7, "/usr/bin/python3")
  private let file = TestFile("/models/x.safetensors")

  @Test("what is opened is watched, read once, and told to all who opened it")
  func once() throws {
    let feed = try DeskFeed()
    for process in 1...200 { feed.note(Event.openModel(file, by: TestProcess(UInt32(process), "/usr/bin/python3"))) }
    #expect(feed.watched.withLock { $0 } == [file.inode])
    #expect(feed.read(file) && !feed.read(file))
    #expect(Set(feed.told()) == Set((1...200).map { "\($0) verified" }))
    for process in 201...1000 { feed.note(Event.openModel(file, by: TestProcess(UInt32(process), "/usr/bin/python3"))) }
    #expect(feed.told().count == 800 && feed.job() == nil)
    #expect(feed.desk.statistics.hashedFiles == 1 && feed.desk.statistics.cachedOpens == 800)
  }

  @Test("a process is told once of what it opens again and again")
  func repeated() throws {
    let feed = try DeskFeed()
    for _ in 0..<1000 { feed.note(Event.openModel(file, by: python)) }
    feed.read(file)
    for _ in 0..<1000 { feed.note(Event.openModel(file, by: python)) }
    #expect(feed.told() == ["7 verified"])
    #expect(feed.desk.statistics.repeatedOpens == 1999 && feed.desk.statistics.hashedFiles == 1)
  }

  @Test(
    "the state says what the bytes are",
    arguments: [
      ("/models/x.safetensors", nil, "weights", "verified", true),
      ("/models/other.safetensors", nil, "weights", "verified", true),
      ("/models/x.safetensors", nil, "others", "digest_mismatch", false),
      ("/models/adapter.safetensors", nil, "others", "unsigned", false),
      ("/models/y.safetensors", "/models/x.safetensors", "others", "digest_mismatch", false),
      ("/blobs/" + String(repeating: "a", count: 64), "/snap/y.bin", "others", "claimed_mismatch", false),
      ("/blobs/\(Digest256(of: "weights".utf8))", "/snap/x.safetensors", "weights", "verified", true),
      ("/blobs/sha256-\(Digest256(of: "others".utf8))", nil, "others", "unsigned", false),
    ] as [(String, String?, String, String, Bool?)])
  func states(path: String, name: String?, content: String, state: String, isVerified: Bool?) throws {
    let feed = try DeskFeed()
    let file = TestFile(path)
    feed.note(Event.openModel(file, as: name, by: python))
    feed.read(file, Digest256(of: content.utf8))
    let report = try #require(feed.takeReports().first)
    #expect(String(decoding: report.state, as: UTF8.self) == state && report.isVerified == isVerified)
    #expect(String(decoding: report.digest, as: UTF8.self) == "\(Digest256(of: content.utf8))")
    #expect(String(decoding: report.guarantee, as: UTF8.self) == "stable")
  }

  @Test(
    "what cannot be known has a state of its own, which is neither true nor false",
    arguments: [
      (HashFailure.gone, "error:gone"), (.notRegular, "skipped:not_regular"), (.tooLarge, "skipped:size"),
      (.sparse, "skipped:sparse"), (.unreadable, "error:unreadable"), (.stalled, "skipped:stalled"),
      (.noReader, "error:noReader"),
    ])
  func failures(failure: HashFailure, state: String) throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(file, by: python))
    feed.finish(try #require(feed.job()), .failed(failure))
    let report = try #require(feed.takeReports().first)
    #expect(String(decoding: report.state, as: UTF8.self) == state && report.isVerified == nil)
    feed.performWishes()
    #expect(feed.watched.withLock { $0.isEmpty }, "what is not known is not watched any more")
  }

  @Test("a file that somebody can write to is read again, and given up after five times")
  func writers() throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(file, by: python))
    for _ in 0..<5 {
      #expect(feed.told().isEmpty)
      feed.finish(try #require(feed.job()), .failed(.writers))
      #expect(feed.job() == nil, "not at once")
      feed.now += 10_000_000_000
    }
    #expect(feed.told() == ["7 unstable"])
    #expect(feed.job() == nil)
  }

  @Test(
    "what becomes of a file while it is read makes it be read again",
    arguments: [MARTLET_CHANGE_TOUCHED.rawValue, MARTLET_CHANGE_TRUNCATED.rawValue, 0])
  func disturbed(change: UInt32) throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(file, by: python))
    let job = try #require(feed.job())
    let writer = TestProcess(9, "/bin/dd")
    if change == 0 {
      feed.note(Event.openModel(file, by: writer, writes: true))
    } else {
      feed.note(Event.change(martlet_change(rawValue: change), of: file, by: writer))
    }
    let stamp = FileTimes(size: file.size, modified: 4_000_000_000, changed: file.changed)
    feed.finish(
      job,
      .digest(HashedFile(digest: DeskFeed.good, stamp: stamp, magic: [], nanoseconds: 1, hadNoWriters: true)))
    #expect(feed.told().isEmpty)
    feed.performWishes()
    #expect(feed.watched.withLock { $0.count } == 2, "watched anew")
    feed.now += 10_000_000_000
    feed.read(file)
    #expect(feed.told() == ["7 verified"])
  }

  @Test("other bytes than those that were opened are unstable, however good they are")
  func swappedBack() throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(file, by: python))
    var later = file
    later.changed += 1
    feed.read(later)
    #expect(feed.told() == ["7 unstable"])
    // Who opens these bytes now has not been told of them.
    feed.note(Event.openModel(later, by: python))
    #expect(feed.told() == ["7 verified"])
  }

  @Test("a write makes what was known void, and is told to those who hold the file", arguments: [false, true])
  func changed(isHeld: Bool) throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(file, by: python))
    feed.read(file)
    #expect(feed.told() == ["7 verified"])
    feed.note(Event.change(MARTLET_CHANGE_TOUCHED, of: file, by: TestProcess(9, "/bin/dd")))
    let question = try #require(feed.nextQuestion())
    #expect(question.request.kind == .isHeld && question.request.processID == 7)
    #expect(question.report.type == .modelChanged && question.report.changerID == 9)
    #expect(feed.nextQuestion() == nil)
    var after = file
    after.changed += 10
    feed.note(Event.openModel(after, by: python))
    #expect(feed.told().isEmpty)
    feed.read(after, Digest256(of: "others".utf8))
    #expect(feed.told() == ["7 digest_mismatch"])
  }

  @Test("a new time of change is a new file, whatever the kernel told")
  func restamped() throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(file, by: python))
    feed.read(file)
    var after = file
    after.changed += 1
    feed.note(Event.openModel(after, by: TestProcess(8, "/usr/bin/python3")))
    #expect(feed.told() == ["7 verified"] && feed.job() != nil)
  }

  @Test("a download that ends is read before it is opened")
  func early() throws {
    let feed = try DeskFeed()
    let loader = TestProcess(9, "/usr/bin/wget")
    feed.note(Event.openModel(file, by: loader, writes: true))
    feed.note(Event.change(MARTLET_CHANGE_CLOSED, of: file, by: loader))
    #expect(feed.job() == nil, "it may be renamed")
    feed.now += VerdictDesk.earlyDelay
    #expect(feed.read(file))
    feed.note(Event.openModel(file, by: python))
    #expect(feed.told() == ["7 verified"] && feed.job() == nil)
    #expect(feed.desk.statistics.earlyFiles == 1 && feed.desk.statistics.cachedOpens == 1)
  }

  @Test("a download whose mount has gone waits for somebody who opens it")
  func earlyWithoutPath() throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(file, by: python, writes: true))
    feed.note(
      Event.change(MARTLET_CHANGE_CLOSED, of: file, by: python, flags: UInt32(MARTLET_FLAG_PATH_UNREACHABLE)))
    feed.now += VerdictDesk.earlyDelay
    #expect(feed.job() == nil)
  }

  @Test("a download is read where its name leads when it is moved there, and at once if somebody opens it")
  func moved() throws {
    let feed = try DeskFeed()
    let loader = TestProcess(9, "/usr/bin/python3")
    feed.note(Event.openModel(TestFile("/cache/y.gguf"), by: loader, writes: true))
    let part = TestFile("/cache/x.incomplete")
    feed.note(Event.change(MARTLET_CHANGE_RENAMED, of: part, to: "/cache/x.safetensors", by: loader))
    feed.note(Event.change(MARTLET_CHANGE_RENAMED, of: part, to: "/cache/notes.txt", by: loader))
    feed.note(Event.openModel(file, by: python))
    let job = try #require(feed.job())
    #expect(job.request.path == Array("/cache/x.safetensors".utf8) && job.waiting.count == 1)
    #expect(feed.job() == nil)
    // Whoever moved it has ended: by the one who opened it.
    feed.finish(job, .failed(.gone))
    #expect(feed.told().isEmpty && feed.job()?.request.processID == 7)
  }

  @Test(
    "nothing is read from a device of which nobody knows what it is", arguments: [0x6573_5546, 0x6969, 0xff53_4d42])
  func fileSystems(magic: UInt64) throws {
    let feed = try DeskFeed()
    var remote = file
    remote.magic = magic
    for _ in 0..<3 { feed.note(Event.openModel(remote, by: python)) }
    feed.note(Event.change(MARTLET_CHANGE_CLOSED, of: remote, by: python))
    feed.now += 10_000_000_000
    #expect(feed.told() == ["7 skipped:filesystem"] && feed.job() == nil)
  }

  @Test("limits are named: size, container, queue")
  func limits() throws {
    let feed = try DeskFeed { limits in
      limits.fileByteCountMax = 1 << 30
      limits.queuedCountPerContainerMax = 2
      limits.queuedCountMax = 3
    }
    var huge = file
    huge.size = 16 << 40
    feed.note(Event.openModel(huge, by: python))
    #expect(feed.told() == ["7 skipped:size"])
    for inode in 1...3 {
      var other = file
      other.inode = UInt64(inode)
      feed.note(Event.openModel(other, by: python))
    }
    #expect(feed.told() == ["7 skipped:budget"])
    var neighbour = TestProcess(8, "/usr/bin/python3")
    neighbour.cgroupID = 900
    for inode in 4...5 {
      var other = file
      other.inode = UInt64(inode)
      feed.note(Event.openModel(other, by: neighbour))
    }
    #expect(feed.told() == ["8 skipped:queue"])
    // Containers take turns.
    #expect(feed.job()?.key.inode == 1 && feed.job()?.key.inode == 4 && feed.job()?.key.inode == 2)
  }

  @Test("the file that was used least lately makes room")
  func eviction() throws {
    let feed = try DeskFeed { $0.fileCountMax = 2 }
    for inode in [1, 2, 1, 3] as [UInt64] {
      var other = file
      other.inode = inode
      feed.note(Event.openModel(other, by: TestProcess(UInt32(inode) + 10 * UInt32(feed.desk.useCount), "/x")))
      feed.read(other)
    }
    feed.performWishes()
    #expect(feed.watched.withLock { $0 } == [1, 3])
    #expect(feed.desk.statistics.evictedFiles == 1 && feed.desk.statistics.hashedFiles == 3)
  }

  @Test(
    "which opens are those of models",
    arguments: [
      ("/m/a.safetensors", "cat", true), ("/m/a.gguf", "cat", true), ("/m/a.pt", "cat", true),
      ("/m/pytorch_model.bin", "cat", true), ("/m/a.bin", "ollama", true), ("/m/a.bin", "cat", nil),
      ("/m/a.h5", "cat", nil), ("/m/a.h5", "vllm", true), ("/m/x.txt", "vllm", false),
      ("/usr/lib/python3/dist-packages/a.pth", "python3", false),
      ("/usr/lib/python3.9/lib2to3/G.pickle", "python3", false),
      ("/o/blobs/sha256-" + String(repeating: "0", count: 64), "cat", true), ("/o/blobs/readme", "ollama", false),
    ] as [(String, String, Bool?)])
  func patterns(path: String, program: String, isModel: Bool?) throws {
    let feed = try DeskFeed()
    feed.note(Event.openModel(TestFile(path), by: TestProcess(7, "/bin/" + program)))
    let job = feed.job()
    #expect((job != nil) == (isModel != false))
    #expect(job?.request.needsMagic ?? false == (isModel == nil))
  }

  @Test("what does not begin like a model is none, until it changes")
  func others() throws {
    let feed = try DeskFeed()
    let other = TestFile("/data/a.bin")
    feed.note(Event.openModel(other, by: python))
    feed.finish(try #require(feed.job()), .failed(.notAModel))
    feed.note(Event.openModel(other, by: python))
    #expect(feed.told().isEmpty && feed.job() == nil)
    feed.note(Event.change(MARTLET_CHANGE_TOUCHED, of: other, by: python))
    feed.note(Event.openModel(other, by: python))
    #expect(feed.job()?.request.needsMagic == true)
  }

  @Test("bytes tell the format where they say something")
  func formats() throws {
    let feed = try DeskFeed()
    let torch = TestFile("/models/a.pt")
    feed.note(Event.openModel(torch, by: python))
    feed.read(torch, magic: "GGUF")
    let report = try #require(feed.takeReports().first)
    #expect(report.format == .gguf && !report.isPickleCapable)
  }

  @Test("without room on the kernel's list a digest is a best effort")
  func unwatched() throws {
    let feed = try DeskFeed(watches: false)
    feed.note(Event.openModel(file, by: python))
    feed.read(file)
    #expect(feed.takeReports().first.map { String(decoding: $0.guarantee, as: UTF8.self) } == "best_effort")
    #expect(feed.desk.statistics.unwatchedFiles == 1)
  }
}
