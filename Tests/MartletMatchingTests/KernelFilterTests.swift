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
    KernelFilterPlanner.plan(try ruleset(conditions))
  }

  private func ruleset(_ conditions: [String]) throws -> Ruleset {
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
    return try #require(result.ruleset, "\(result.diagnostics.map(\.message))")
  }

  @Test(
    "whose models rules ask for",
    arguments: [
      (["evt.type = openat and fd.name = /a"], KernelFilter.Actors()),
      (["evt.type = model_verdict and container.id != host"], .containers),
      (["evt.type = execve and container.id != host and model.last_open.age < 5000000000"], .containers),
      (["evt.type = model_verdict and container.id = host"], .all),
      (["evt.type = openat and container.id != host", "evt.type = execve and model.last_open.age < 5000000000"], .all),
    ])
  func modelReaders(conditions: [String], expected: KernelFilter.Actors) throws {
    #expect(KernelFilterPlanner.modelReaders(try ruleset(conditions)) == expected)
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
      ("fd.name contains liblzma.so.5.6.0", "/usr/lib/liblzma.so.5.6.0", "/usr/lib/libz.so"),
      ("fd.filename contains fish_read_history", "/root/x-fish_read_history", "/root/fish"),
      ("fd.directory = /", "/vmlinuz", "/etc/vmlinuz"),
      ("(fd.name = /a/b or fd.name = /c/d) and not fd.name = /e", "/c/d", "/e"),
    ])
  func names(condition: String, passing: String, dropped: String) throws {
    let opens = try plan("evt.type = openat and \(condition)").opens
    #expect(opens.passes(Self.open(), names: [Array(passing.utf8)], program: [], user: 0))
    #expect(!opens.passes(Self.open(), names: [Array(dropped.utf8)], program: [], user: 0))
    #expect(opens.passes(Self.open(), names: [Array(dropped.utf8), Array(passing.utf8)], program: [], user: 0))
  }

  @Test(
    "what the kernel cannot tell of a name lets it through",
    arguments: [
      "fd.name contains secret", "fd.name regex '.*x'", "fd.name icontains /SSH/", "fd.name != /a", "fd.name exists",
      "not fd.name = /etc/shadow", "fd.directory endswith -packages", "fd.name startswith /", "fd.name > 1",
      "fd.name pmatch (/)", "fd.name glob '*'", "fd.name glob '/[ab]/c'", "proc.name != cat", "fd.filename contains x",
      "fd.name = /etc/shadow or proc.pname = cat", "fd.name contains .ssh/id", "proc.name startswith c",
    ])
  func open(condition: String) throws {
    let opens = try plan("evt.type = openat and (\(condition))").opens
    #expect(opens.passes(Self.open(), names: [Array("/anything".utf8)], program: [], user: 0))
  }

  @Test("classes: where, whether it succeeded, how it was opened")
  func classes() throws {
    let opens = try plan(
      "evt.type in (open, openat) and evt.is_open_write = true and fd.num >= 0 and fd.typechar = f and container.id != host"
    ).opens
    for kind in OpenClass.allCases {
      let expected = kind.isContainer && kind.isOpened && !kind.isDirectory && [1, 2].contains(kind.access)
      #expect(opens.passes(kind, names: [], program: [], user: 0) == expected, "\(kind)")
    }
    let failed = try plan("evt.type = openat and evt.res = EACCES and not container.id != host").opens
    for kind in OpenClass.allCases {
      // What counts as a container may be the host's, as long as its cgroup is not known.
      #expect(failed.passes(kind, names: [], program: [], user: 0) == !kind.isOpened)
    }
  }

  @Test("the union over rules; disabled rules and other events count for nothing")
  func union() throws {
    let filter = try plan(
      "evt.type = openat and fd.name = /a and container.id != host", "evt.type = openat and fd.name = /b",
      "evt.type = execve and container.id != host", "evt.type = connect and container.id = host")
    #expect(filter.opens.passes(Self.open(), names: [Array("/a".utf8)], program: [], user: 0))
    #expect(!filter.opens.passes(Self.open(container: false), names: [Array("/a".utf8)], program: [], user: 0))
    #expect(filter.opens.passes(Self.open(container: false), names: [Array("/b".utf8)], program: [], user: 0))
    #expect(filter.actors == [.openat: .all, .execve: .containers, .connect: .all])
  }

  @Test("too many names, and the class passes")
  func bound() throws {
    let names = (0..<1025).map { "/d/\($0)" }.joined(separator: ", ")
    let opens = try plan("evt.type = openat and fd.name in (\(names))").opens
    #expect(opens.names.isEmpty && opens.passes(Self.open(), names: [Array("/x".utf8)], program: [], user: 0))
  }

  @Test("what the program has to be called")
  func programs() throws {
    let filter = try plan(
      "evt.type = openat and proc.name in (sshd, tar, a-name-of-sixteen)",
      "evt.type = connect and proc.name = nc and fd.sport = 80",
      "evt.type = connect and fd.sport = 22 and not proc.name in (ssh, scp)")
    func opens(_ program: String) -> Bool {
      filter.opens.passes(Self.open(), names: [], program: Array(program.utf8), user: 0)
    }
    func connects(_ program: String, _ port: UInt16) -> Bool {
      filter.connections.passes(
        ConnectionClass(.connectTCP, isContainer: true), to: IPAddress(v4: 1), port: port,
        program: Array(program.utf8), user: 0)
    }
    #expect(opens("sshd") && opens("tar") && !opens("cat") && !opens("a-name-of-sixte"))
    #expect(connects("nc", 80) && !connects("curl", 80) && connects("curl", 22) && !connects("nc", 443))
  }

  @Test("where a connection has to go, and how")
  func connections() throws {
    let filter = try plan(
      "evt.type in (connect, sendto) and fd.l4proto = tcp and fd.net != \"127.0.0.0/8\" "
        + "and not fd.snet in (\"10.0.0.0/8\", \"fd00::/8\") and (fd.sport in (22, 443) or fd.rport >= 60000) "
        + "and container.id != host")
    func passes(_ address: String, _ port: UInt16, _ kind: ConnectionKind = .connectTCP, container: Bool = true) -> Bool
    {
      filter.connections.passes(
        ConnectionClass(kind, isContainer: container), to: IPAddress(text: address) ?? IPAddress(v4: 0), port: port,
        program: [], user: 0)
    }
    #expect(passes("192.0.2.1", 443) && passes("2001:db8::1", 22) && passes("11.0.0.0", 65_535))
    #expect(!passes("192.0.2.1", 80) && !passes("192.0.2.1", 59_999) && passes("192.0.2.1", 60_000))
    #expect(!passes("127.0.0.1", 443) && !passes("10.255.255.255", 443) && !passes("fd12::1", 443))
    #expect(!passes("::ffff:10.0.0.1", 443) && passes("::ffff:192.0.2.1", 443))
    #expect(!passes("192.0.2.1", 443, .connectUDP) && !passes("192.0.2.1", 443, container: false))
    // What is sent without a connection is no TCP.
    #expect(!passes("192.0.2.1", 443, .send))
    #expect(filter.unixActors.isEmpty && filter.actors[.sendmsg] == .containers)
  }

  @Test("whose act it has to be")
  func users() throws {
    let filter = try plan(
      "evt.type = openat and user.uid = 1000",
      "evt.type = openat and fd.name startswith /etc/ and user.uid != 0",
      "evt.type = connect and fd.sport = 80 and (user.uid in (7, 8) or user.uid >= 65534)",
      "evt.type = connect and fd.sport = 22",
      "evt.type = connect and proc.name = nginx and user.uid = 5",
      "evt.type = connect and not proc.name = ssh and user.uid = 6 and fd.sport = 81")
    func opens(_ name: String, _ user: UInt32) -> Bool {
      filter.opens.passes(Self.open(), names: [Array(name.utf8)], program: [], user: user)
    }
    #expect(opens("/x", 1000) && !opens("/x", 999) && !opens("/x", 1001))
    // Of two things that have to be, the name tells more.
    #expect(opens("/etc/x", 1000) && opens("/etc/x", 0))
    func connects(_ port: UInt16, _ user: UInt32, _ program: String = "") -> Bool {
      filter.connections.passes(
        ConnectionClass(.connectTCP, isContainer: true), to: IPAddress(v4: 7), port: port,
        program: Array(program.utf8), user: user)
    }
    for user in [7, 8, 65_534, .max] as [UInt32] { #expect(connects(80, user)) }
    for user in [0, 5, 9, 65_533] as [UInt32] { #expect(!connects(80, user) && connects(22, user)) }
    #expect(!connects(82, 5) && connects(82, 5, "nginx") && connects(81, 6) && !connects(81, 5))
    let nobody = try plan("evt.type = openat and user.uid < 0", "evt.type = openat and not user.uid exists")
    #expect(nobody.opens.verdicts.allSatisfy { $0 == .drop })
  }

  @Test("more users than the kernel tells apart, and nothing is asked of them")
  func tooManyUsers() throws {
    for (count, isAsked) in [(7, true), (8, false)] {
      // A rule for each: none alone has too many.
      let rules = (1...count).flatMap {
        ["evt.type = openat and user.uid = \($0 * 10)", "evt.type = connect and user.uid = \($0 * 10)"]
      }
      let filter = KernelFilterPlanner.plan(try ruleset(rules))
      #expect(filter.opens.passes(Self.open(), names: [], program: [], user: 5) != isAsked)
      let kind = ConnectionClass(.connectUDP, isContainer: true)
      #expect(filter.connections.passes(kind, to: IPAddress(v4: 7), port: 7, program: [], user: 5) != isAsked)
      #expect(filter.opens.passes(Self.open(), names: [], program: [], user: 70))
      #expect(filter.connections.passes(kind, to: IPAddress(v4: 7), port: 7, program: [], user: 70))
    }
  }

  @Test("too many addresses, ports or programs, and nothing is asked of them")
  func connectionBounds() throws {
    let addresses = (0..<65).map { "\"10.0.\($0).1\"" }.joined(separator: ", ")
    let ports = (0..<64).map { "\($0 * 2 + 1)" }.joined(separator: ", ")
    let programs = (0..<1025).map { "p\($0)" }.joined(separator: ", ")
    let filter = try plan(
      "evt.type = connect and fd.sip in (\(addresses)) and fd.sport in (\(ports)) and proc.name in (\(programs))"
    ).connections
    #expect(filter.v4Ranges == [0] && filter.portRanges == [0] && filter.programs.isEmpty)
    #expect(
      filter.passes(
        ConnectionClass(.connectUDP, isContainer: false), to: IPAddress(v4: 7), port: 7, program: Array("x".utf8),
        user: 0))
  }

  @Test("calls on Unix sockets are wanted where no rule asks for an internet one")
  func unixSockets() throws {
    let filter = try plan(
      "evt.type = connect and fd.typechar = 4 and container.id != host", "evt.type = accept and fd.type = unix",
      "evt.type in (listen, connect) and not fd.sip exists and container.id = host")
    #expect(filter.unixActors == [.connect: .all, .accept: .all, .listen: .all])
    #expect(filter.actors[.accept] == nil && filter.actors[.connect] == .all)
  }

  // MARK: Soundness

  private static let paths = [
    "/etc/shadow", "/etc", "/etc/", "/", "shadow", "/root/.ssh/id", ".ssh", "/.ssh/", "/etc/sudoers.d/x", ".pem",
    "/a/b.pem", "/usr/lib/x", "/usr", "usr/lib", "/et", "b.pem", "/host/etc/shadow", "etc/shadow", "id", "/*/.ssh/*",
    "../", "*../*", "/a../b", "/etc/*", "*.pem", "/lib/liblzma.so.5.6.0", "/liblzma.so.5",
  ]

  @Test("it never drops an open that a rule matches", arguments: 1...60 as ClosedRange<UInt64>)
  func soundness(seed: UInt64) {
    var random = RandomRules(seed: seed, paths: Self.paths)
    var droppedCount = 0
    for _ in 0..<20 {
      let conditions = random.openConditions()
      let filter = KernelFilterPlanner.plan(RandomRules.ruleset(conditions))
      var engines = Engines(conditions)
      for _ in 0..<100 {
        let (event, kind, names, program, user) = open(&random)
        if !filter.opens.passes(kind, names: names, program: program, user: user) {
          droppedCount += 1
          #expect(engines.match(event).reference == .none, "seed \(seed): \(conditions) on \(kind), \(names)")
        }
      }
    }
    #expect(droppedCount > 0, "a filter that drops nothing is no test")
  }

  @Test("it never drops a connection that a rule matches", arguments: 1...60 as ClosedRange<UInt64>)
  func connectionSoundness(seed: UInt64) throws {
    var random = RandomRules(seed: seed, paths: [])
    var droppedCount = 0
    for _ in 0..<20 {
      let conditions = random.connectionConditions()
      let filter = KernelFilterPlanner.plan(RandomRules.ruleset(conditions)).connections
      var engines = Engines(conditions)
      for _ in 0..<100 {
        let connection = RandomConnection(&random)
        let passes = filter.passes(
          connection.kind, to: connection.remote, port: connection.port, program: connection.program,
          user: connection.user)
        if !passes {
          droppedCount += 1
          #expect(
            engines.match(connection.event).reference == .none, "seed \(seed): \(conditions) on \(connection)")
        }
      }
    }
    #expect(droppedCount > 0, "a filter that drops nothing is no test")
  }

  /// An open as State would show it, and the same as the kernel sees it.
  private func open(
    _ random: inout RandomRules
  ) -> (event: GivenEvent, kind: OpenClass, names: [[UInt8]], program: [UInt8], user: UInt32) {
    let type = random.pick(EventType.allCases.filter { $0.kind == .open })
    let access = type == .creat ? 1 : random.pick([0, 1, 2, 3])
    let isOpened = random.chance(50)
    let isDirectory = isOpened && random.chance(50)
    let isContainer = random.chance(50)
    let spelled = Array(random.pick(Self.paths.filter { $0.hasPrefix("/") && (!$0.hasSuffix("/") || $0 == "/") }).utf8)
    let resolved = random.chance(50) ? spelled : Array(random.pick(["/etc/shadow", "/root/.ssh/id", "/x"]).utf8)
    let program = Array(random.pick(RandomRules.programs.filter { $0.utf8.count < 16 }).utf8)
    let kind = OpenClass(isContainer: isContainer, isOpened: isOpened, isDirectory: isDirectory, access: access)
    let user = random.pick(RandomRules.actingUsers)
    let event = GivenEvent(
      open: type, kind, spelled: spelled, resolved: isOpened ? resolved : nil, program: program, user: user)
    return (event, kind, isOpened ? [spelled, resolved] : [spelled], program, user)
  }
}
