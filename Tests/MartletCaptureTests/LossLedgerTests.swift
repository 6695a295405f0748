// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import Testing

@testable import MartletCapture

@Suite("Loss ledger")
struct LossLedgerTests {
  private static let second: UInt64 = 1_000_000_000

  private static func key(_ cgroup: UInt64, _ hook: HookName = .open) -> LossLedger.Key {
    LossLedger.Key(cgroupID: cgroup, cgroupV1ID: 7, hook: hook.rawValue)
  }

  @Test("a first loss is told at once, what follows once a minute, and nothing twice")
  func rate() {
    var ledger = LossLedger()
    func told(_ lost: UInt64, _ shed: UInt64, at seconds: UInt64) -> [String] {
      ledger.note(Self.key(1), martlet_loss(lost: lost, shed: shed), at: seconds * Self.second)
      return ledger.takeNotices(at: seconds * Self.second).map { "\($0.subject) \($0.count)" }
    }
    #expect(told(5, 0, at: 1) == ["lost 5"])
    #expect(told(5, 0, at: 2) == [])
    #expect(told(8, 100, at: 3) == ["flood 100"])
    #expect(told(9, 100, at: 60) == [])
    #expect(told(9, 100, at: 61) == ["lost 4"])
    #expect(told(9, 150, at: 62) == [])
    #expect(told(9, 150, at: 63) == ["flood 50"])
    #expect(told(9, 150, at: 500) == [])
  }

  @Test("a notice names container and hook")
  func names() throws {
    var ledger = LossLedger()
    ledger.note(Self.key(4711, .call), martlet_loss(lost: 0, shed: 3), at: Self.second)
    let notice = try #require(ledger.takeNotices(at: Self.second).first)
    #expect(notice.subject == .flood && notice.hook == .call && notice.count == 3)
    #expect(notice.cgroupID == 4711 && notice.cgroupV1ID == 7 && notice.processID == 0)
    #expect(notice.detail == "cgroup id 4711")
  }

  @Test("of many losses a few are told at a time, the largest first, until all are")
  func many() {
    var ledger = LossLedger()
    for cgroup in 1...20 { ledger.note(Self.key(UInt64(cgroup)), martlet_loss(lost: UInt64(cgroup), shed: 0), at: 0) }
    let told = (0..<4).map { tick in ledger.takeNotices(at: UInt64(tick) * Self.second).map(\.count) }
    #expect(told.map(\.count) == [8, 8, 4, 0])
    #expect(told.flatMap { $0 } == (1...20).reversed().map { UInt64($0) })
  }

  @Test("when the table gets full, what has come to rest makes room and still counts")
  func resting() {
    var ledger = LossLedger()
    for cgroup in 1...LossLedger.crowdedCount {
      ledger.note(Self.key(UInt64(cgroup)), martlet_loss(lost: 1, shed: 1), at: 0)
    }
    #expect(ledger.forgetResting(at: 600 * Self.second).isEmpty, "nothing is told yet")
    while !ledger.takeNotices(at: 0).isEmpty {}
    #expect(ledger.forgetResting(at: 59 * Self.second).isEmpty)
    ledger.note(Self.key(1), martlet_loss(lost: 9, shed: 1), at: 59 * Self.second)
    let forgotten = ledger.forgetResting(at: 60 * Self.second)
    #expect(forgotten.count == LossLedger.crowdedCount - 1 && !forgotten.contains(Self.key(1)))
    #expect(ledger.forgetResting(at: 600 * Self.second).isEmpty, "there is room again")
    // Counted from nought by now, and told as what it is.
    ledger.note(Self.key(2), martlet_loss(lost: 4, shed: 0), at: 61 * Self.second)
    let (losses, others) = ledger.largest(1)
    #expect(losses.map(\.total) == [10])
    #expect(others == UInt64(LossLedger.crowdedCount - 1) * 2 + 4)
  }
}
