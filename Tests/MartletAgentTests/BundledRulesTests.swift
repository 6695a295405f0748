// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import ContainerTesting
import Glibc
import MartletAgent
import MartletAlerts
import MartletEvents
import MartletRules
import MartletTesting
import Testing

/// What each bundled rule catches, and what lies just beside it.
@Suite("Bundled rules")
struct BundledRulesTests {
  static let ruleset: Ruleset? = Ruleset.compile(BundledRules.sources).ruleset

  @Test("they compile without a word")
  func compile() {
    let compilation = Ruleset.compile(BundledRules.sources)
    let text = DiagnosticRenderer(sources: BundledRules.sources).render(compilation.diagnostics)
    #expect(compilation.diagnostics.isEmpty, "\(text)")
  }

  @Test("each has a case that breaks it and one that does not")
  func coverage() throws {
    let ruleset = try #require(Self.ruleset)
    let names = Set(ruleset.rules.map(\.name))
    #expect(Set(Self.cases.compactMap(\.rule)) == names)
    #expect(ruleset.rules.allSatisfy { !$0.tags.isEmpty && !$0.description.isEmpty })
  }

  @Test("each has a rule test that it breaks and one that it must not")
  func ruleTests() throws {
    let ruleset = try #require(Self.ruleset)
    let names = ruleset.rules.map(\.name)
    let reading = RuleTest.read(try RuleFiles.read([Repository.path("rules/tests")], .tests), ruleNames: names)
    #expect(reading.diagnostics.isEmpty)
    let expected = Set(reading.tests.flatMap { $0.expected.map(\.rule) })
    #expect(names.filter { !expected.contains($0) } == [])
    let forbidden = reading.tests.flatMap(\.forbidden)
    #expect(names.filter { name in !forbidden.contains { $0.matches(name) } } == [])
    var runner = RuleTestRunner(ruleset)
    for test in reading.tests {
      let result = runner.run(test)
      #expect(result.failures.map(\.message) == [], "\(test.location)")
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var what: String
    /// Nil for a near miss.
    var rule: String?
    var process: TestProcess
    var event: @Sendable (TestProcess) -> TestRecord
    /// A model that the process opened before.
    var model: TestFile?

    init(
      _ what: String, _ rule: String?, by process: TestProcess, after model: TestFile? = nil,
      _ event: @escaping @Sendable (TestProcess) -> TestRecord
    ) {
      self.model = model
      self.what = what
      self.rule = rule
      self.process = process
      self.event = event
    }

    var testDescription: String { what }
  }

  @Test("cases", arguments: cases)
  func judge(_ example: Case) throws {
    var pipeline = Pipeline(try #require(Self.ruleset))
    var alerts = AlertBuffer()
    let setting = [
      Event.host("node"), Event.cgroup(Self.host, "/"),
      Event.container(
        cgroup: Self.inside, containerID: String(repeating: "ab", count: 32),
        podUID: "0f4d2a1e-90ab-4cde-8f01-23456789abcd"),
      Event.seed(TestProcess(500, "/usr/bin/runc")), Event.seed(example.process),
    ]
    let before = example.model.map { [Event.openModel($0, by: example.process, at: 1000)] } ?? []
    withBatch(setting + before + [example.event(example.process)]) { batch in
      #expect(pipeline.process(batch, from: 0, into: &alerts) == batch.count)
    }
    let lines = String(decoding: alerts.bytes, as: UTF8.self).split(separator: "\n").dropFirst(before.count)
    let rules = lines.map { $0.split(separator: "\"rule\":\"")[1].prefix { $0 != "\"" } }.map(String.init)
    #expect(rules == (example.rule.map { [$0] } ?? []))
    #expect(pipeline.counters.malformed == 0)
  }

  // MARK: - Who acts

  static let host: UInt64 = 1
  static let inside: UInt64 = 900
  static func process(_ path: String, _ arguments: String..., in cgroup: UInt64 = inside) -> TestProcess {
    var process = TestProcess(501, path, arguments: arguments)
    process.cgroupID = cgroup
    process.parentID = 500
    process.parentStartNanoseconds = 500_000_000_000
    return process
  }
  private static func shell(_ path: String, terminal: UInt32 = 34816, in cgroup: UInt64 = inside) -> TestProcess {
    var shell = process(path, "-c", "id", in: cgroup)
    shell.terminal = terminal
    return shell
  }
  private static var renamed: TestProcess {
    var renamed = shell("/bin/bash")
    renamed.comm = "worker"
    return renamed
  }
  private static func busybox(_ arguments: String...) -> TestProcess {
    var busybox = shell("/bin/busybox")
    busybox.arguments = ["busybox"] + arguments
    return busybox
  }
  private static var planted: TestProcess {
    var planted = process("/usr/bin/su")
    planted.exeFlags = UInt32(MARTLET_FILE_UPPER_LAYER)
    return planted
  }
  private static var first: TestProcess {
    var first = process("/app")
    first.namespaceID = 1
    return first
  }

  static let cases = callCases + modelCases
  private static let callCases: [Case] = [
    Case("a shell with a terminal", "Shell in container", by: shell("/bin/bash")) { Event.exec($0) },
    Case("a shell of busybox", "Shell in container", by: shell("/bin/ash")) { Event.exec($0) },
    Case("a shell under another name", "Shell in container", by: renamed) { Event.exec($0) },
    Case("busybox told to be a shell", "Shell in container", by: busybox("sh", "-i")) { Event.exec($0) },
    Case("busybox as something else", nil, by: busybox("shred")) { Event.exec($0) },
    Case("a shell without a terminal", nil, by: shell("/bin/bash", terminal: 0)) { Event.exec($0) },
    Case("a shell on the host", nil, by: shell("/bin/bash", in: host)) { Event.exec($0) },
    Case("another program with a terminal", nil, by: shell("/usr/bin/top")) { Event.exec($0) },

    Case("shadow", "Password file read in container", by: process("/bin/cat")) { Event.open("/etc/shadow", by: $0) },
    Case("shadow under another name", "Password file read in container", by: process("/bin/cat")) {
      Event.open("/tmp/x", resolved: "/etc/shadow", by: $0)
    },
    Case("a rule for sudo", "Password file read in container", by: process("/bin/cat")) {
      Event.open("/etc/sudoers.d/local", by: $0)
    },
    Case("shadow, read and written", "Password file read in container", by: process("/bin/ed")) {
      Event.open("/etc/shadow", by: $0, flags: O_RDWR)
    },
    Case("shadow, written only", nil, by: process("/bin/tee")) { Event.open("/etc/shadow", by: $0, flags: O_WRONLY) },
    Case("shadow that could not be opened", nil, by: process("/bin/cat")) {
      Event.open("/etc/shadow", by: $0, result: -13)
    },
    Case("shadow by a program that checks passwords", nil, by: process("/usr/sbin/unix_chkpwd")) {
      Event.open("/etc/shadow", by: $0)
    },
    Case("the node's shadow, mounted", "Password file read in container", by: process("/bin/cat")) {
      Event.open("/host/etc/shadow", by: $0)
    },
    Case("shadow by a program put at such a path", "Password file read in container", by: planted) {
      Event.open("/etc/shadow", by: $0)
    },
    Case("shadow by one that only has such a name", "Password file read in container", by: process("/tmp/unix_chkpwd"))
    {
      Event.open("/etc/shadow", by: $0)
    },
    Case("shadow on the host", nil, by: process("/bin/cat", in: host)) { Event.open("/etc/shadow", by: $0) },
    Case("passwd", nil, by: process("/bin/cat")) { Event.open("/etc/passwd", by: $0) },

    Case("an AWS credential", "Cloud or SSH credential read in container", by: process("/usr/bin/python3")) {
      Event.open("/root/.aws/credentials", by: $0)
    },
    Case("a registry token", "Cloud or SSH credential read in container", by: process("/bin/cat")) {
      Event.open("/home/u/.docker/config.json", by: $0)
    },
    Case("a private key", "Cloud or SSH credential read in container", by: process("/bin/cat")) {
      Event.open("/root/.ssh/id_ed25519", by: $0)
    },
    Case("a public key", nil, by: process("/bin/cat")) { Event.open("/root/.ssh/id_ed25519.pub", by: $0) },
    Case("another file of the AWS tools", nil, by: process("/bin/cat")) { Event.open("/root/.aws/config", by: $0) },

    Case("a token through its links", "Service account token read in container", by: process("/bin/cat")) {
      Event.open(
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        resolved: "/run/secrets/kubernetes.io/serviceaccount/..2026_01_01/token", by: $0)
    },
    Case("a token by the container's first process", nil, by: first) {
      Event.open("/run/secrets/kubernetes.io/serviceaccount/token", by: $0)
    },
    Case("a token for a cloud", "Service account token read in container", by: process("/bin/cat")) {
      Event.open("/var/run/secrets/azure/tokens/azure-identity-token", by: $0)
    },
    Case("the certificate beside the token", nil, by: process("/bin/cat")) {
      Event.open("/run/secrets/kubernetes.io/serviceaccount/ca.crt", by: $0)
    },

    Case("an address elsewhere", "Unknown egress from container", by: process("/usr/bin/curl")) {
      Event.connect(to: "203.0.113.7", port: 443, by: $0)
    },
    Case("an IPv6 address elsewhere", "Unknown egress from container", by: process("/usr/bin/curl")) {
      Event.connect(to: "2001:db8::1", port: 443, by: $0)
    },
    Case("an address elsewhere in an IPv6 socket", "Unknown egress from container", by: process("/usr/bin/curl")) {
      Event.connect(to: "::ffff:203.0.113.7", port: 443, by: $0)
    },
    Case("a resolver elsewhere", "Unknown egress from container", by: process("/usr/bin/dig")) {
      Event.connect(to: "203.0.113.53", port: 53, by: $0, transport: Int(IPPROTO_UDP), result: 0)
    },
    Case("the address that hands out cloud credentials", "Unknown egress from container", by: process("/usr/bin/curl"))
    {
      Event.connect(to: "169.254.169.254", port: 80, by: $0)
    },
    Case("a resolver trying addresses", nil, by: process("/usr/bin/curl")) {
      Event.connect(to: "203.0.113.7", port: 443, by: $0, transport: Int(IPPROTO_UDP), result: 0)
    },
    Case(
      "the address that hands out a pod's credentials", "Unknown egress from container", by: process("/usr/bin/curl")
    ) {
      Event.connect(to: "fd00:ec2::23", port: 80, by: $0)
    },
    Case("the network's own names", nil, by: process("/usr/sbin/avahi-daemon")) {
      Event.connect(to: "224.0.0.251", port: 5353, by: $0, transport: Int(IPPROTO_UDP), result: 0)
    },
    Case("a neighbour", nil, by: process("/usr/bin/curl")) { Event.connect(to: "10.1.2.3", port: 443, by: $0) },
    Case("the node's own resolver", nil, by: process("/usr/bin/curl")) {
      Event.connect(to: "169.254.20.10", port: 53, by: $0)
    },
    Case("the container itself", nil, by: process("/usr/bin/curl")) { Event.connect(to: "::1", port: 8080, by: $0) },
    Case("an address elsewhere, from the host", nil, by: process("/usr/bin/curl", in: host)) {
      Event.connect(to: "203.0.113.7", port: 443, by: $0)
    },

    Case("a model", "Model opened in container", by: process("/usr/bin/python3")) {
      Event.open("/models/x.safetensors", by: $0)
    },
    Case("a model behind a link without ending", "Model opened in container", by: process("/app")) {
      Event.open("/models/current", resolved: "/models/7b.gguf", by: $0)
    },
    Case("a model that is being written", nil, by: process("/usr/bin/wget")) {
      Event.open("/models/x.safetensors", by: $0, flags: O_WRONLY | O_CREAT)
    },
    Case("what Python opens when it starts", nil, by: process("/usr/bin/python3")) {
      Event.open("/usr/lib/python3/dist-packages/distutils-precedence.pth", by: $0)
    },
    Case("the folder of models", nil, by: process("/bin/ls")) {
      Event.open("/models.pt", by: $0, mode: S_IFDIR | 0o755)
    },
    Case("a text beside the model", nil, by: process("/bin/cat")) { Event.open("/models/README.md", by: $0) },
  ]
}
