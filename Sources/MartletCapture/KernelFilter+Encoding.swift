// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

extension UnsafeMutablePointer<martlet_filter> {
  /// The filter as the probe holds it. The caller deallocates it.
  init(encoding filter: KernelFilter) {
    self = .allocate(capacity: 1)
    UnsafeMutableRawPointer(self).initializeMemory(
      as: UInt8.self, repeating: 0, count: MemoryLayout<martlet_filter>.size)
    withUnsafeMutableBytes(of: &pointee.actors) { bytes in
      for (type, actors) in filter.actors { bytes[Int(type.rawValue)] = actors.rawValue }
    }
    withUnsafeMutableBytes(of: &pointee.unix_actors) { bytes in
      for (type, actors) in filter.unixActors { bytes[Int(type.rawValue)] = actors.rawValue }
    }
    encode(filter.opens)
    encode(filter.connections)
    encodeUsers(filter)
  }

  private func encode(_ filter: OpenFilter) {
    withUnsafeMutableBytes(of: &pointee.verdicts) { bytes in
      for (kind, verdict) in filter.verdicts.enumerated() { bytes[kind] = verdict.rawValue }
    }
    withUnsafeMutableBytes(of: &pointee.early_verdicts) { bytes in
      for kind in OpenClass.allCases {
        let verdict = filter.verdicts[kind.rawValue].rawValue
        bytes[Int(martlet_early_class(UInt32(kind.rawValue)))] |= kind.isContainer ? verdict << 4 : verdict
      }
    }
    for (test, classes) in filter.names {
      switch test {
      case .suffix(let suffix): pointee.suffix_lengths |= 1 << UInt32(suffix.count)
      case .infix(let infix): pointee.infixes |= martlet_infix_bit(martlet_infix_place(NameTest.word(infix)))
      case .dots: pointee.dots = classes
      case .inRoot: pointee.in_root = classes
      case .component, .program, .user: break
      }
      if test.isOfPath { pointee.paths |= classes }
    }
    withUnsafeMutableBytes(of: &pointee.names) { bytes in
      let places = bytes.assumingMemoryBound(to: UInt32.self)
      for (test, classes) in filter.names {
        if let place = test.place { places[place] |= classes }
      }
    }
  }

  private func encode(_ filter: ConnectionFilter) {
    withUnsafeMutableBytes(of: &pointee.connections.v4) { Self.store(filter.v4Ranges, into: $0) }
    withUnsafeMutableBytes(of: &pointee.connections.v6_high) {
      Self.store(filter.v6Ranges.map { UInt64(truncatingIfNeeded: $0 >> 64) }, into: $0)
    }
    withUnsafeMutableBytes(of: &pointee.connections.v6_low) {
      Self.store(filter.v6Ranges.map { UInt64(truncatingIfNeeded: $0) }, into: $0)
    }
    withUnsafeMutableBytes(of: &pointee.connections.ports) { Self.store(filter.portRanges, into: $0) }
    withUnsafeMutableBytes(of: &pointee.connections.passing) { Self.store(filter.passing, of: filter, into: $0) }
    withUnsafeMutableBytes(of: &pointee.connections.passing_for_some) {
      Self.store(filter.passingForSome, of: filter, into: $0)
    }
    withUnsafeMutableBytes(of: &pointee.connections.programs) { bytes in
      for (program, classes) in filter.programs { bytes[NameTest.programPlace(program)] |= classes }
    }
  }

  private func encodeUsers(_ filter: KernelFilter) {
    var opens: [ClosedRange<UInt32>: UInt32] = [:]
    for case (.user(let users), let classes) in filter.opens.names { opens[users] = classes }
    var starts: Set<UInt32> = [0]
    for users in Array(opens.keys) + Array(filter.connections.users.keys) {
      starts.insert(users.lowerBound)
      if users.upperBound < .max { starts.insert(users.upperBound + 1) }
    }
    let ids = starts.sorted()
    precondition(ids.count <= Int(MARTLET_USER_RANGES), "more users than a plan tells apart")
    withUnsafeMutableBytes(of: &pointee.users.ids) { Self.store(ids, into: $0) }
    withUnsafeMutableBytes(of: &pointee.users.opens) { Self.store(opens, of: ids, into: $0) }
    withUnsafeMutableBytes(of: &pointee.users.connections) { Self.store(filter.connections.users, of: ids, into: $0) }
    pointee.by_user = opens.values.reduce(0, |)
    pointee.connections.by_user = UInt64(filter.connections.users.values.reduce(0, |))
  }

  /// Of the ranges that begin with `ids`, those who count.
  private static func store<Classes: FixedWidthInteger>(
    _ users: [ClosedRange<UInt32>: Classes], of ids: [UInt32], into bytes: UnsafeMutableRawBufferPointer
  ) {
    let places = bytes.assumingMemoryBound(to: Classes.self)
    for index in places.indices {
      let id = ids[min(index, ids.count - 1)]
      places[index] = users.reduce(0) { $1.key.contains(id) ? $0 | $1.value : $0 }
    }
  }

  /// Ranges that are not used begin at the highest value. A value that is found there belongs to the last range that is,
  /// whose tables go on to the end.
  private static func store<Value: FixedWidthInteger>(_ values: [Value], into bytes: UnsafeMutableRawBufferPointer) {
    let places = bytes.assumingMemoryBound(to: Value.self)
    for index in places.indices { places[index] = index < values.count ? values[index] : .max }
  }

  private static func store(
    _ tables: [[UInt64]], of filter: ConnectionFilter, into bytes: UnsafeMutableRawBufferPointer
  ) {
    let places = bytes.assumingMemoryBound(to: UInt64.self)
    let half = ConnectionFilter.addressRangesMax
    let lastPort = UInt64(filter.portRanges.count - 1)
    for (kind, table) in tables.enumerated() {
      let ports = table.map { $0 >> lastPort & 1 == 0 ? $0 & ~(.max << lastPort) : $0 | .max << lastPort }
      for index in 0..<half {
        places[kind * 2 * half + index] = ports[min(index, filter.v4Ranges.count - 1)]
        places[(kind * 2 + 1) * half + index] = ports[min(filter.v4Ranges.count + index, ports.count - 1)]
      }
    }
  }
}

extension NameTest {
  /// Where the probe looks for it; nil for what has no place in the table.
  fileprivate var place: Int? {
    switch self {
    case .component(let name): Int(martlet_component_place(Self.word(name.prefix(8)), UInt32(name.count)))
    case .dots, .inRoot, .user: nil
    case .suffix(let suffix): Int(martlet_suffix_place(Self.word(suffix), UInt32(suffix.count)))
    case .infix(let infix): Int(martlet_infix_place(Self.word(infix)))
    case .program(let name): Self.programPlace(name)
    }
  }

  fileprivate static func programPlace(_ name: [UInt8]) -> Int {
    Int(martlet_program_place(word(name.prefix(8)), word(name.dropFirst(8))))
  }

  /// Up to eight bytes, the first one lowest.
  fileprivate static func word(_ bytes: some Collection<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
