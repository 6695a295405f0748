// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletMatching
import MartletRules
import MartletState
import MartletTesting
import Testing

@Suite("The kernel's filter")
struct KernelFilterTests {
  private func plan(_ conditions: String...) throws -> KernelFilter {
    let text = conditions.enumerated().map { index, condition in
      """
      - rule: R\(index)
        desc: D
        condition: >
          \(condition)
        output: x
        priority: NOTICE

      """
    }
    let result = Ruleset.compile([SourceFile(path: "a.yaml", text: text.joined())])
    return KernelFilterPlanner.plan(try #require(result.ruleset, "\(result.diagnostics.map(\.message))"))
  }

  private static func open(container: Bool = true, opened: Bool = true, directory: Bool = false, access: Int = 0)
    -> OpenClass
  {
    OpenClass(isContainer: container, isOpened: opened, isDirectory: directory, access: access)
  }

  @Test(
    "what a condition asks of the name",
    arguments: [
      ("fd.name = /etc/shadow", "/etc/shadow", "/etc/passwd"),
      ("fd.name in (/etc/shadow, /etc/sudoers)", "/etc/sudoers", "/etc/passwd"),
      ("fd.name startswith /etc/sudoers.d/", "/etc/sudoers.d/x", "/etc/sudoers"),
      ("fd.name startswith /etc/pam", "/etc/pam.conf", "/usr/pam.conf"),
      ("fd.name endswith /etc/shadow", "/host/etc/shadow", "/etc/shadow-"),
      ("fd.name endswith .safetensors", "/m/x.safetensors", "/m/x.bin"),
      ("fd.name contains /.ssh/", "/root/.ssh/id", "/root/x.ssh/id"),
      ("fd.name glob /home/*/.aws/*", "/home/u/.aws/credentials", "/home/u/x"),
      ("fd.name pmatch (/etc, /usr/bin)", "/usr/bin/id", "/usr/lib/x"),
      ("fd.directory = /etc", "/etc/hosts", "/var/hosts"),
      ("fd.directory startswith /usr/lib/", "/usr/lib/a/b", "/usr/share/a"),
      ("fd.filename = authorized_keys", "/root/.ssh/authorized_keys", "/root/.ssh/id"),
      ("fd.filename endswith .key", "/a/b.key", "/a/b"),
      ("fd.nameraw contains ../ and fd.name contains id_rsa", "/a/../id_rsa", "/a/id_rsa"),
      ("fd.nameraw glob *../*../*", "/a/../../b", "/a/b"), ("fd.name contains x../", "/x../a", "/x./a"),
      ("fd.nameraw startswith /proc/", "/proc/1/environ", "/sys/x"),
      ("(fd.name = /a/b or fd.name = /c/d) and not fd.name = /e", "/c/d", "/e"),
    ])
  func names(condition: String, passing: String, dropped: String) throws {
    let opens = try plan("evt.type = openat and \(condition)").opens
    #expect(opens.passes(Self.open(), names: [Array(passing.utf8)]))
    #expect(!opens.passes(Self.open(), names: [Array(dropped.utf8)]))
    #expect(opens.passes(Self.open(), names: [Array(dropped.utf8), Array(passing.utf8)]))
  }

  @Test(
    "what the kernel cannot tell of a name lets it through",
    arguments: [
      "fd.name contains secret", "fd.name regex '.*x'", "fd.name icontains /SSH/", "fd.name != /a", "fd.name exists",
      "not fd.name = /etc/shadow", "fd.directory endswith -packages", "fd.name startswith /", "fd.name > 1",
      "fd.name pmatch (/)", "fd.name glob '*'", "fd.name glob '/[ab]/c'", "proc.name = cat", "fd.filename contains x",
      "fd.name = /etc/shadow or proc.name = cat", "fd.name contains .ssh/id",
    ])
  func open(condition: String) throws {
    let opens = try plan("evt.type = openat and (\(condition))").opens
    #expect(opens.passes(Self.open(), names: [Array("/anything".utf8)]))
  }

  @Test("classes: where, whether it succeeded, how it was opened")
  func classes() throws {
    let opens = try plan(
      "evt.type in (open, openat) and evt.is_open_write = true and fd.num >= 0 and fd.typechar = f and container.id != host"
    ).opens
    for kind in OpenClass.allCases {
      let expected = kind.isContainer && kind.isOpened && !kind.isDirectory && [1, 2].contains(kind.access)
      #expect(opens.passes(kind, names: []) == expected, "\(kind)")
    }
    let failed = try plan("evt.type = openat and evt.res = EACCES and not container.id != host").opens
    for kind in OpenClass.allCases {
      #expect(failed.passes(kind, names: []) == (!kind.isOpened && !kind.isContainer))
    }
  }

  @Test("the union over rules; disabled rules and other events count for nothing")
  func union() throws {
    let filter = try plan(
      "evt.type = openat and fd.name = /a and container.id != host", "evt.type = openat and fd.name = /b",
      "evt.type = execve and container.id != host", "evt.type = connect and container.id = host")
    #expect(filter.opens.passes(Self.open(), names: [Array("/a".utf8)]))
    #expect(!filter.opens.passes(Self.open(container: false), names: [Array("/a".utf8)]))
    #expect(filter.opens.passes(Self.open(container: false), names: [Array("/b".utf8)]))
    #expect(filter.actors == [.openat: .all, .execve: .containers, .connect: .host])
  }

  @Test("too many names, and the class passes")
  func bound() throws {
    let names = (0..<1025).map { "/d/\($0)" }.joined(separator: ", ")
    let opens = try plan("evt.type = openat and fd.name in (\(names))").opens
    #expect(opens.names.isEmpty && opens.passes(Self.open(), names: [Array("/x".utf8)]))
  }

  // MARK: Soundness

  @Test("it never drops what a rule matches", arguments: 1...60 as ClosedRange<UInt64>)
  func soundness(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var droppedCount = 0
    for _ in 0..<20 {
      let conditions = (0..<Int.random(in: 1...3, using: &generator)).map { _ in condition(depth: 3, &generator) }
      let filter = KernelFilterPlanner.plan(ruleset(conditions))
      var engines = Engines(conditions)
      for _ in 0..<100 {
        let (event, kind, names, type) = open(&generator)
        let passes =
          filter.opens.passes(kind, names: names)
          && filter.actors[type, default: []].contains(kind.isContainer ? .containers : .host)
        if !passes {
          droppedCount += 1
          #expect(engines.match(event).reference == .none, "seed \(seed): \(conditions) on \(kind), \(names)")
        }
      }
    }
    #expect(droppedCount > 0, "a filter that drops nothing is no test")
  }

  private func ruleset(_ conditions: [Condition]) -> Ruleset {
    let location = SourceLocation(path: "t.yaml", line: 1, column: 1, offset: 0)
    return Ruleset(
      rules: conditions.enumerated().map { index, condition in
        Rule(
          id: RuleID(rawValue: index), name: "\(index)", description: "", condition: condition,
          output: OutputTemplate(pieces: []), priority: .notice, tags: [], source: "syscall", isEnabled: true,
          eventTypes: .all, location: location)
      })
  }

  private func condition(depth: Int, _ generator: inout SeededGenerator) -> Condition {
    switch depth == 0 ? 9 : Int.random(in: 0...7, using: &generator) {
    case 0...2: .all((0..<3).map { _ in condition(depth: depth - 1, &generator) })
    case 3: .any((0..<2).map { _ in condition(depth: depth - 1, &generator) })
    case 4: .not(condition(depth: depth - 1, &generator))
    default: predicate(&generator)
    }
  }

  private static let paths = [
    "/etc/shadow", "/etc", "/etc/", "/", "shadow", "/root/.ssh/id", ".ssh", "/.ssh/", "/etc/sudoers.d/x", ".pem",
    "/a/b.pem",
    "/usr/lib/x", "/usr", "usr/lib", "/et", "b.pem", "/host/etc/shadow", "etc/shadow", "id", "/*/.ssh/*", "../",
    "*../*", "/a../b", "/etc/*",
    "*.pem",
  ]

  private func predicate(_ generator: inout SeededGenerator) -> Condition {
    func pick<Element>(_ elements: [Element]) -> Element {
      elements[Int.random(in: elements.indices, using: &generator)]
    }
    func text() -> [UInt8] { Array(pick(Self.paths).utf8) }
    func texts() -> [[UInt8]] { (0..<Int.random(in: 0...3, using: &generator)).map { _ in text() } }
    let number = Constant.signed(pick([-2, -1, 0, 3]))
    let numeric: Comparison = pick([
      .equal(number), .notEqual(number), .less(number), .greaterOrEqual(number), .isIn([number, .signed(3)]),
    ])
    let word: Comparison = pick([
      .equal(.text("host")), .notEqual(.text("host")), .isIn([.text("host")]), .exists, .startsWith(Array("ho".utf8)),
      .isIn([.text("host"), .text("4f1c9e0b2a77")]), .notEqual(.text("d")), .equal(.text("f")),
      .equal(.text("SUCCESS")),
      .notEqual(.text("SUCCESS")), .equal(.text("openat")), .notEqual(.text("openat")), .equal(.text("ENOENT")),
    ])
    let path: Comparison = pick([
      .equal(.text(text())), .isIn(texts().map { .text($0) }), .startsWith(text()), .endsWith(text()),
      .contains(text()),
      .glob(text()), .pathMatch(texts()), .notEqual(.text(text())),
      .quantified(pick(Quantifier.allCases), texts().map { .endsWith($0) }),
      .quantified(pick(Quantifier.allCases), texts().map { .notEqual(.text($0)) }), .exists,
    ])
    let flag: Comparison = pick([.equal(.boolean(true)), .equal(.boolean(false)), .notEqual(.boolean(true))])
    switch Int.random(in: 0...9, using: &generator) {
    case 0: return .test(pick([.fdNumber, .eventRawResult]), numeric)
    case 1...2: return .test(pick([.containerID, .eventType, .eventResult, .fdTypeChar]), word)
    case 3: return .test(pick([.eventIsOpenRead, .eventIsOpenWrite]), flag)
    default: return .test(pick([.fdName, .fdNameRaw, .fdRealPath, .fdDirectory, .fdFilename]), path)
    }
  }

  /// An open as State would show it, and the same as the kernel sees it.
  private func open(
    _ generator: inout SeededGenerator
  ) -> (event: GivenEvent, kind: OpenClass, names: [[UInt8]], type: EventType) {
    func pick<Element>(_ elements: [Element]) -> Element {
      elements[Int.random(in: elements.indices, using: &generator)]
    }
    let type = pick(EventType.allCases.filter { $0.kind == .open })
    let access = type == .creat ? 1 : Int.random(in: 0...3, using: &generator)
    let isOpened = Bool.random(using: &generator)
    let isDirectory = isOpened && Bool.random(using: &generator)
    let isContainer = Bool.random(using: &generator)
    let spelled = Array(pick(Self.paths.filter { $0.hasPrefix("/") && (!$0.hasSuffix("/") || $0 == "/") }).utf8)
    let resolved = Bool.random(using: &generator) ? spelled : Array(pick(["/etc/shadow", "/root/.ssh/id", "/x"]).utf8)
    let directory = { (path: [UInt8]) in
      isDirectory ? path : path.lastIndex(of: 0x2f).map { $0 == 0 ? [0x2f] : Array(path[..<$0]) } ?? []
    }
    var values: [GivenEvent.Key: GivenEvent.Value] = [
      .init(.fdNumber): .signed(isOpened ? 3 : -1), .init(.eventRawResult): .signed(isOpened ? 3 : -2),
      .init(.eventResult): .text(isOpened ? "SUCCESS" : "ENOENT"), .init(.fdTypeChar): .text(isDirectory ? "d" : "f"),
      .init(.eventIsOpenRead): .boolean(type != .creat && [0, 2].contains(access)),
      .init(.eventIsOpenWrite): .boolean(type != .creat && [1, 2].contains(access)),
      .init(.containerID): .text(isContainer ? "4f1c9e0b2a77" : "host"), .init(.fdName): .text(spelled),
      .init(.fdNameRaw): .text(spelled), .init(.fdDirectory): .text(directory(spelled)),
    ]
    if isOpened {
      values[.init(.fdRealPath)] = .text(resolved)
      values[.init(.fdFilename)] = .text(Array(spelled[((spelled.lastIndex(of: 0x2f) ?? -1) + 1)...]))
    }
    let kind = OpenClass(isContainer: isContainer, isOpened: isOpened, isDirectory: isDirectory, access: access)
    return (GivenEvent(type, values), kind, isOpened ? [spelled, resolved] : [spelled], type)
  }
}
