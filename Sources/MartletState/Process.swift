// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// A place in the process table, and which occupant of it is meant.
struct ProcessReference {
  var slot: Int32
  var generation: UInt32

  static let none = ProcessReference(slot: -1, generation: 0)
}

/// What a process may do besides what everybody may: a bit for each capability, by its number.
struct Capabilities: Equatable {
  var effective: UInt64 = 0
  var permitted: UInt64 = 0
  var inheritable: UInt64 = 0
}

/// One process: a trivial value in the process table.
///
/// Identified by its id and its start time together, because ids are used again.
struct Process {
  var processID: UInt32 = 0
  var generation: UInt32 = 0
  /// Counts up whenever something changes that rules may ask about it: see `ActingProcess`.
  var version: UInt32 = 0
  var startNanoseconds: UInt64 = 0
  var isExited = false
  var terminal: UInt32 = 0
  var parentID: UInt32 = 0
  var parentStartNanoseconds: UInt64 = 0
  var parent = ProcessReference.none
  /// Entries that have this one as their parent.
  var childCount: Int32 = 0
  /// How many known ancestors it had when it was linked.
  var depth: UInt32 = 0
  var namespaceProcessID: UInt32 = 0
  var sessionID: UInt32 = 0
  var processGroupID: UInt32 = 0
  var namespaceProcessGroupID: UInt32 = 0
  /// At the last exec.
  var userID: UInt32 = 0
  var groupID: UInt32 = 0
  var loginUserID: UInt32 = .max
  var pidNamespace: UInt32 = 0
  var mountNamespace: UInt32 = 0
  var networkNamespace: UInt32 = 0
  var userNamespace: UInt32 = 0
  var capabilities = Capabilities()
  var cgroupID: UInt64 = 0
  var cgroupV1ID: UInt64 = 0
  var container = ContainerIndex.host
  /// Nil for a process that was first seen in the middle of its life.
  var image: ProcessImage.Reference?
  /// Whether the entry, whoever it stands for, is on the table's list of long images.
  var isListedAsLong = false
  /// The model that it, or one that it comes from, opened last.
  var modelOpen = ModelOpenReference.none
  /// Of the main thread, NUL-padded.
  var comm: (UInt64, UInt64) = (0, 0)

  /// Where `comm` lies, for reading it in place.
  static let commOffset = MemoryLayout<Process>.offset(of: \Process.comm) ?? 0

  /// Neighbours in the hash chain, and in the list of ended processes.
  var nextInBucket: Int32 = -1
  var olderExited: Int32 = -1
  var newerExited: Int32 = -1
}
