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

  /// What is missing, for a person.
  public var description: String {
    switch self {
    case .typeInformation(let path): "the kernel has no type information: '\(path)' is not there"
    case .capability(let name): "this process lacks the capability \(name)"
    case .firstPidNamespace: "this process is not in the host's first pid namespace"
    case .kernel(let found, let needed): "kernel \(found) is too old: \(needed) or later is needed"
    }
  }

  /// How to get it.
  public var remedy: String {
    switch self {
    case .typeInformation: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels are"
    case .capability(let name): "run as root, or give the service or container \(name)"
    case .kernel: "boot a newer kernel"
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

  /// What is missing, the most telling first; empty when a start should succeed. A kernel may still refuse for reasons
  /// that only an attempt finds: see `CaptureError`.
  public static func check() -> [CaptureRequirement] {
    missing(
      release: Procfs.text("/proc/sys/kernel/osrelease") ?? "", status: Procfs.text("/proc/self/status") ?? "",
      hasTypeInformation: access(typeInformationPath, R_OK) == 0,
      pidNamespace: Procfs.link("/proc/self/ns/pid").map { String(decoding: $0, as: UTF8.self) } ?? "")
  }

  static func missing(
    release: String, status: String, hasTypeInformation: Bool, pidNamespace: String
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
    return missing + missingCapabilities(status: status)
  }

  private enum Bit: UInt64 {
    case sysAdmin = 21
    case perfmon = 38
    case bpf = 39
  }

  private static func missingCapabilities(status: String) -> [CaptureRequirement] {
    let effective = EffectiveCapabilities(status: status)
    func has(_ bit: Bit) -> Bool { effective.has(bit.rawValue) }
    if has(.sysAdmin) { return [] }
    return [(Bit.bpf, "CAP_BPF"), (.perfmon, "CAP_PERFMON")].filter { !has($0.0) }.map { .capability($0.1) }
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
