// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

/// A recording is a file that anybody may have written, and a container can make calls return what it likes.
@Suite("Hostile numbers")
struct HostileNumberTests {
  private static let extremes: [UInt64] = [
    0, 1, .max, UInt64(bitPattern: .min), UInt64(Int64.max), 1 << 31, 1 << 32 - 1,
  ]

  private static let process: TestProcess = {
    var process = TestProcess(100, "/bin/sh", arguments: ["-c", "x"])
    process.cgroupID = 9
    return process
  }()

  private static var records: [TestRecord] {
    let calls = EventType.allCases.filter { $0.isCarried(by: .call) }.map {
      Event.call($0, by: process, result: 3, arguments: [3, 3, 3, 3, 3, 3], names: ["/a", "b"], fd: 3, path: "/c")
    }
    return [
      Event.host("node", realtimeOffset: 1_000_000_000),
      Event.container(cgroup: 9, containerID: containerID, podUID: podUID),
      Event.seed(process), Event.exec(process), Event.exec(process, environment: ["A=b"]),
      Event.fork(process.child(101, "/bin/cat"), by: process), Event.exit(process),
      Event.open("/etc/x", by: process), Event.openModel(TestFile("/models/a.pt"), by: process),
      Event.connect(to: "10.0.0.7", port: 443, by: process), Event.unix(path: "/run/x.sock", by: process),
      Event.change(of: "/a", to: "b", by: process), Event.model(by: process),
      Event.notice(.lost, count: 3, about: process),
      Event.answer("a.example", ["10.0.0.1"], network: 0), Event.resolvers(["10.96.0.10"]), Event.tick(),
    ] + calls
  }

  /// What stands in each field, each parameter and each index that a rule may name.
  private static func read(_ context: inout EventContext) {
    for description in FieldRegistry.descriptions {
      _ = context.listCount(of: description.field)
      for selector in [FieldSelector.whole, .index(0), .index(1), .index(.max), .key("fd"), .key("res")] {
        _ = context.value(of: description.field, at: selector)
      }
    }
  }

  @Test("whatever numbers a record has, every field of it can be asked", arguments: records.indices)
  func fields(index: Int) {
    let count = Self.records[index].bytes.count
    var acceptedCount = 0
    for width in [8, 4] {
      // Behind the length and the kind, over all that has a fixed place and the texts behind it.
      for offset in stride(from: 8, through: count - width, by: width) {
        for extreme in Self.extremes {
          let feed = Feed([Event.host("node"), Event.seed(Self.process)])
          let record = Self.records[index]
          withUnsafeBytes(of: extreme) { bytes in
            UnsafeMutableRawBufferPointer(rebasing: record.bytes[offset..<(offset + width)])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<width]))
          }
          guard record.record != nil else { continue }
          acceptedCount += 1
          if var context = feed.context(record) { Self.read(&context) }
          // And what was kept of it.
          if var context = feed.context(Event.open("/etc/y", by: Self.process)) { Self.read(&context) }
        }
      }
    }
    #expect(acceptedCount > 0)
  }
}
