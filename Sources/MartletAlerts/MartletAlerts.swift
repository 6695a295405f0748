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
  /// Whole lines, while none is being appended.
  public var bytes: [UInt8] { json.bytes }
  /// Lines in `bytes`.
  public private(set) var alertCount = 0
  private var json = JSONWriter()

  /// Enough to be worth a write: whoever fills the buffer delivers it before going on. One alert more may follow.
  public static let fullByteCount = 256 << 10

  public init() {
    json.bytes.reserveCapacity(Self.fullByteCount + (64 << 10))
  }

  public var isFull: Bool { json.bytes.count >= Self.fullByteCount }

  /// Appends an alert: an object, whose members `writeMembers` writes.
  mutating func appendLine(_ writeMembers: (inout JSONWriter) -> Void) {
    json.beginObject()
    writeMembers(&json)
    json.endObject()
    json.endLine()
    alertCount += 1
  }

  public mutating func removeAll() {
    json.bytes.removeAll(keepingCapacity: true)
    alertCount = 0
  }
}
