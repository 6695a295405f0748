// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import Testing

extension KernelTests {
  @Suite("Models")
  struct ModelTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    /// Of what no rule asks for.
    private static let nothing = KernelFilter(
      actors: [:], unixActors: [:], connections: .none,
      opens: OpenFilter(verdicts: Array(repeating: .drop, count: OpenClass.count), names: [:]))

    private func run(_ verbs: [String], _ configuration: CaptureConfiguration = .ofModels) throws -> (Recorder, pid_t) {
      let recorder = try Recorder(configuration)
      let actor = try Actor(verbs)
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      return (recorder, actor.process)
    }

    private func record(of path: String, in recorder: Recorder) throws -> EventRecord {
      let found = recorder.records.filter { $0.kind == .open && $0.bytes($0.open.pointee.path).string == path }
      try #require(found.count == 1, "opens of '\(path)': \(found.count)")
      return found[0]
    }

    @Test(
      "an open of a model carries the file's state, whether or not a rule asks for it",
      arguments: [
        ("a.gguf", true), ("model.safetensors", true), ("b.pt", true), ("x.onnx.data", true), ("blobs/0a1b2c", true),
        (".pt", true), ("a.b.pt", true), ("a.so.pt", true), ("b..h5", true), ("b.pt.", false), ("b.pta", false),
        ("gguf", false), ("a.gguf.txt", false), ("a.tensors", false), ("blobs2/0a1b2c", false), ("pt", false),
      ])
    func state(name: String, isModel: Bool) throws {
      for name in ["blobs", "blobs2"] { _ = folder.folder(name) }
      let path = try folder.file(name, "twelve bytes")
      var configuration = CaptureConfiguration.ofModels
      configuration.filter = Self.nothing
      let writer = open(path, O_WRONLY)
      defer { close(writer) }
      let (recorder, process) = try run(["openat", path], configuration)
      guard isModel else {
        #expect(recorder.records(of: .open, by: process).isEmpty)
        return
      }
      let record = try record(of: path, in: recorder)
      let state = try #require(record.fileState)
      let facts = try FileNumbers(path).facts
      #expect(state.size_bytes == 12 && state.writers == 1 && state.real_inode == 0)
      #expect(state.modified_ns == UInt64(facts.st_mtim.tv_sec) * 1_000_000_000 + UInt64(facts.st_mtim.tv_nsec))
      #expect(state.changed_ns == UInt64(facts.st_ctim.tv_sec) * 1_000_000_000 + UInt64(facts.st_ctim.tv_nsec))
      #expect(!record.has(flag: MARTLET_FLAG_FILE_WATCHED))
    }

    @Test("endings need not begin with a dot", arguments: [("myweights", true), ("b.gguf", true), ("b.weight", false)])
    func endings(name: String, isModel: Bool) throws {
      let path = try folder.file(name)
      var configuration = CaptureConfiguration.ofModels
      configuration.models = ModelNames(endings: ["weights", "ts.gguf", ".gguf"])
      let (recorder, _) = try run(["openat", path], configuration)
      #expect((try record(of: path, in: recorder).fileState != nil) == isModel)
    }

    @Test(
      "a link that is called as a model leads to one, whatever that is called; to a folder it does not",
      arguments: [["openat"], ["open"], ["openat2"]])
    func calledAsModel(verbs: [String]) throws { try expectLink(verbs) }

    @Test(
      "so it does through io_uring", .enabled(if: RingAccess.isThere, "needs io_uring"),
      arguments: [["ring-open", "plain"], ["ring-open", "direct"]])
    func calledAsModelInRing(verbs: [String]) throws { try expectLink(verbs) }

    private func expectLink(_ verbs: [String]) throws {
      let (file, inner) = (try folder.file("weights"), folder.folder("inner"))
      let paths = [
        folder.link("a.gguf", to: file), folder.link("b", to: file), folder.link("c.gguf", to: inner),
        folder.link(String(repeating: "d", count: 200) + ".pt", to: file),
      ]
      var configuration = CaptureConfiguration.ofModels
      configuration.filter = Self.nothing
      let (recorder, process) = try run(paths.flatMap { verbs + [$0] }, configuration)
      let told = recorder.records(of: .open, by: process)
      #expect(told.map { $0.bytes($0.open.pointee.name).string } == [paths[0], paths[3]])
      #expect(told.allSatisfy { $0.fileState != nil && $0.bytes($0.open.pointee.path).string == file })
    }

