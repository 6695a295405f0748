// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import KernelTestTrial
import MartletEvents
import MartletMatching
import MartletState
import MartletTesting
import Testing

@testable import MartletCapture

/// The probe's filter, asked by the kernel's test run about events that a test makes.
private final class Trials {
  private let handle: OpaquePointer

  init(usesTypedLoads: Bool) throws {
    let object = decodeBase64(usesTypedLoads ? typedTrialBase64 : helperTrialBase64)
    handle = try #require(trials_open(object, object.count), "errno \(errno)")
  }

  deinit { trials_close(handle) }

  func install(_ filter: KernelFilter) throws {
    let encoded = UnsafeMutablePointer<martlet_filter>(encoding: filter)
    defer { encoded.deallocate() }
    try #require(trials_install(handle, encoded) == 0, "errno \(errno)")
  }

  func passes(_ trial: trial, program: [UInt8], user: UInt32) throws -> Bool {
    var trial = trial
    let name = String(decoding: program, as: UTF8.self)
    try #require(trials_ask(handle, &trial, name, user) == 0, "errno \(errno)")
    return trial.passes != 0
  }
}

/// A file that was opened, or not, in one of many ways.
private final class TriedOpen {
  let type: EventType
  let spelled: String
  let resolved: String?
  let isDirectory: Bool
  let access: Int32
  private let raw: [CChar]
  private let directory: Int32
  private let result: Int32

  init(_ raw: String, in directory: Int32, access: Int32) {
    self.raw = Array(raw.utf8CString)
    self.directory = directory
    self.access = access
    type = .openat
    let descriptor = openat(directory, raw, access | O_CLOEXEC | O_NONBLOCK)
    result = descriptor >= 0 ? descriptor : -errno
    resolved = descriptor >= 0 ? Self.path(of: descriptor) : nil
    var status = stat()
    isDirectory = descriptor >= 0 && fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    spelled = Self.normalised(raw.hasPrefix("/") ? raw : "\(Self.path(of: directory) ?? "")/\(raw)")
  }

  deinit { if result >= 0 { close(result) } }

  func kind(isContainer: Bool) -> OpenClass {
    OpenClass(isContainer: isContainer, isOpened: result >= 0, isDirectory: isDirectory, access: Int(access & 3))
  }

  /// While `body` runs the string is there.
  func withTrial<Result>(isContainer: Bool, _ body: (trial) throws -> Result) rethrows -> Result {
    try raw.withUnsafeBufferPointer { name in
      var trial = trial()
      trial.subject = UInt32(TRIAL_OPEN.rawValue)
      trial.is_container = isContainer ? 1 : 0
      trial.call = UInt32(type.rawValue)
      trial.directory_fd = directory
      trial.flags = UInt32(access)
      trial.name = UInt64(UInt(bitPattern: name.baseAddress))
      trial.result = Int64(result)
      return try body(trial)
    }
  }

  private static func path(of descriptor: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }

  private static func normalised(_ path: String) -> String {
    var components: [Substring] = []
    for component in path.split(separator: "/") where component != "." {
      if component == ".." { _ = components.popLast() } else { components.append(component) }
    }
    return "/" + components.joined(separator: "/")
  }
}

extension KernelTests {
  /// Thousands of rule sets and events: where the filter drops, the reference evaluator must find nothing.
  @Suite("Filter on trial")
  struct FilterTrialTests {
    private static let words = [
      "a", "bb", "secret", "x.pem", "a-name-of-more-than-eight", "a-name-of-more-than-sixteen-bytes", "site-packages",
      "dots..", "dots-at-the-end-of-a-long-name..",
    ]

    /// Opens of files by their names, links, descriptors of folders, detours, and of what is not there.
    private func opens(_ folder: Folder, _ random: inout RandomRules) throws -> [TriedOpen] {
      let inner = folder.folder("inner")
      for word in Self.words {
        _ = try folder.file("inner/\(word)")
        _ = folder.link("link-\(word)", to: "\(inner)/\(word)")
      }
      _ = folder.link("folder-link", to: inner)
      let start = Glibc.open(inner, O_RDONLY | O_CLOEXEC)
      return Self.words.flatMap { word in
        [
          "\(inner)/\(word)", "\(folder.path)/link-\(word)", "\(folder.path)/folder-link/\(word)", word, "./\(word)",
          "\(inner)//\(word)", "\(inner)/../inner/\(word)", "/proc/self/root\(inner)/\(word)", "\(inner)/no-\(word)",
          "../link-\(word)", "../inner/\(word)", inner, "\(inner)/", "/", "..", "/etc/passwd", "no-\(word)",
        ].map { TriedOpen($0, in: start, access: random.pick([O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR])) }
      }
    }

