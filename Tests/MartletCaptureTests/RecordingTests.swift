// SPDX-License-Identifier: Apache-2.0

import Foundation
import MartletCapture
import MartletEvents
import MartletTesting
import Testing

@Suite("Recordings")
struct RecordingTests {
  /// A recording of these records, as bytes.
  private func record(_ records: [TestRecord], byteCountMax: UInt64 = 1 << 30, isFinished: Bool = true) throws
    -> [UInt8]
  {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("r-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try RecordingWriter(path: path, byteCountMax: byteCountMax)
    try withBatch(records) { try writer.append($0) }
    if isFinished { try writer.finish(lostCount: 7) }
    #expect(writer.byteCount <= byteCountMax)
    return try Array(Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// What comes back, the record that ends it left out, and why no more does.
  private func replay(_ bytes: [UInt8]) -> (records: [[UInt8]], error: RecordingError?, lostCount: UInt64?) {
    var records: [[UInt8]] = []
    return bytes.withUnsafeBytes { buffer in
      do {
        let source = try RecordingSource(bytes: buffer, name: "test")
        do {
          while try source.next({ batch in
            records += batch.records.filter { EventRecord($0)?.kind != .end }.map { Array($0) }
          }) {}
          return (records, nil, source.lostCount)
        } catch {
          return (records, error as? RecordingError, source.lostCount)
        }
      } catch {
        return (records, error as? RecordingError, nil)
      }
    }
  }

  private let stream: [TestRecord] = {
    let cat = TestProcess(7, "/bin/cat", arguments: ["/etc/shadow"])
    return [
      Event.host("node"), Event.cgroup(1, "/"), Event.seed(TestProcess(1, "/sbin/init")), Event.exec(cat),
      Event.open("/etc/shadow", by: cat), Event.connect(to: "::1", port: 1, by: cat), Event.exit(cat), Event.tick(),
    ]
  }()

  @Test("what was recorded comes back as it was")
  func roundTrip() throws {
    let result = replay(try record(stream))
    #expect(result.records == stream.map { Array($0.bytes) })
    #expect(result.error == nil && result.lostCount == 7)
  }

  @Test("more than a buffer's worth comes back too")
  func large() throws {
    let name = "/" + String(repeating: "x", count: 4000)
    let many = (0..<3000).map { _ in Event.open(name, by: TestProcess(7)) }
    let result = replay(try record(many))
    #expect(result.records.count == 3000 && result.error == nil)
    #expect(result.records.allSatisfy { $0 == Array(many[0].bytes) })
  }

  @Test("cut off anywhere, the whole records before the cut come back, and the place is told")
  func truncated() throws {
    let whole = try record(stream)
    let ends = frameEnds(whole)
    for length in 0..<whole.count {
      let result = replay(Array(whole[..<length]))
      let error = try #require(result.error)
      let wholeCount = min(ends.count { $0 <= length }, stream.count)
      #expect(result.records == stream.prefix(wholeCount).map { Array($0.bytes) })
      if length == 0 { #expect(error.code == .empty) }
      if length >= 32 { #expect(error.code == .truncated && error.offset == UInt64(length)) }
    }
  }

  @Test("with any bit flipped, the records before the damage come back, and its frame is told")
  func flipped() throws {
    let whole = try record(stream)
    let ends = frameEnds(whole)
    for place in whole.indices {
      var damaged = whole
      damaged[place] ^= UInt8(1 << (place % 8))
      let result = replay(damaged)
      let error = try #require(result.error, "byte \(place)")
      let before = ends.count { $0 <= place }
      #expect(result.records == stream.prefix(min(before, stream.count)).map { Array($0.bytes) }, "byte \(place)")
      if place >= 32 {
        #expect([.damaged, .truncated].contains(error.code), "byte \(place)")
        // A damaged length may point behind the end; the place is at or behind the frame, never before it.
        #expect(error.offset >= UInt64(before == 0 ? 32 : ends[before - 1]), "byte \(place)")
      }
    }
  }

  @Test("other files are told apart")
  func foreign() throws {
    #expect(replay(Array("{\"evt.type\":\"open\"}".utf8)).error?.code == .foreign)
    #expect(replay([UInt8](repeating: 0, count: 100)).error?.code == .foreign)
    #expect(replay([0x8d, 0x4d]).error?.code == .foreign)
  }

  @Test("a recording stops at its limit and is whole even so")
  func limit() throws {
    let bytes = try record(stream + stream + stream, byteCountMax: 2048)
    let result = replay(bytes)
    #expect(bytes.count <= 2048 && result.error == nil)
    #expect(result.records.count > 3 && result.records.count < stream.count * 3)
  }

  @Test("only its owner may read a recording; one that cannot be written is an error")
  func permissions() throws {
    let folder = FileManager.default.temporaryDirectory
    let path = folder.appendingPathComponent("r-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try RecordingWriter(path: path, byteCountMax: 4096).finish(lostCount: 0)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    // Over a file that everybody may read, and not by a link to it.
    let manager = FileManager.default
    try manager.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try (whole + whole).write(to: URL(fileURLWithPath: path))
    try RecordingWriter(path: path, byteCountMax: 4096).finish(lostCount: 0)
    #expect(try manager.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    let link = path + ".link"
    defer { try? manager.removeItem(atPath: link) }
    try manager.createSymbolicLink(atPath: link, withDestinationPath: path)
    let refusal = #expect(throws: RecordingError.self) { try RecordingWriter(path: link, byteCountMax: 4096) }
    #expect(refusal?.code == .link)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    #expect(throws: RecordingError.self) { try RecordingWriter(path: folder.path, byteCountMax: 4096) }
    try RecordingWriter(path: "/dev/null", byteCountMax: 4096).finish(lostCount: 0)
    #expect(throws: RecordingError.self) { try RecordingWriter(path: "/nonexistent/r", byteCountMax: 4096) }
    #expect(throws: RecordingError.self) {
      try RecordingWriter(path: "/dev/full", byteCountMax: 4096).finish(lostCount: 0)
    }
  }

  /// Where each frame ends, from the lengths in the file.
  private func frameEnds(_ bytes: [UInt8]) -> [Int] {
    var ends: [Int] = []
    var position = 32
    while position + 8 <= bytes.count {
      let length = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt32.self) }
      position += 8 + Int(length)
      ends.append(position)
    }
    return ends
  }
}
