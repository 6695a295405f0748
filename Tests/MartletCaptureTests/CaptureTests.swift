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
    #expect(CaptureRequirements.missing(release: "6.18.4-x\n", status: root, hasTypeInformation: true) == [])
    #expect(
      CaptureRequirements.missing(release: "6.1.0\n", status: some, hasTypeInformation: false) == [
        .typeInformation(path: "/sys/kernel/btf/vmlinux"), .capability("CAP_BPF"),
      ])
    let old = CaptureRequirements.missing(release: "5.4.0-42-generic\n", status: root, hasTypeInformation: true)
    #expect(old.map(\.description).first?.contains("5.4.0-42-generic is too old") == true)
    #expect(CaptureRequirements.missing(release: "", status: "", hasTypeInformation: true).count == 2)
  }

  @Test("many records a millisecond make it nap, few make it ask again")
  func pacer() {
    var pacer = Pacer()
    pacer.note(1, at: 10_000_000)
    #expect(!pacer.isBusy)
    pacer.note(1000, at: 12_500_000)
    #expect(pacer.isBusy)
    pacer.note(3, at: 15_000_000)
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
    #expect(!IteratorSeed.arguments(of: record).text.isEmpty)
    record.process_start_ns += 2 * ProcfsStat.nanosecondsPerTick
    #expect(IteratorSeed.arguments(of: record).text.isEmpty)
  }

  @Test("base64 of every length is decoded")
  func base64() {
    let cases: [(StaticString, String)] = [("", ""), ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("+/+/", "")]
    for (text, expected) in cases.dropLast() { #expect(decodeBase64(text) == Array(expected.utf8)) }
    #expect(decodeBase64(cases[4].0) == [0xfb, 0xff, 0xbf])
  }

  @Test("the embedded probe is an ELF object")
  func object() {
    #expect(decodeBase64(probeObjectBase64).starts(with: [0x7f, 0x45, 0x4c, 0x46]))
  }
}