    @Test("reads are told of those whom rules ask about, writes of everybody")
    func readers() throws {
      let path = try folder.file("a.gguf")
      var configuration = CaptureConfiguration.ofModels
      configuration.filter = Self.nothing
      configuration.models?.readers = .containers
      let recorder = try Recorder(configuration)
      let other = try folder.file("other")
      let numbers = try FileNumbers(other)
      #expect(recorder.source.watch(device: numbers.device, inode: numbers.inode))
      func accesses() throws -> [UInt32] {
        // The second is what a watched file is: called like nothing.
        let actor = try Actor("openat", path, "openat", other, "call", "openat", "#-100", path, "#\(O_RDWR)", ":")
        recorder.record(untilEndOf: actor.process)
        #expect(actor.finish() == 0)
        return recorder.records(of: .open, by: actor.process).map { $0.open.pointee.open_flags & UInt32(O_ACCMODE) }
      }
      // In no cgroup that is known to be the host's, so it counts as a container's.
      #expect(try accesses() == [UInt32(O_RDONLY), UInt32(O_RDONLY), UInt32(O_RDWR)])
      let common = try #require(recorder.records.first { $0.kind == .open }).common.pointee
      recorder.source.noteHostCgroup(id: common.cgroup_id, hierarchy: 0)
      recorder.source.noteHostCgroup(id: common.cgroup_v1_id, hierarchy: 1)
      #expect(try accesses() == [UInt32(O_RDWR)])
      // Others may be asked about while the watch goes on.
      configuration.models?.readers = .all
      try recorder.source.adopt(recorder.source.prepare(configuration))
      #expect(try accesses() == [UInt32(O_RDONLY), UInt32(O_RDONLY), UInt32(O_RDWR)])
    }

    @Test("a watched file is told by any name, with what may be done with it")
    func watched() throws {
      let path = try folder.file("weights")
      let recorder = try Recorder(.ofModels)
      let numbers = try FileNumbers(path)
      #expect(recorder.source.watch(device: numbers.device, inode: numbers.inode))
      #expect(link(path, path + "2") == 0)
      let actor = try Actor("call", "openat", "#-100", path + "2", "#\(O_RDWR)", ":")
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let record = try record(of: path + "2", in: recorder)
      #expect(record.has(flag: MARTLET_FLAG_FILE_WATCHED))
      #expect(record.open.pointee.file_mode & 2 != 0 && record.fileState?.writers == 1)
    }

    @Test("a mapping that can write counts as a writer when its descriptor is closed", arguments: [false, true])
    func mapping(onOverlay: Bool) throws {
      for name in ["lower", "upper", "work", "merged"] { _ = folder.folder(name) }
      let file = "\(folder.path)/merged/a.gguf"
      let recorder = try Recorder(.ofModels)
      let place = onOverlay ? ["overlay", folder.path] : []
      let actor = try Actor(place + ["create", file, "write-last", "text", "map-last", "close-last", "openat", file])
      recorder.record(untilEndOf: actor.process)
      #expect(actor.finish() == 0)
      let opens = recorder.records(of: .open, by: actor.process).compactMap(\.fileState)
      #expect(opens.map(\.writers) == [1, 1])
      #expect(onOverlay == (opens[1].real_inode != 0))
    }

    @Test(
      "a model that was written is told when its last writer has gone, whichever way",
      arguments: [
        ["close-last"], [], ["dup-last", "close-last"], ["map-last", "close-last"], ["exec"],
        ["call", "dup2", "#0", "@", ":"],
      ])
    func closed(verbs: [String]) throws {
      let path = "\(folder.path)/a.gguf"
      let rest = verbs == ["exec"] ? ["exec", "end", "0"] : verbs
      let (recorder, process) = try run(["create", path, "write-last", "text"] + rest)
      let numbers = try FileNumbers(path)
      recorder.record(MARTLET_CHANGE_CLOSED, of: numbers)
      let told = recorder.changes(of: numbers)
      try #require(told.count == 1)
      #expect(told[0].path == path && told[0].part.state.size_bytes == 4 && told[0].part.state.writers == 0)
      #expect(told[0].part.record.process_id == UInt32(process) && !told[0].isWatched)
    }

