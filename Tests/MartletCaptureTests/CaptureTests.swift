// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import Testing

@testable import MartletCapture

@Suite("Capture")
struct CaptureTests {
  @Test("the v1 hierarchy in use is found, if there is one")
  func layout() {
    #expect(CgroupLayout(processCgroups: "0::/system.slice\n") == .v2Only)
    #expect(CgroupLayout(processCgroups: "4:memory:/a\n1:cpu,cpuacct:/\n0::/\n") == .v1Memory)
    #expect(CgroupLayout(processCgroups: "8:pids:/\n1:cpu,cpuacct:/\n0::/\n") == .v1Pids)
    #expect(CgroupLayout(processCgroups: "2:cpuacct,cpu:/\n1:name=systemd:/\n") == .v1CPU)
  }

  @Test("each thing that is missing is named, with a remedy")
  func requirements() {
    let root = "Name:\tx\nCapEff:\t000001ffffffffff\n"
    let some = "CapEff:\t0000004000000000\n"
    let first = "pid:[4026531836]"
    func missing(
      _ release: String, _ status: String, hasTypes: Bool = true, _ namespace: String,
      user: String = "user:[4026531837]"
    ) -> [CaptureRequirement] {
      CaptureRequirements.missing(
        release: release, status: status, hasTypeInformation: hasTypes, pidNamespace: namespace, userNamespace: user)
    }
    #expect(missing("6.18.4-x\n", root, first) == [])
    #expect(
      missing("6.1.0\n", some, hasTypes: false, first) == [
        .typeInformation(path: "/sys/kernel/btf/vmlinux"), .capability("CAP_BPF"),
      ])
    #expect(
      missing("5.4.0-42-generic\n", root, first).first?.description.contains("5.4.0-42-generic is too old") == true)
    #expect(missing("", "", first).count == 2)
    #expect(missing("6.1.0", root, "pid:[4026532000]") == [.firstPidNamespace])
    #expect(missing("6.1.0", root, "") == [.firstPidNamespace])
    #expect(missing("6.1.0", root, first, user: "user:[4026532001]") == [.firstUserNamespace])
    #expect(missing("6.1.0", root, first, user: "") == [])
    #expect(CaptureRequirement.firstPidNamespace.remedy.contains("--pid=host"))
  }

  struct RingSize: Sendable {
    let configured: UInt32
    let cpus: Int
    let used: UInt32
    /// Of all rings; nil for the default.
    var budget: UInt64?
  }
  private static let (kib, mib): (UInt32, UInt32) = (1 << 10, 1 << 20)
  static let ringSizes: [RingSize] = [
    RingSize(configured: 4 * mib, cpus: 2, used: 4 * mib),
    RingSize(configured: 4 * mib, cpus: 32, used: 4 * mib),
    RingSize(configured: 4 * mib, cpus: 33, used: 2 * mib),
    RingSize(configured: 4 * mib, cpus: 512, used: 256 * kib),
    RingSize(configured: 4 * mib, cpus: 100_000, used: 256 * kib),
    RingSize(configured: 256 * kib, cpus: 512, used: 256 * kib),
    RingSize(configured: 256 * mib, cpus: 1, used: 128 * mib),
    RingSize(configured: 4 * mib, cpus: 0, used: 4 * mib),
    // A budget of its own: the largest power of two within each one's share.
    RingSize(configured: 4 * mib, cpus: 2, used: 32 * mib, budget: 64 << 20),
    RingSize(configured: 4 * mib, cpus: 3, used: 16 * mib, budget: 64 << 20),
    RingSize(configured: 4 * mib, cpus: 8, used: 256 * kib, budget: 1 << 20),
    RingSize(configured: 4 * mib, cpus: 1, used: 256 * mib, budget: 1 << 40),
    // No size for a ring: left as it is, to be refused.
    RingSize(configured: 0, cpus: 2, used: 0),
    RingSize(configured: 100_000, cpus: 512, used: 100_000),
    RingSize(configured: 1024 * mib, cpus: 2, used: 1024 * mib),
    RingSize(configured: 3 * mib, cpus: 512, used: 3 * mib),
  ]

  @Test("all rings together take no more than their bound", arguments: ringSizes)
  func ringBound(_ size: RingSize) {
    var configuration = CaptureConfiguration()
    configuration.ringBytes = size.configured
    if let budget = size.budget { configuration.setRingBudget(budget) }
    #expect(configuration.ringBytes(forCPUs: size.cpus) == size.used)
  }

  @Test("many records a millisecond make it nap, few make it ask again")
  func pacer() {
    var pacer = Pacer()
    pacer.note(1, at: 10_000_000)
    #expect(!pacer.isBusy)
    pacer.note(1000, at: 15_000_000)
    #expect(pacer.isBusy)
    pacer.note(3, at: 20_000_000)
    #expect(!pacer.isBusy)
  }

  @Test("a seed that cannot be read is no end of it")
  func seedFailure() {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
    defer { buffer.deallocate() }
    #expect(IteratorSeed(file: open("/", O_RDONLY)).read(into: buffer) == nil)
    #expect(IteratorSeed(file: open("/dev/null", O_RDONLY)).read(into: buffer) == 0)
  }

  @Test("arguments are those of the process that was told, not of a later one with its number")
  func seedArguments() throws {
    var record = martlet_record()
    record.process_id = UInt32(getpid())
    record.thread_id = record.process_id
    record.process_start_ns = try #require(ProcfsStat(getpid())).startNanoseconds + ProcfsStat.nanosecondsPerTick / 2
    #expect(!arguments(of: record).isEmpty)
    record.process_start_ns += 2 * ProcfsStat.nanosecondsPerTick
    #expect(arguments(of: record).isEmpty)
  }

  private func arguments(of record: martlet_record) -> ArraySlice<UInt8> {
    IteratorSeed.start("cmdline", of: record, limit: Int(MARTLET_ARGUMENTS_BYTES_MAX)).text
  }

  @Test("base64 of every length is decoded")
  func base64() {
    let cases: [(StaticString, String)] = [("", ""), ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("+/+/", "")]
    for (text, expected) in cases.dropLast() { #expect(decodeBase64(text) == Array(expected.utf8)) }
    #expect(decodeBase64(cases[4].0) == [0xfb, 0xff, 0xbf])
  }

  @Test(
    "the embedded probes are ELF objects, and that of the maps is small",
    arguments: [ProbeObject.typedLoads, .helperLoads])
  func objects(object: ProbeObject) {
    let files = object.files
    for file in files { #expect(file.starts(with: [0x7f, 0x45, 0x4c, 0x46])) }
    #expect(files[0].count < files[1].count / 4)
  }
}
