// SPDX-License-Identifier: Apache-2.0

import CMartletABI
public import MartletEvents

/// The bytes of one record, as the kernel side would write them, kept alive and aligned.
public final class TestRecord {
  public let bytes: UnsafeMutableRawBufferPointer

  init(copying content: UnsafeRawBufferPointer) {
    bytes = .allocate(byteCount: max(content.count, 1), alignment: 8)
    bytes.copyMemory(from: content)
  }

  deinit { bytes.deallocate() }

  /// The record as readers see it; nil if it was damaged on purpose.
  public var record: EventRecord? { EventRecord(UnsafeRawBufferPointer(bytes)) }
}

/// Puts a fixed part and texts together.
struct RecordBuilder<Part> {
  var part: Part
  private var texts: [UInt8] = []

  init(_ part: Part) { self.part = part }

  mutating func text(_ text: String) -> martlet_text { self.text(Array(text.utf8)) }

  mutating func text(_ bytes: [UInt8]) -> martlet_text {
    let offset = MemoryLayout<Part>.size + texts.count
    texts += bytes
    // Texts start at multiples of eight, as the kernel side lays them out.
    texts += [UInt8](repeating: 0, count: (8 - texts.count % 8) % 8)
    return martlet_text(offset_bytes: UInt32(offset), length_bytes: UInt32(bytes.count))
  }

  func build() -> TestRecord {
    var part = part
    return withUnsafeMutableBytes(of: &part) { fixed in
      // Every part starts with its record, whose first member is the length of the whole.
      fixed.storeBytes(of: UInt32(fixed.count + texts.count), as: UInt32.self)
      return (Array(fixed) + texts).withUnsafeBytes { TestRecord(copying: $0) }
    }
  }
}

/// Records as a batch, valid inside `body`.
public func withBatch<Result>(_ records: [TestRecord], _ body: (EventBatch) throws -> Result) rethrows -> Result {
  let views = records.map { UnsafeRawBufferPointer($0.bytes) }
  return try withExtendedLifetime(records) {
    try views.withUnsafeBufferPointer { try body(EventBatch(records: $0)) }
  }
}
