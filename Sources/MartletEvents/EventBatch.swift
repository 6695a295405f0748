// SPDX-License-Identifier: Apache-2.0

/// A run of records in stream order, lent by the source that read them.
///
/// The batch owns nothing: its bytes lie in a kernel ring or a read buffer and stay valid until the source is
/// asked to release the batch. Each element is one whole record, not yet validated; `EventRecord` does that.
/// The empty batch is a normal answer: time went by and nothing happened.
public struct EventBatch {
  public let records: UnsafeBufferPointer<UnsafeRawBufferPointer>

  public init(records: UnsafeBufferPointer<UnsafeRawBufferPointer>) {
    self.records = records
  }

  public var count: Int { records.count }
  public var isEmpty: Bool { records.isEmpty }
}
