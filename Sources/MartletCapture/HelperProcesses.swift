// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Synchronization

/// Processes that the agent runs for itself. The probe leaves out what the agent does; what these do is left out here.
///
/// Whoever runs one says so before it is asked for anything, on any thread.
public final class HelperProcesses: Sendable {
  /// How many there can be.
  public static let countMax = 2
  private let first = Atomic<UInt32>(0)
  private let second = Atomic<UInt32>(0)

  init() {}

  /// The process in a place, from 0; 0 for none any more.
  public func set(_ place: Int, to process: UInt32) {
    precondition((0..<Self.countMax).contains(place), "a helper has a place")
    if place == 0 { first.store(process, ordering: .releasing) } else { second.store(process, ordering: .releasing) }
  }

  /// Starts and ends are told, so that what is known of processes is whole.
  func made(_ record: UnsafePointer<martlet_record>) -> Bool {
    let process = record.pointee.process_id
    guard process != 0, process == first.load(ordering: .acquiring) || process == second.load(ordering: .acquiring)
    else { return false }
    switch UInt32(record.pointee.kind) {
    case MARTLET_KIND_EXEC.rawValue, MARTLET_KIND_FORK.rawValue, MARTLET_KIND_EXIT.rawValue,
      MARTLET_KIND_CGROUP.rawValue, MARTLET_KIND_TAMPER.rawValue:
      return false
    default: return true
    }
  }
}
