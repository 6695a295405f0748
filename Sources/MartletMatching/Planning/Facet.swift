// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState

/// One thing about an event that many predicates ask for: a field, or what the path of an open comes to. Which of its
/// predicates hold is found at once: see `Finding`. Trivial.
struct Facet {
  enum Kind: UInt8 {
    /// The text of one field.
    case text
    /// `fd.name`, `fd.directory` and `fd.filename`: of an open they are one text. An index for each, in this order.
    case path
    /// The texts of all ancestors.
    case ancestors
    /// Each predicate by itself; no index.
    case each
  }

  let kind: Kind
  /// Of a path that of the name.
  let field: Field
  let selector: FieldSelector
  let scope: FieldScope
  /// The first of its indexes in the plan's.
  let firstIndex: Int32
  /// Its atoms, in the order of their places.
  let atoms: UnsafeBufferPointer<UInt32>
  /// What finding costs, roughly in nanoseconds, where nothing is known from before.
  let cost: UInt32
  /// The same, where the value has been seen not long ago.
  let knownCost: UInt32

  /// Of a hundred events how many have the finding `none`, roughly: most texts are none that a rule asks for, while of a
  /// few values rules ask for most.
  var noneShare: Int { kind == .each || hasFewValues ? 30 : 95 }

  private var hasFewValues: Bool {
    switch field {
    case .fdType, .fdTypeChar, .fdProtocol, .eventResult, .containerID, .containerType: true
    default: false
    }
  }
}

/// Where an atom belongs.
struct AtomPlace {
  /// Index of its facet; negative for none.
  var facet: Int32
  /// Among the facet's atoms.
  var place: UInt32

  static let none = AtomPlace(facet: -1, place: 0)
}

/// Gathers the atoms of a rule set into facets.
struct FacetPlanner {
  private struct Key: Hashable {
    var field: Field
    var argument: FieldArgument
    var multiplicity: FieldMultiplicity
  }

  private var keys: [Key] = []
  private var indices: [Key: Int] = [:]
  private var members: [[UInt32]] = []

  /// A state of the search has a bit for each.
  static let countMax = 64

  /// `field` and `argument` are those of the atom.
  mutating func add(_ atom: UInt32, _ field: Field, _ argument: FieldArgument, _ multiplicity: FieldMultiplicity) {
    guard Self.takes(field, multiplicity) else { return }
    let isPath = field.isPathViewDependent && argument == .none
    let key = Key(field: isPath ? .fdName : field, argument: argument, multiplicity: multiplicity)
    if let index = indices[key] {
      members[index].append(atom)
    } else {
      indices[key] = keys.count
      keys.append(key)
      members.append([atom])
    }
  }

  /// What is not captured is missing, which needs no search; texts that are put together for a question are left to
  /// the few rules that get so far.
  private static func takes(_ field: Field, _ multiplicity: FieldMultiplicity) -> Bool {
    guard multiplicity != .list else { return false }
    switch field {
    case .uncaptured, .eventType, .systemCallType, .eventTypeIs, .eventArgument, .eventRawArgument, .eventArguments,
      .eventInfo, .eventNumber, .eventTime, .eventTimeSeconds, .eventTimeISO, .eventDateTime, .eventDateTimeSeconds,
      .eventAbsolutePath, .processEnvironment, .processExeLine:
      return false
    default: return true
    }
  }

  /// The facets, those with the most atoms if there are too many, and where each atom belongs.
  func facets(
    _ atoms: [Atom], in arena: PlanArena
  ) -> (facets: [Facet], indexes: [TextIndex], places: [AtomPlace]) {
    var indexes: [TextIndex] = []
    var places = [AtomPlace](repeating: .none, count: atoms.count)
    let chosen = keys.indices.sorted { members[$0].count > members[$1].count }.prefix(Self.countMax).sorted()
    let facets = chosen.enumerated().map { index, key in
      for (place, atom) in members[key].enumerated() {
        places[Int(atom)] = AtomPlace(facet: Int32(index), place: UInt32(place))
      }
      return facet(keys[key], members[key], atoms, &indexes, arena)
    }
    return (facets, indexes, places)
  }

  private func facet(
    _ key: Key, _ members: [UInt32], _ atoms: [Atom], _ indexes: inout [TextIndex], _ arena: PlanArena
  ) -> Facet {
    let tests: [(field: Field, test: TextIndex.Other, selector: FieldSelector)] = members.enumerated().compactMap {
      guard case .field(let atom) = atoms[Int($1)] else { return nil }
      return (atom.field, TextIndex.Other(place: UInt32($0), test: atom.test), atom.selector)
    }
    let selector = tests.first?.selector ?? .whole
    let isText = key.field.description.type.isText && !isFormatted(key.field)
    let kind: Facet.Kind
    switch key.multiplicity {
    case .one where isText: kind = key.field.isPathViewDependent ? .path : .text
    case .ancestors where isText: kind = .ancestors
    default: kind = .each
    }
    let firstIndex = Int32(indexes.count)
    let indexed: [Field] =
      kind == .each ? [] : kind == .path ? [.fdName, .fdDirectory, .fdFilename] : [key.field]
    for field in indexed {
      indexes.append(TextIndex(tests.filter { $0.field == field }.map(\.test), in: arena))
    }
    let costs = costs(kind, key.field, members.count)
    return Facet(
      kind: kind, field: key.field, selector: selector, scope: key.field.scope(at: selector), firstIndex: firstIndex,
      atoms: arena.keep(members), cost: costs.new, knownCost: costs.known)
  }

  /// Measured, roughly; only their order matters.
  private func costs(_ kind: Facet.Kind, _ field: Field, _ atomCount: Int) -> (new: UInt32, known: UInt32) {
    switch kind {
    case .path: (120, 30)
    case .text where field == .processName: (60, 12)
    case .text where isLong(field): (200, 60)
    case .text: (60, 25)
    case .ancestors: (250, 250)
    case .each where isFormatted(field): (200, 200)
    case .each: (UInt32(5 + 8 * min(atomCount, 100)), UInt32(5 + 8 * min(atomCount, 100)))
    }
  }

  /// Texts that are put together for whoever asks.
  private func isFormatted(_ field: Field) -> Bool {
    switch field {
    case .threadCapabilitiesEffective, .threadCapabilitiesPermitted, .threadCapabilitiesInheritable: true
    default: false
    }
  }

  private func isLong(_ field: Field) -> Bool {
    switch field {
    case .processCommandLine, .processArguments, .processParentCommandLine, .processAncestorCommandLine,
      .processAncestorArguments:
      true
    default: false
    }
  }
}
