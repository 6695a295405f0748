// SPDX-License-Identifier: Apache-2.0

/// How the kernel is watched. The defaults suit a node.
public struct CaptureConfiguration: Sendable {
  /// Bytes of each CPU's ring: a power of two from 64 KiB to 256 MiB.
  ///
  /// The default holds some 20,000 opens with short paths (200 bytes each), 20 ms of a loop that does nothing else: time
  /// for a reader that has to wait for its CPU, at 4 MiB of memory for each.
  public var ringBytes: UInt32 = 4 << 20
  /// Unread bytes in one ring that wake a reader which did not ask to be; nil for a quarter of the ring.
  public var wakeBytes: UInt32?
  public var seed: SeedMethod = .automatic
  /// What to call this node; nil for the host name, which in a pod is the pod's.
  public var hostname: String?
  /// Whether kernel memory is read by typed loads where the kernel has them (6.2); else, and without, through a helper.
  public var usesTypedLoads = true
  /// How often a tick enters the stream.
  public var tickMilliseconds = 1000

  public init() {}
}

/// Where the processes that are there at the start are read from.
public enum SeedMethod: Sendable {
  /// The kernel's iterator, and /proc where the kernel has none.
  case automatic
  case iterator
  case procfs
  case none
}
