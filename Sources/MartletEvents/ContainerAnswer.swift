// SPDX-License-Identifier: Apache-2.0

/// What comes of asking for one container.
public enum ContainerAnswer: StreamReport, Equatable {
  case report(ContainerReport)
  /// Nobody who was asked knows the container with this id. Somebody may, later.
  case unanswered(id: [UInt8])

  /// Hands out the record that says the same; the bytes hold within `body` only.
  public func withRecord<Result>(
    at timeNanoseconds: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    switch self {
    case .report(let report): try report.withRecord(at: timeNanoseconds, body)
    case .unanswered(let id): try InquiryStep.unanswered(id: id).withRecord(at: timeNanoseconds, body)
    }
  }
}
