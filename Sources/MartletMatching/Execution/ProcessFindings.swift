// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletEvents
import MartletState

/// What was found of each process: its facets that do not change from one of its events to the next.
struct ProcessFindings: ~Copyable {
  private struct Header: BitwiseCopyable {
    var generation: UInt32
    var version: UInt32
    var era: UInt32
    /// Whether `lineageDigest` is that of the ancestors as they were when their facets were found.
    var hasDigest: Bool
    var lineageEpoch: UInt64
    var lineageDigest: UInt64
  }

  private let columnCount: Int
  /// For each facet its column; those about ancestors come last.
  private let columns: UnsafeMutableBufferPointer<Int32>
  private let firstLineageColumn: Int
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0

  private var stride: Int {
    MemoryLayout<Header>.stride + (columnCount + columnCount % 2) * MemoryLayout<UInt32>.stride
  }

  init(_ facets: UnsafeBufferPointer<Facet>) {
    columns = .allocate(capacity: facets.count)
    columns.initialize(repeating: -1)
    var count: Int32 = 0
    for scope in [FieldScope.process, .lineage] {
      for (index, facet) in facets.enumerated() where facet.scope == scope {
        columns[index] = count
        count += 1
      }
    }
    columnCount = Int(count)
    firstLineageColumn = facets.count { $0.scope == .process }
  }

  deinit {
    free(memory)
    columns.deallocate()
  }

  /// Where the finding of a process's facet stands: its number plus one, or 0 where it has to be found yet. Holds until
  /// the next event.
  mutating func place(
    of facet: Int, _ process: ActingProcess, _ context: inout EventContext, era: UInt32
  ) -> UnsafeMutablePointer<UInt32> {
    if process.place >= capacity { grow(beyond: process.place) }
    guard let memory else { preconditionFailure("there is no memory for a process's findings") }
    let header = (memory + process.place * stride).assumingMemoryBound(to: Header.self)
    let found = UnsafeMutableRawPointer(header + 1).assumingMemoryBound(to: UInt32.self)
    if header.pointee.generation != process.generation || header.pointee.version != process.version
      || header.pointee.era != era
    {
      header.pointee = Header(
        generation: process.generation, version: process.version, era: era, hasDigest: false,
        lineageEpoch: process.lineageEpoch, lineageDigest: 0)
      found.update(repeating: 0, count: columnCount)
    }
    let column = Int(columns[facet])
    if column >= firstLineageColumn, header.pointee.lineageEpoch != process.lineageEpoch {
      let digest = context.lineageDigest()
      if !header.pointee.hasDigest || header.pointee.lineageDigest != digest {
        (found + firstLineageColumn).update(repeating: 0, count: columnCount - firstLineageColumn)
      }
      header.pointee.hasDigest = true
      header.pointee.lineageDigest = digest
      header.pointee.lineageEpoch = process.lineageEpoch
    }
    return found + column
  }

  /// Untouched pages cost nothing, so it doubles.
  private mutating func grow(beyond place: Int) {
    var larger = max(capacity, 1024)
    while larger <= place { larger *= 2 }
    guard let memory = calloc(larger, stride) else { preconditionFailure("there is no memory for processes' findings") }
    if let old = self.memory { memcpy(memory, old, capacity * stride) }
    free(self.memory)
    self.memory = memory
    capacity = larger
  }
}
