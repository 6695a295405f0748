// SPDX-License-Identifier: Apache-2.0

import CMartletBPF
public import MartletEvents

/// How the kernel is watched. The defaults suit a node.
public struct CaptureConfiguration: Sendable {
  /// Bytes of each CPU's ring: a power of two from 256 KiB to 256 MiB.
  ///
  /// The default holds some 20,000 opens with short paths (200 bytes each), 20 ms of a loop that does nothing else: time
  /// for a reader that has to wait for its CPU, at 4 MiB of memory for each. On a machine of many CPUs each is made
  /// smaller than this says, for `ringsBytesMax`.
  public var ringBytes: UInt32 = 4 << 20
  /// What the rings of all CPUs may take together; 256 KiB for each is the least.
  public var ringsBytesMax: UInt64 = 128 << 20
  /// Unread bytes in one ring that wake a reader which did not ask to be; nil for a quarter of the ring.
  public var wakeBytes: UInt32?
  public var seed: SeedMethod = .automatic
  /// What to call this node; nil for the host name, which in a pod is the pod's.
  public var hostname: String?
  /// Whether kernel memory is read by typed loads where the kernel has them (6.2); else, and without, through a helper.
  public var usesTypedLoads = true
  /// The cgroup below which connections are asked about before they are made. Elsewhere `CaptureHook.unseen` holds.
  public var cgroup = CgroupChoice.none
  /// What the rules leave to be seen; nil to send everything.
  public var filter: KernelFilter?
  /// What the filter would drop is sent all the same, marked as unwanted: to check the filter.
  public var marksUnwanted = false
  /// Whether opens through io_uring are watched where the kernel tells of them. Elsewhere, and without, a container that
  /// sets up a ring is told by a notice.
  public var watchesRings = true
  /// What to run for proving that the hooks work, at the start and every minute; nil to prove nothing.
  public var canary: CanaryProgram?
  /// From one proof to the next. What breaks right behind one is told after this and a second try, a twelfth of it later.
  public var canaryMilliseconds = 50_000
  /// How often a tick enters the stream.
  public var tickMilliseconds = 1000

  /// Which events are wanted: programs and parts of programs that serve no other are left out. Starts and ends of
  /// processes, and what else changes what is known of them, are told in any case.
  public var eventTypes = EventTypeSet.all
  /// Whether processes are told with their environment.
  public var includesEnvironment = false
  /// Whether answers of resolvers are told, which give addresses their names. It makes each packet of a socket cost a
  /// little more, and needs `cgroup`.
  public var includesNames = false
  /// Resolvers to be believed beside those that this machine's resolv.conf names. At most `resolverCountMax` in all.
  public var resolvers: [IPAddress] = []
  /// What is asked about each container from the beginning on, and how long its events may wait for the answers: told
  /// behind the host, in this order.
  public var inquiries: [InquiryStep] = []
  /// Whether execs are told that fail because there is no such file. A shell tries a dozen names for each command.
  public var includesMissingPrograms = false

  /// Which files are models: their opens are told with the file's state whatever rules ask for, their last close after
  /// writing is told, and files can be watched. Nil, and all that costs nothing.
  public var models: ModelNames?

  public static let resolverCountMax = 64
  /// The smallest ring that there can be.
  public static let ringBytesMin = UInt32(MARTLET_RING_BYTES_MIN)

  public init() {}

  /// Gives all that the rings may take, however many there are: each becomes as large as its share allows.
  public mutating func setRingBudget(_ bytes: UInt64) {
    ringBytes = UInt32(MARTLET_RING_BYTES_MAX)
    ringsBytesMax = bytes
  }

  /// What the probe has to watch for them. Which call a datagram came by is known when the call returns, so all that send
  /// belong together, and all that receive.
  var watchedCalls: EventTypeSet {
    var wanted = eventTypes
    for group in [[EventType.sendto, .sendmsg, .sendmmsg], [.recvfrom, .recvmsg, .recvmmsg]] {
      let set = EventTypeSet(group.map { EventTypeSet($0) })
      if !wanted.isDisjoint(with: set) { wanted.formUnion(set) }
    }
    if models != nil { for type in EventType.allCases where type.kind == .open { wanted.insert(EventTypeSet(type)) } }
    return wanted
  }

  /// The size of each ring on a machine of `cpus`: as configured, or the largest power of two within each one's share. A
  /// size that no ring can have stays what it is, for the start to refuse.
  func ringBytes(forCPUs cpus: Int) -> UInt32 {
    let share = UInt32(
      clamping: max(ringsBytesMax / UInt64(max(cpus, 1)), UInt64(MARTLET_RING_BYTES_MIN)))
    guard ringBytes > share, ringBytes <= UInt32(MARTLET_RING_BYTES_MAX), ringBytes.nonzeroBitCount == 1 else {
      return ringBytes
    }
    return 1 << (UInt32.bitWidth - 1 - share.leadingZeroBitCount)
  }
}

/// Where the processes that are there at the start are read from.
public enum SeedMethod: Sendable {
  /// The kernel's iterator, and /proc where the kernel has none.
  case automatic
  case iterator
  case procfs
  case none
}
