// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Something this machine or this process lacks for watching the kernel.
public enum CaptureRequirement: Sendable, Equatable {
  /// The kernel does not describe its own types.
  case typeInformation(path: String)
  case capability(String)
  case kernel(found: String, needed: String)
  /// This process does not know itself by the number that the kernel has for it, nor others by theirs in /proc.
  case firstPidNamespace
  /// Its capabilities hold in a user namespace only, and BPF asks for those of the first one.
  case firstUserNamespace

  /// What is missing, for a person.
  public var description: String {
    switch self {
    case .typeInformation(let path): "the kernel has no type information: '\(path)' is not there"
    case .capability(let name): "this process lacks the capability \(name)"
    case .firstPidNamespace: "this process is not in the host's first pid namespace"
    case .firstUserNamespace: "this process is in a user namespace, where capabilities do not reach the kernel"
    case .kernel(let found, let needed): "kernel \(found) is too old: \(needed) or later is needed"
    }
  }

  /// How to get it.
  public var remedy: String {
    switch self {
    case .typeInformation: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels are"
    case .capability(let name): "run as root, or give the service or container \(name)"
    case .kernel: "boot a newer kernel"
    case .firstUserNamespace: "run it outside: not in a rootless container, nor with 'hostUsers: false' (Kubernetes)"
    case .firstPidNamespace: "run the container with 'hostPID: true' (Kubernetes) or '--pid=host'"
    }
  }
}

/// What has to be there before a source can start.
public enum CaptureRequirements {
  /// bpf_loop came with 5.17, and with it everything else that the programs need; atomic exchange on arm64 with 5.18.
  #if arch(arm64)
    static let kernelNeeded = (major: 5, minor: 18)
  #else
    static let kernelNeeded = (major: 5, minor: 17)
  #endif
  static let typeInformationPath = "/sys/kernel/btf/vmlinux"
  /// What the link of the first pid namespace says: its inode number is fixed in the kernel.
  private static let firstPidNamespace = "pid:[\(0xEFFF_FFFC)]"
  private static let firstUserNamespace = "user:[\(0xEFFF_FFFD)]"

  /// What is missing, the most telling first; empty when a start should succeed. A kernel may still refuse for reasons
  /// that only an attempt finds: see `CaptureError`.
  public static func check() -> [CaptureRequirement] {
    missing(
      release: Procfs.text("/proc/sys/kernel/osrelease") ?? "", status: Procfs.text("/proc/self/status") ?? "",
      hasTypeInformation: access(typeInformationPath, R_OK) == 0,
      pidNamespace: namespace("pid"), userNamespace: namespace("user"))
  }

  private static func namespace(_ kind: String) -> String {
    Procfs.link("/proc/self/ns/\(kind)").map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  static func missing(
    release: String, status: String, hasTypeInformation: Bool, pidNamespace: String, userNamespace: String
  ) -> [CaptureRequirement] {
    var missing: [CaptureRequirement] = []
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    if numbers.count == 2, (numbers[0], numbers[1]) < (kernelNeeded.major, kernelNeeded.minor) {
      missing.append(
        .kernel(
          found: String(release.prefix { !$0.isWhitespace }), needed: "\(kernelNeeded.major).\(kernelNeeded.minor)"))
    }
    if !hasTypeInformation { missing.append(.typeInformation(path: typeInformationPath)) }
    if pidNamespace != firstPidNamespace { missing.append(.firstPidNamespace) }
    // Kernels built without them have no such link.
    if !userNamespace.isEmpty, userNamespace != firstUserNamespace { missing.append(.firstUserNamespace) }
    return missing + missingCapabilities(status: status)
  }

  private static func missingCapabilities(status: String) -> [CaptureRequirement] {
    CaptureCapability.all(status: status).filter { $0.isRequired && !$0.isHeld }.map { .capability($0.name) }
  }
}

/// A capability that capturing makes use of.
public struct CaptureCapability: Sendable, Equatable {
  public let name: String
  /// Held, or covered by CAP_SYS_ADMIN, as far as that goes.
  public let isHeld: Bool
  /// Nothing can be watched without it.
  public let isRequired: Bool
  public let purpose: String

  /// Those of this process.
  public static func ofThisProcess() -> [CaptureCapability] { all(status: Procfs.text("/proc/self/status") ?? "") }

  private static let sysAdmin: UInt64 = 21

  static func all(status: String) -> [CaptureCapability] {
    let effective = EffectiveCapabilities(status: status)
    func capability(
      _ name: String, _ bit: UInt64, isRequired: Bool = false, isInSysAdmin: Bool = true, _ purpose: String
    ) -> CaptureCapability {
      CaptureCapability(
        name: name, isHeld: effective.has(bit) || isInSysAdmin && effective.has(sysAdmin), isRequired: isRequired,
        purpose: purpose)
    }
    return [
      capability("CAP_BPF", 39, isRequired: true, "load programs"),
      capability("CAP_PERFMON", 38, isRequired: true, "attach them to the kernel and read its memory"),
      capability("CAP_NET_ADMIN", 12, "see datagrams, and connections before they are made"),
      capability("CAP_SYS_PTRACE", 19, isInSysAdmin: false, "know the files of programs that run at the start"),
      capability(
        "CAP_DAC_READ_SEARCH", 2, isInSysAdmin: false, "know the command lines of programs that run at the start"),
      capability("CAP_LEASE", 28, isInSysAdmin: false, "tell that nobody could write a model while it was read"),
      capability("CAP_CHECKPOINT_RESTORE", 40, "read models that are mapped and no longer open"),
    ]
  }
}

/// What /proc/PID/status says a process may do.
struct EffectiveCapabilities {
  private let bits: UInt64

  init(status: String) {
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    bits = line.flatMap { UInt64($0.dropFirst(7).drop { $0.isWhitespace }, radix: 16) } ?? 0
  }

  func has(_ capability: UInt64) -> Bool { bits & (1 << capability) != 0 }
}
