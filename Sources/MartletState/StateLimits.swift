// SPDX-License-Identifier: Apache-2.0

/// How much a `SystemState` may remember. Each limit has a counter in `StateStatistics` for when it bites.
public struct StateLimits: Sendable {
  /// Processes, those that ended and still have living descendants included. At least 16.
  public var processCountMax: Int
  /// Of these, ended ones, kept so that a child's ancestors stay known.
  public var exitedProcessCountMax: Int
  /// Bytes of paths and arguments over all processes. Where there is no room, the oldest long ones lose their arguments.
  public var imageByteCountMax: Int
  /// Cgroups, and containers found in them.
  public var cgroupCountMax: Int
  public var containerCountMax: Int
  /// Containers that a runtime has told about, and bytes of what it said; at least one of the longest records.
  public var containerReportCountMax: Int
  public var containerReportByteCountMax: Int
  /// Containers of which it is known what their users are called, and bytes of that; at least one of the longest records.
  public var accountListCountMax: Int
  public var accountListByteCountMax: Int
  /// Names of addresses, over all network namespaces and in one of them. At least 1.
  public var nameCountMax: Int
  public var nameCountPerNetworkMax: Int
  /// Opens of models, each with its path; at least 1.
  public var modelOpenCountMax: Int

  public init(
    processCountMax: Int = 65_536, exitedProcessCountMax: Int = 16_384, imageByteCountMax: Int = 64 << 20,
    cgroupCountMax: Int = 65_536, containerCountMax: Int = 16_384, containerReportCountMax: Int = 4096,
    containerReportByteCountMax: Int = 16 << 20, accountListCountMax: Int = 4096,
    accountListByteCountMax: Int = 8 << 20, nameCountMax: Int = 8192, nameCountPerNetworkMax: Int = 1024,
    modelOpenCountMax: Int = 1024
  ) {
    self.processCountMax = processCountMax
    self.exitedProcessCountMax = exitedProcessCountMax
    self.imageByteCountMax = imageByteCountMax
    self.cgroupCountMax = cgroupCountMax
    self.containerCountMax = containerCountMax
    self.containerReportCountMax = containerReportCountMax
    self.containerReportByteCountMax = containerReportByteCountMax
    self.accountListCountMax = accountListCountMax
    self.accountListByteCountMax = accountListByteCountMax
    self.nameCountMax = nameCountMax
    self.nameCountPerNetworkMax = nameCountPerNetworkMax
    self.modelOpenCountMax = modelOpenCountMax
  }
}

/// What a `SystemState` holds and where a limit bit.
public struct StateStatistics: Equatable, Sendable {
  public var processCount = 0
  public var exitedProcessCount = 0
  public var cgroupCount = 0
  public var containerCount = 0
  public var imageByteCount = 0
  /// Containers of which it is known what their runtime says.
  public var containerReportCount = 0
  public var containerReportByteCount = 0
  /// Events of processes that no record had told about: their start was lost.
  public var unknownProcessCount: UInt64 = 0
  /// Ended ancestors that were forgotten early: their descendants' lineage is cut there.
  public var evictedProcessCount: UInt64 = 0
  /// Processes with more ancestors than rules see (`SystemState.lineageDepthMax`).
  public var cutLineageCount: UInt64 = 0
  /// Processes that found no room; their events are judged by what the record itself says.
  public var refusedProcessCount: UInt64 = 0
  /// Images kept without arguments and working directory, for want of room.
  public var shortenedImageCount: UInt64 = 0
  public var evictedCgroupCount: UInt64 = 0
  /// Containers that found no room: their processes show the container id `unknown`.
  public var refusedContainerCount: UInt64 = 0
  /// Containers that had no process for a few seconds.
  public var forgottenContainerCount: UInt64 = 0
  /// Containers whose runtime's words made room for those about others.
  public var evictedContainerReportCount: UInt64 = 0
  /// Containers that had no process for long.
  public var forgottenContainerReportCount: UInt64 = 0
  /// Containers, and the host, of which it is known what their users are called.
  public var accountListCount = 0
  public var accountListByteCount = 0
  /// Those that made room for others, and those whose container had no process for long.
  public var evictedAccountListCount: UInt64 = 0
  public var forgottenAccountListCount: UInt64 = 0
  /// Matched events with a path, name or argument text that was cut.
  public var truncatedTextCount: UInt64 = 0
  /// Matched events with a path that ends outside the process's mounts.
  public var unreachablePathCount: UInt64 = 0
  /// Matched events whose name could not be read.
  public var missingNameCount: UInt64 = 0
  /// Events whose cgroup had not been announced.
  public var unknownCgroupCount: UInt64 = 0
  /// Opens of models that were forgotten while a process might still be asked for its last one.
  public var evictedModelOpenCount: UInt64 = 0
  /// Names of addresses, those included that no longer hold.
  public var nameCount = 0
  /// Names that still held and had to make room.
  public var evictedNameCount: UInt64 = 0
  /// Answers of resolvers that nobody was told to believe, or that came from within a container's network namespace.
  public var untrustedAnswerCount: UInt64 = 0
  /// Answers of trusted resolvers that could not be read.
  public var malformedAnswerCount: UInt64 = 0

  public init() {}
}
