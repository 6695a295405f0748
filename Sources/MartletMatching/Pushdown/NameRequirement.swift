// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

/// What the names of an open must have in them, or who must act, for a condition to hold.
enum NameRequirement: Hashable {
  /// The condition cannot hold.
  case impossible
  /// One of these has to be found.
  case anyOf(Set<NameTest>)
  /// Nothing is known.
  case nothing

  /// Both have to be met. Either alone is a sound answer: the one with fewer tests lets fewer names through, and costs
  /// less unless they look inside of components.
  func and(_ other: NameRequirement) -> NameRequirement {
    switch (self, other) {
    case (.impossible, _), (_, .impossible): .impossible
    case (.nothing, let known), (let known, .nothing): known
    case (.anyOf(let mine), .anyOf(let others)): .anyOf(Self.cost(mine) <= Self.cost(others) ? mine : others)
    }
  }

  private static func cost(_ tests: Set<NameTest>) -> Int {
    tests.reduce(0) { sum, test in
      switch test {
      case .infix: sum + 4
      // One user often does all that is done, so names are asked for where there are any.
      case .user: sum + 4 * KernelFilterPlanner.nameTestCountMax
      case .component, .suffix, .dots, .inRoot, .program: sum + 1
      }
    }
  }

  /// One of them has to be met.
  func or(_ other: NameRequirement) -> NameRequirement {
    switch (self, other) {
    case (.nothing, _), (_, .nothing): .nothing
    case (.impossible, let known), (let known, .impossible): known
    case (.anyOf(let mine), .anyOf(let others)): .anyOf(mine.union(others))
    }
  }
}

extension NameRequirement {
  /// What a comparison of a path's directory asks of the path. The directory's last component is not the path's.
  init(directory comparison: Comparison) {
    if case .equal(.text([Self.slash])) = comparison {
      self = .anyOf([.inRoot])
      return
    }
    let requirement = NameRequirement(path: comparison)
    if case .anyOf(let tests) = requirement, tests.contains(where: \.isSuffix) {
      self = .nothing
    } else {
      self = requirement
    }
  }

  /// What a comparison of a path asks of it.
  init(path comparison: Comparison) {
    switch comparison {
    case .equal(.text(let path)): self.init(Self.whole(path))
    case .isIn(let constants), .intersects(let constants):
      self = constants.reduce(.impossible) { result, constant in
        guard case .text(let path) = constant else { return .nothing }
        return result.or(NameRequirement(Self.whole(path)))
      }
    case .startsWith(let prefix): self.init(Self.inside(prefix, startsWhole: true))
    case .endsWith(let suffix): self.init(Self.end(suffix))
    case .contains(let part): self.init(Self.inside(part, startsWhole: false) ?? Self.infix(part))
    case .glob(let pattern): self.init(Self.glob(pattern))
    case .pathMatch(let prefixes):
      self = prefixes.reduce(.impossible) { $0.or(NameRequirement(Self.below($1))) }
    case .quantified(.anyOf, let comparisons), .quantified(.oneOf, let comparisons):
      self = comparisons.reduce(.impossible) { $0.or(NameRequirement(path: $1)) }
    default: self = .nothing
    }
  }

  /// What a comparison of the last component asks.
  init(filename comparison: Comparison) {
    switch comparison {
    case .equal(.text(let name)): self.init(Self.whole(name))
    case .isIn(let constants), .intersects(let constants):
      self = constants.reduce(.impossible) { result, constant in
        guard case .text(let name) = constant else { return .nothing }
        return result.or(NameRequirement(Self.whole(name)))
      }
    case .endsWith(let suffix): self.init(Self.end(suffix))
    case .contains(let part): self.init(Self.infix(part))
    default: self = .nothing
    }
  }

  /// What a comparison of the program's name asks.
  init(program comparison: Comparison) {
    self.init(Self.programs(of: comparison)?.map { .program($0) })
  }

