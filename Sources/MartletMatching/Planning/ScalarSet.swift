// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// A fixed set of numbers, addresses and networks. Trivial: its memory is the plan's.
///
/// A value is found by halves among ranges that do not touch, so that a list of all networks of a cloud costs little more
/// than one of ten.
struct ScalarSet {
  private let signed: RangeSet<Int64>
  private let unsigned: RangeSet<UInt64>
  private let v4: RangeSet<UInt128>
  private let v6: RangeSet<UInt128>
  /// Booleans and doubles, compared in turn.
  private let others: UnsafeBufferPointer<PlannedConstant>

  /// Nil where some constant is a text.
  init?(_ constants: [PlannedConstant], in arena: PlanArena) {
    var signed: [ClosedRange<Int64>] = []
    var unsigned: [ClosedRange<UInt64>] = []
    var addresses: [IPAddress.Family: [ClosedRange<UInt128>]] = [:]
    var others: [PlannedConstant] = []
    for constant in constants {
      switch constant {
      case .text: return nil
      case .signed(let number): signed.append(number...number)
      case .unsigned(let number): unsigned.append(number...number)
      case .address(let address): addresses[address.family, default: []].append(address.bits...address.bits)
      case .network(let network): addresses[network.address.family, default: []].append(network.bits)
      case .boolean, .double: others.append(constant)
      }
    }
    self.signed = RangeSet(signed, in: arena)
    self.unsigned = RangeSet(unsigned, in: arena)
    v4 = RangeSet(addresses[.v4] ?? [], in: arena)
    v6 = RangeSet(addresses[.v6] ?? [], in: arena)
    self.others = arena.keep(others)
  }

  func contains(_ value: FieldValue) -> Bool {
    switch value {
    case .signed(let number): return signed.contains(number)
    case .unsigned(let number): return unsigned.contains(number)
    case .address(let address): return (address.family == .v4 ? v4 : v6).contains(address.bits)
    default:
      for constant in others where constant.isScalar(value) { return true }
      return false
    }
  }
}

/// Values in ranges that do not overlap, in order.
private struct RangeSet<Value: FixedWidthInteger & BitwiseCopyable> {
  private let lows: UnsafeBufferPointer<Value>
  private let highs: UnsafeBufferPointer<Value>

  init(_ ranges: [ClosedRange<Value>], in arena: PlanArena) {
    var lows: [Value] = []
    var highs: [Value] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = highs.last, range.lowerBound <= last {
        highs[highs.count - 1] = max(last, range.upperBound)
      } else {
        lows.append(range.lowerBound)
        highs.append(range.upperBound)
      }
    }
    self.lows = arena.keep(lows)
    self.highs = arena.keep(highs)
  }

  func contains(_ value: Value) -> Bool {
    // How many ranges begin at the value or below it.
    var low = 0
    var high = lows.count
    while low < high {
      let middle = (low + high) / 2
      if lows[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low > 0 && value <= highs[low - 1]
  }
}

extension IPAddress {
  fileprivate var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }
}

extension IPNetwork {
  /// The first and the last address; host bits count for nothing.
  fileprivate var bits: ClosedRange<UInt128> {
    let hostBitCount = address.bitCount - prefixBitCount
    let hosts = hostBitCount == 128 ? UInt128.max : (1 << UInt128(hostBitCount)) - 1
    return address.bits & ~hosts...address.bits | hosts
  }
}
