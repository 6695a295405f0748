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
    encode(filter.opens)
  }

  private func encode(_ filter: OpenFilter) {
    withUnsafeMutableBytes(of: &pointee.verdicts) { bytes in
      for (kind, verdict) in filter.verdicts.enumerated() { bytes[kind] = verdict.rawValue }
    }
    for (test, classes) in filter.names {
      switch test {
      case .suffix(let suffix): pointee.suffix_lengths |= 1 << UInt32(suffix.count)
      case .dots: pointee.dots = classes
      case .component: break
      }
    }
    withUnsafeMutableBytes(of: &pointee.names) { bytes in
      let places = bytes.assumingMemoryBound(to: UInt32.self)
      for (test, classes) in filter.names {
        if let place = test.place { places[place] |= classes }
      }
    }
  }
}

extension NameTest {
  /// Where the probe looks for it; nil for what has no place in the table.
  fileprivate var place: Int? {
    switch self {
    case .component(let name): Int(martlet_component_place(Self.word(name.prefix(8)), UInt32(name.count)))
    case .dots: nil
    case .suffix(let suffix): Int(martlet_suffix_place(Self.word(suffix), UInt32(suffix.count)))
    }
  }

  /// Up to eight bytes, the first one lowest.
  private static func word(_ bytes: some Collection<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
