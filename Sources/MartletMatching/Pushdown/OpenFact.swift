// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// What the kernel can tell of a field of an open.
enum OpenFact {
  /// The class of an open says which values it may have.
  case classes((OpenClass) -> PossibleValues)
  /// It speaks of a name.
  case name(NamePart)
  /// It is the id of the acting user.
  case user
  case unknown

  enum NamePart {
    case path, directory, filename, program

    func requirement(_ comparison: Comparison) -> NameRequirement {
      switch self {
      case .path: NameRequirement(path: comparison)
      case .directory: NameRequirement(directory: comparison)
      case .filename: NameRequirement(filename: comparison)
      case .program: NameRequirement(program: comparison)
      }
    }
  }

  init(_ reference: FieldReference) {
    switch reference.field {
    case .fdName, .fdNameRaw, .fdRealPath: self = .name(.path)
    case .fdDirectory: self = .name(.directory)
    case .fdFilename: self = .name(.filename)
    // As the record has it: the name of the thread that opens.
    case .processName: self = .name(.program)
    case .userID: self = .user
    case .uncaptured: self = .classes { _ in .missing }
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