  /// What a comparison of the acting user's id asks or, with `isNegated`, its opposite.
  init(user comparison: Comparison, isNegated: Bool) {
    guard let bounds = UserBounds([comparison]) else {
      self = .nothing
      return
    }
    let wanted = bounds.ranges.filter {
      ReferenceComparison.holds(.unsigned(UInt64($0.lowerBound)), comparison) != isNegated
    }
    self = wanted.count == bounds.ranges.count ? .nothing : NameRequirement(wanted.map { .user($0) })
  }

  /// The names that it takes, if it takes no others. Longer ones than the kernel keeps are never met.
  static func programs(of comparison: Comparison) -> [[UInt8]]? {
    let constants: [Constant]
    switch comparison {
    case .equal(let constant): constants = [constant]
    case .isIn(let several), .intersects(let several): constants = several
    default: return nil
    }
    return constants.compactMap { if case .text(let name) = $0 { name } else { nil } }
      .filter { $0.count <= NameTest.programBytesMax && !$0.contains(0) }
  }

  private init(_ tests: [NameTest]?) {
    self = tests.map { $0.isEmpty ? .impossible : .anyOf(Set($0)) } ?? .nothing
  }

  private init(_ test: NameTest?) { self = test.map { .anyOf([$0]) } ?? .nothing }

  private static let slash = UInt8(ascii: "/")

  /// The last component of a whole path.
  private static func whole(_ path: [UInt8]) -> NameTest? {
    path.split(separator: slash).last.map { .component(Array($0)) }
  }

  /// The last component that stands between two slashes, or between the beginning and a slash.
  private static func inside(_ part: [UInt8], startsWhole: Bool) -> NameTest? {
    guard let last = part.lastIndex(of: slash) else { return nil }
    let components = part[..<last].split(separator: slash, omittingEmptySubsequences: false)
    let complete = components.dropFirst(startsWhole ? 0 : 1)
    if let component = complete.last(where: { !$0.isEmpty }) { return .component(Array(component)) }
    return components.first?.suffix(2).elementsEqual("..".utf8) == true ? .dots : nil
  }

  /// The first bytes of what stands within one component.
  private static func infix(_ part: [UInt8]) -> NameTest? {
    part.split(separator: slash).first { $0.count >= NameTest.infixBytes }.map {
      .infix(Array($0.prefix(NameTest.infixBytes)))
    }
  }

  /// A suffix with a slash in it ends with a whole component; one without is the end of the last one.
  private static func end(_ suffix: [UInt8]) -> NameTest? {
    guard let last = suffix.lastIndex(of: slash) else {
      return suffix.isEmpty ? nil : .suffix(suffix.suffix(NameTest.suffixBytesMax))
    }
    let name = suffix[(last + 1)...]
    // A name that ends with a slash is a raw one, or the root itself.
    return name.isEmpty ? nil : .component(Array(name))
  }

  /// The path itself or what lies below it; components may be globs.
  private static func below(_ prefix: [UInt8]) -> NameTest? {
    prefix.split(separator: slash).last { !$0.contains(where: isSpecial) }.map { .component(Array($0)) }
  }

  /// A component that the pattern spells out, slashes and all; `*` takes any number of components.
  private static func glob(_ pattern: [UInt8]) -> NameTest? {
    let pieces = pattern.split(separator: slash, omittingEmptySubsequences: false)
    guard !pattern.contains(UInt8(ascii: "[")), !pattern.contains(UInt8(ascii: "\\")), pieces.count > 1 else {
      return nil
    }
    // What stands before the first slash may be the end of a component, but for an absolute pattern, where it is empty.
    if let component = pieces.dropFirst().last(where: { !$0.isEmpty && !$0.contains(where: isSpecial) }) {
      return .component(Array(component))
    }
    return pieces.dropLast().contains { $0.suffix(2).elementsEqual("..".utf8) } ? .dots : nil
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "\\")
  }
}

extension NameTest {
  fileprivate var isSuffix: Bool { if case .suffix = self { true } else { false } }
  var isOfUser: Bool { if case .user = self { true } else { false } }
}
