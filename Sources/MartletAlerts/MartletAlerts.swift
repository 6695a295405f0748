// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// MartletAlerts turns a match into an alert and delivers it.
///
/// - In: a rule, the context of the event that broke it, and the name under which it did.
/// - Out: one JSON object a line, in the shape that Falco's consumers know, on an output.
/// - The way: `AlertComposer` (what goes into an alert, decided once per rule) → `JSONWriter` (bytes, UTF-8 repaired)
///   → `AlertBuffer` (alerts of a batch) → `Outputs/` (one outside thing each).
/// - What it refuses to know: how a rule matched, where events come from, the time.
public struct AlertBuffer: Sendable {
  /// Whole lines.
  public internal(set) var bytes: [UInt8] = []
  /// Lines in `bytes`.
  public internal(set) var alertCount = 0

  /// Enough to be worth a write: whoever fills the buffer delivers it before going on. One alert more may follow.
  public static let fullByteCount = 256 << 10

  public init() {
    bytes.reserveCapacity(Self.fullByteCount + (64 << 10))
  }

  public var isFull: Bool { bytes.count >= Self.fullByteCount }

  /// A writer in which an alert's object has begun. It holds the only copy of the bytes until `endLine`, so that
  /// appending does not copy them.
  mutating func beginLine() -> JSONWriter {
    var json = JSONWriter(bytes: bytes)
    bytes = []
    json.beginObject()
    return json
  }

  mutating func endLine(_ json: consuming JSONWriter) {
    json.endObject()
    json.bytes.append(UInt8(ascii: "\n"))
    bytes = json.bytes
    alertCount += 1
  }

  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    alertCount = 0
  }
}
