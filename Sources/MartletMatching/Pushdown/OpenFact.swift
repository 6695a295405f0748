// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// What the kernel can tell of a field of an open.
enum OpenFact {
  /// The class of an open says which values it may have.
  case classes((OpenClass) -> PossibleValues)
  /// It speaks of the name.
  case name(NamePart)
  case unknown

  enum NamePart {
    case path, directory, filename

    func requirement(_ comparison: Comparison) -> NameRequirement {
      switch self {
      case .path: NameRequirement(path: comparison)
      case .directory: NameRequirement(directory: comparison)
      case .filename: NameRequirement(filename: comparison)
      }
    }
  }

  init(_ reference: FieldReference) {
    switch reference.field {
    case .fdName, .fdNameRaw, .fdRealPath: self = .name(.path)
    case .fdDirectory: self = .name(.directory)
    case .fdFilename: self = .name(.filename)
    case .eventType: self = .classes { _ in .texts(Self.typeNames) }
    case .containerID: self = .classes { $0.isContainer ? .anyText(but: Self.host) : .texts([Self.host]) }
    case .fdNumber: self = .classes { $0.isOpened ? .signed(0...Self.descriptorMax) : .signed(-1...(-1)) }
    case .eventRawResult:
      self = .classes { $0.isOpened ? .signed(0...Self.descriptorMax) : .signed(-Self.errorMax...(-1)) }
    case .eventResult: self = .classes { $0.isOpened ? .texts([Self.success]) : .anyText(but: Self.success) }
    case .fdTypeChar:
      self = .classes { $0.isOpened && $0.isDirectory ? .texts([Array("d".utf8)]) : .texts([Array("f".utf8)]) }
    // creat(2), which upstream leaves out, is one of those that write only.
    case .eventIsOpenRead: self = .classes { Self.flag($0, [0, 2]) }
    case .eventIsOpenWrite: self = .classes { Self.flag($0, [1, 2]) }
    default: self = .unknown
    }
  }

  private static func flag(_ kind: OpenClass, _ accesses: [Int]) -> PossibleValues {
    guard accesses.contains(kind.access) else { return .booleans([false]) }
    return .booleans(kind.access == 1 ? [true, false] : [true])
  }

  private static let host = Array("host".utf8)
  private static let success = Array("SUCCESS".utf8)
  private static let typeNames = EventType.allCases.filter { $0.kind == .open }.map { Array("\($0.name)".utf8) }
  private static let descriptorMax = Int64(Int32.max)
  private static let errorMax: Int64 = 4095
}

/// The values that a field may have on an event of some class. It is there: none of these is ever missing.
enum PossibleValues {
  case texts([[UInt8]])
  case anyText(but: [UInt8])
  case signed(ClosedRange<Int64>)
  case booleans([Bool])

  /// Whether a comparison may come out true or, with `isNegated`, false.
  func canCome(_ comparison: Comparison, isNegated: Bool) -> Bool {
    switch self {
    case .texts(let texts):
      return texts.contains { ReferenceComparison.holds(.text($0), comparison) != isNegated }
    case .booleans(let flags):
      return flags.contains { ReferenceComparison.holds(.boolean($0), comparison) != isNegated }
    case .anyText(let excluded):
      switch comparison {
      case .equal(.text(let text)) where text == excluded: return isNegated
      case .notEqual(.text(let text)) where text == excluded: return !isNegated
      case .isIn(let constants) where constants.allSatisfy({ $0 == .text(excluded) }),
        .intersects(let constants) where constants.allSatisfy({ $0 == .text(excluded) }):
        return isNegated
      case .exists: return !isNegated
      default: return true
      }
    case .signed(let range): return Self.canCome(comparison, in: range, isNegated: isNegated)
    }
  }

  /// A comparison with a constant changes its answer at the constant only: its neighbours and the ends tell all.
  private static func canCome(_ comparison: Comparison, in range: ClosedRange<Int64>, isNegated: Bool) -> Bool {
    var samples = [range.lowerBound, range.upperBound]
    for case .signed(let number) in comparison.constants {
      for near in [number &- 1, number, number &+ 1] where range.contains(near) { samples.append(near) }
    }
    return samples.contains { ReferenceComparison.holds(.signed($0), comparison) != isNegated }
  }
}

extension Comparison {
  /// The constants of a comparison of numbers.
  fileprivate var constants: [Constant] {
    switch self {
    case .equal(let constant), .notEqual(let constant), .less(let constant), .lessOrEqual(let constant),
      .greater(let constant), .greaterOrEqual(let constant):
      [constant]
    case .isIn(let constants), .intersects(let constants): constants
    default: []
    }
  }
}
