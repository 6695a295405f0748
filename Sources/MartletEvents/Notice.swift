// SPDX-License-Identifier: Apache-2.0

import CMartletABI

/// What a notice says, beside the process and the container that it is about. Holds as long as its record does.
public struct Notice {
  public let subject: NoticeSubject
  /// Of how many events; 0 where none are meant.
  public let count: UInt64
  public let hook: HookName?
  /// A few words for people, of bytes that anyone may have chosen.
  public let detail: ByteView
  /// Whether it is about a process.
  public let hasProcess: Bool

  /// Nil for other records, and for subjects that nobody knows here.
  public init?(_ record: EventRecord) {
    guard record.kind == .notice else { return nil }
    let part = record.notice.pointee
    guard let subject = NoticeSubject(rawValue: part.subject) else { return nil }
    self.subject = subject
    count = part.count
    hook = HookName(rawValue: part.hook)
    detail = record.bytes(part.detail)
    hasProcess = part.record.process_id != 0
  }
}

/// What a notice is about: something that the agent found out about itself. Raw values are those of
/// `enum martlet_notice_subject` and never change.
public enum NoticeSubject: UInt32, CaseIterable, Sendable {
  /// Events were seen and could not be delivered.
  case lost = 1
  /// A container caused so many events that some were shed.
  case flood = 2
  /// A hook does not tell what it should.
  case unproven = 3
  /// A process acted on the agent or on its programs.
  case tamper = 4
  /// A process began something that cannot be followed on this kernel.
  case unseen = 5
  /// The filter would have dropped events that rules matched.
  case filter = 6
  /// Other rules were to be taken and could not be.
  case rules = 7
  /// A process sent the agent a signal.
  case signal = 8
}