    @Test(
      "it drops no open that a rule matches", arguments: 1...6 as ClosedRange<UInt64>, [true, false])
    func opens(seed: UInt64, usesTypedLoads: Bool) throws {
      let folder = try Folder()
      let place = folder.path
      var random = RandomRules(
        seed: seed,
        paths: Self.words + [
          "/", "/etc/", "/etc/passwd", place, "\(place)/inner", "\(place)/inner/", "inner", "/inner/", ".pem", "../",
          "*.pem", "*/inner/*", "\(place)/inner/secret", "\(place)/link-secret", "\(place)/folder-link", "/secret",
          "-of-more-than-", "*../*", "link-x.pem", "/proc/self/root", "no-secret",
        ])
      let opens = try opens(folder, &random)
      let trials = try Trials(usesTypedLoads: usesTypedLoads)
      var droppedCount = 0
      var (passedInVain, matchedCount) = (0, 0)
      for _ in 0..<25 {
        let conditions = random.openConditions()
        let ruleset = RandomRules.ruleset(conditions)
        let filter = KernelFilterPlanner.plan(ruleset)
        let reference = ReferenceEvaluator(ruleset)
        try trials.install(filter)
        for open in opens {
          let isContainer = random.chance(50)
          let program = Array(random.pick(RandomRules.programs.filter { $0.utf8.count < 16 }).utf8)
          let user = random.pick(RandomRules.actingUsers)
          let kind = open.kind(isContainer: isContainer)
          let names = [open.spelled, open.resolved].compactMap { $0.map { Array($0.utf8) } }
          let isWanted = filter.opens.passes(kind, names: names, program: program, user: user)
          let event = GivenEvent(
            open: open.type, kind, spelled: names[0], resolved: names.dropFirst().first, program: program, user: user)
          var context = EventContext(event)
          let isMatched = withExtendedLifetime(event) { reference.match(&context) != .none }
          if isMatched { matchedCount += 1 }
          guard try !open.withTrial(isContainer: isContainer, { try trials.passes($0, program: program, user: user) })
          else {
            if !isWanted { passedInVain += 1 }
            continue
          }
          droppedCount += 1
          #expect(!isWanted && !isMatched, "seed \(seed): \(conditions) on \(kind), \(names)")
        }
      }
      #expect(droppedCount > 100 && matchedCount > 20, "without drops, or without matches, it is no test")
      // What is spelled in a way that has to be normalised passes, and what shares a place in a table.
      #expect(passedInVain < droppedCount)
    }

    @Test(
      "it drops no connection that a rule matches, and lets through only what the plan does",
      arguments: 1...6 as ClosedRange<UInt64>, [true, false])
    func connections(seed: UInt64, usesTypedLoads: Bool) throws {
      var random = RandomRules(seed: seed, paths: [])
      let trials = try Trials(usesTypedLoads: usesTypedLoads)
      var (droppedCount, matchedCount) = (0, 0)
      for _ in 0..<40 {
        let conditions = random.connectionConditions()
        let ruleset = RandomRules.ruleset(conditions)
        let filter = KernelFilterPlanner.plan(ruleset)
        let reference = ReferenceEvaluator(ruleset)
        try trials.install(filter)
        for _ in 0..<50 {
          let connection = RandomConnection(&random)
          let trial = question(connection, isMapped: random.chance(50))
          let passes = try trials.passes(trial, program: connection.program, user: connection.user)
          let expected = filter.connections.passes(
            connection.kind, to: connection.remote, port: connection.port, program: connection.program,
            user: connection.user)
          #expect(passes == expected, "seed \(seed): \(conditions) on \(connection)")
          var context = EventContext(connection.event)
          let isMatched = withExtendedLifetime(connection.event) { reference.match(&context) != .none }
          if isMatched { matchedCount += 1 }
          guard !passes else { continue }
          droppedCount += 1
          #expect(!isMatched, "seed \(seed): \(conditions) on \(connection)")
        }
      }
      #expect(droppedCount > 100 && matchedCount > 20, "without drops, or without matches, it is no test")
    }

    @Test("it tells as many users apart as a plan may have", arguments: [true, false])
    func users(usesTypedLoads: Bool) throws {
      let opening: [UInt32] = (1...7).map { $0 * 100 }
      let connecting: [UInt32] = (1...6).map { $0 * 100 + 50 } + [.max - 1]
      var filter = KernelFilter(
        actors: [:], unixActors: [:],
        connections: ConnectionFilter(v4Ranges: [0], v6Ranges: [0], portRanges: [0]),
        opens: OpenFilter(
          verdicts: Array(repeating: .testNames, count: OpenClass.count),
          names: Dictionary(uniqueKeysWithValues: opening.map { (.user($0...$0), .max) })))
      for kind in ConnectionClass.allCases { filter.connections.passingForSome[kind.rawValue] = [1, 1] }
      for user in connecting { filter.connections.users[user...user] = .max }
      let trials = try Trials(usesTypedLoads: usesTypedLoads)
      try trials.install(filter)
      var random = RandomRules(seed: 1, paths: [])
      let open = TriedOpen("/etc/passwd", in: AT_FDCWD, access: O_RDONLY)
      let trial = question(RandomConnection(&random), isMapped: false)
      for user in (opening + connecting).flatMap({ [$0 - 1, $0, $0 + 1] }) where user != .max {
        #expect(try trials.passes(trial, program: [], user: user) == connecting.contains(user), "\(user)")
        let passes = try open.withTrial(isContainer: true) { try trials.passes($0, program: [], user: user) }
        #expect(passes == opening.contains(user), "\(user)")
      }
    }

    /// `isMapped`: an IPv4 address in a socket of IPv6.
    private func question(_ connection: RandomConnection, isMapped: Bool) -> trial {
      var trial = trial()
      trial.subject = UInt32(TRIAL_CONNECTION.rawValue)
      trial.is_container = connection.kind.isContainer ? 1 : 0
      trial.kind = UInt32(connection.kind.kind.rawValue)
      trial.port = connection.port
      let isV4 = connection.remote.family == .v4
      trial.family = UInt16(isV4 && !isMapped ? AF_INET : AF_INET6)
      withUnsafeMutableBytes(of: &trial.address) { bytes in
        let low = connection.remote.low
        if isV4 && !isMapped {
          bytes.storeBytes(of: UInt32(truncatingIfNeeded: low).bigEndian, as: UInt32.self)
        } else {
          bytes.storeBytes(of: connection.remote.high.bigEndian, as: UInt64.self)
          bytes.storeBytes(of: (isV4 ? low | 0xffff << 32 : low).bigEndian, toByteOffset: 8, as: UInt64.self)
        }
      }
      return trial
    }
  }
}