    @Test("where it lay is told as its writer saw it, whatever the same processor looked at since")
    func closedBelowMount() throws {
      for name in ["lower", "upper", "work", "merged"] { _ = folder.folder(name) }
      let (path, other) = ("\(folder.path)/merged/a.gguf", try folder.file("other.gguf"))
      let recorder = try Recorder(.ofModels)
      let actor = try Actor(
        "overlay", folder.path, "create", path, "write-last", "text", "close-last", "openat", other, "wait")
      #expect(actor.awaitWaiting())
      let numbers = try FileNumbers("/proc/\(actor.process)/root\(path)")
      recorder.record(MARTLET_CHANGE_CLOSED, of: numbers)
      let told = recorder.changes(of: numbers)
      #expect(told.map(\.path) == [path] && told[0].part.record.flags & MARTLET_FLAG_PATH_UNREACHABLE == 0)
      actor.finish()
    }

    @Test("while one of two descriptors is left it is not told, nor is a reader's")
    func held() throws {
      let (held, other) = ("\(folder.path)/held.gguf", "\(folder.path)/other.gguf")
      let recorder = try Recorder(.ofModels)
      let actor = try Actor(
        "create", held, "dup-last", "close-last", "create", other, "close-last", "openat", other, "wait")
      #expect(actor.awaitWaiting())
      let numbers = (held: try FileNumbers(held), other: try FileNumbers(other))
      // Whoever looked at this one had looked at the other as well.
      recorder.record(MARTLET_CHANGE_CLOSED, of: numbers.other)
      #expect(recorder.changes(of: numbers.held).isEmpty)
      actor.finish()
      recorder.record(MARTLET_CHANGE_CLOSED, of: numbers.held)
      #expect(recorder.changes(of: numbers.other).count == 1)
    }

    @Test("one that is removed while it is written is told as gone")
    func removed() throws {
      let path = "\(folder.path)/a.gguf"
      let recorder = try Recorder(.ofModels)
      let actor = try Actor("create", path, "wait")
      #expect(actor.awaitWaiting())
      let numbers = try FileNumbers(path)
      #expect(unlink(path) == 0)
      actor.finish()
      recorder.record(MARTLET_CHANGE_CLOSED, of: numbers)
      #expect(recorder.changes(of: numbers).first?.part.links == 0)
    }

    @Test("a download that is moved to a model's name is told, another one is not", arguments: ["rename", "linkat"])
    func moved(call: String) throws {
      let (partial, other) = (try folder.file("a.part"), try folder.file("b.part"))
      func verbs(_ from: String, _ to: String) -> [String] {
        call == "rename"
          ? ["call", "renameat", "#-100", from, "#-100", to, ":"]
          : ["call", "linkat", "#-100", from, "#-100", to, "#0", ":"]
      }
      let numbers = (try FileNumbers(partial), try FileNumbers(other))
      let (recorder, _) = try run(
        verbs(other, "\(folder.path)/b.txt") + verbs(partial, "\(folder.path)/a.safetensors"))
      let told = recorder.changes(of: numbers.0)
      try #require(told.count == 1)
      #expect(told[0].name == "\(folder.path)/a.safetensors" && !told[0].isWatched)
      #expect(recorder.changes(of: numbers.1).isEmpty)
    }

    @Test("more models open for writing than there is room for are counted")
    func fullTable() throws {
      let (recorder, process) = try run(["hold", "1100", "\(folder.path)/m"])
      #expect(recorder.records(of: .open, by: process).compactMap(\.fileState).count == 1100)
      #expect((recorder.source.statistics().fullTables[.written] ?? 0) >= 76)
      #expect(recorder.source.settledStatistics().isBalanced)
    }

    @Test("without names of models nothing of all that is loaded")
    func off() throws {
      let path = try folder.file("a.gguf")
      let (recorder, _) = try run(["openat", path], .withoutSeed)
      #expect(!recorder.source.hooks.contains { $0.name.hasPrefix("changes") && ($0.isWanted || $0.isAttached) })
      #expect(try record(of: path, in: recorder).fileState == nil)
    }
  }
}
