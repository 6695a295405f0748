// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState

/// What finding which of a facet's atoms hold takes: what was found before, and room to work in.
struct FacetFinder: ~Copyable {
  fileprivate var processes: ProcessFindings
  fileprivate var list = PlaceList()
  /// One for each facet that has texts.
  fileprivate let caches: UnsafeMutableBufferPointer<ValueCache>
  fileprivate let cacheIndices: UnsafeMutableBufferPointer<Int32>

  init(_ plan: MatchPlan) {
    let facets = plan.tables.facets
    processes = ProcessFindings(facets)
    cacheIndices = .allocate(capacity: facets.count)
    caches = .allocate(capacity: facets.count)
    var count = 0
    for (index, facet) in facets.enumerated() {
      let size: (placeCount: Int, byteCountMax: Int)?
      switch facet.kind {
      case .path: size = (4096, 112)
      case .text where facet.field == .processName: size = (1024, 16)
      case .text: size = (facet.scope == .event ? 512 : 256, 112)
      case .ancestors: size = (256, 112)
      case .each: size = nil
      }
      cacheIndices[index] = size == nil ? -1 : Int32(count)
      guard let size else { continue }
      (caches.baseAddress.map { $0 + count })?.initialize(
        to: ValueCache(placeCount: size.placeCount, byteCountMax: size.byteCountMax))
      count += 1
    }
    cacheCount = count
  }

  private let cacheCount: Int

  deinit {
    (caches.baseAddress)?.deinitialize(count: cacheCount)
    caches.deallocate()
    cacheIndices.deallocate()
  }

  /// Forgets all findings. Those of processes are known by their era.
  func removeAll() {
    for index in 0..<cacheCount { caches[index].removeAll() }
  }
}

extension Matcher {
  /// Which of the facet's atoms hold on the event, in the context's view.
  @inline(__always)
  mutating func finding(_ index: Int, _ context: inout EventContext) -> Finding {
    if tables.facets[index].scope != .event, let process = context.actingProcess {
      let place = finder.processes.place(of: index, process, &context, era: search.era)
      if place.pointee != 0 { return Finding(rawValue: place.pointee - 1) }
      let finding = find(index, &context)
      place.pointee = finding.rawValue + 1
      return finding
    }
    return find(index, &context)
  }

  private mutating func find(_ index: Int, _ context: inout EventContext) -> Finding {
    let facet = tables.facets[index]
    switch facet.kind {
    case .text:
      let value = context.value(of: facet.field, at: facet.selector)
      return textFinding(index, value)
    case .path:
      if let traits = context.pathTraits { return pathFinding(index, traits, &context) }
      return givenPathFinding(index, &context)
    case .ancestors: return ancestorsFinding(index, &context)
    case .each: return eachFinding(index, &context)
    }
  }

  private mutating func textFinding(_ index: Int, _ value: FieldValue) -> Finding {
    switch value {
    case .missing: return .none
    case .text(let text):
      let hash = text.quickHash
      let cache = Int(finder.cacheIndices[index])
      if let known = finder.caches[cache].finding(text, hash: hash, traits: 0) { return known }
      finder.list.removeAll()
      tables.indexes[Int(tables.facets[index].firstIndex)].collect(text, into: &finder.list)
      let finding = numbered(index)
      finder.caches[cache].keep(finding, of: text, hash: hash, traits: 0)
      return finding
    default: return .pending
    }
  }

  private mutating func pathFinding(_ index: Int, _ traits: UInt8, _ context: inout EventContext) -> Finding {
    guard case .text(let name) = context.value(of: .fdName) else { return .none }
    let hash = name.quickHash
    let cache = Int(finder.cacheIndices[index])
    if let known = finder.caches[cache].finding(name, hash: hash, traits: traits) { return known }
    _ = collectPath(index, &context)
    let finding = numbered(index)
    finder.caches[cache].keep(finding, of: name, hash: hash, traits: traits)
    return finding
  }

  private mutating func givenPathFinding(_ index: Int, _ context: inout EventContext) -> Finding {
    collectPath(index, &context) ? numbered(index) : .pending
  }

  /// False where one of the three is pending.
  private mutating func collectPath(_ index: Int, _ context: inout EventContext) -> Bool {
    finder.list.removeAll()
    let first = Int(tables.facets[index].firstIndex)
    return collect(context.value(of: .fdName), first) && collect(context.value(of: .fdDirectory), first + 1)
      && collect(context.value(of: .fdFilename), first + 2)
  }

  /// False where the value is pending.
  private mutating func collect(_ value: FieldValue, _ index: Int) -> Bool {
    switch value {
    case .missing: return true
    case .text(let text):
      tables.indexes[index].collect(text, into: &finder.list)
      return true
    default: return false
    }
  }

  private mutating func ancestorsFinding(_ index: Int, _ context: inout EventContext) -> Finding {
    let facet = tables.facets[index]
    finder.list.removeAll()
    var ancestor = 1
    let count = context.ancestorCount(for: facet.field)
    while ancestor <= count {
      guard collect(context.value(of: facet.field, at: .index(ancestor)), Int(facet.firstIndex)) else {
        return .pending
      }
      ancestor += 1
    }
    return numbered(index)
  }

  private mutating func eachFinding(_ index: Int, _ context: inout EventContext) -> Finding {
    finder.list.removeAll()
    for (place, atom) in tables.facets[index].atoms.enumerated() {
      switch truth(of: Int(atom), &context) {
      case .isFalse: continue
      case .isTrue: finder.list.append(UInt32(place))
      case .isUnknown: return .pending
      }
    }
    return numbered(index)
  }

  private mutating func numbered(_ index: Int) -> Finding {
    finder.list.normalise()
    return search.finding(index, finder.list)
  }
}
