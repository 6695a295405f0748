// SPDX-License-Identifier: Apache-2.0

import CMartletBPF
import Glibc

/// What this node has for capturing, as far as files tell: for people who set it up.
public struct NodeFacts: Sendable {
  /// The kernel's release.
  public let kernel: String
  public let kernelNeeded: String
  /// The kernel describes its own types (BTF).
  public let hasTypeInformation: Bool
  /// What the kernel keeps even from root, such as `integrity`; nil where it does not say.
  public let lockdown: String?
  /// Where the v2 hierarchy of cgroups is mounted.
  public let cgroupMount: String?
  /// The v1 controller that tells containers apart, where runtimes use one.
  public let cgroupV1Controller: String?
  public let capabilities: [CaptureCapability]
  public let cpuCount: Int
  /// Of a source with the default configuration, per CPU.
  public let ringBytes: UInt32

  public init() {
    kernel = String((Procfs.text("/proc/sys/kernel/osrelease") ?? "").prefix { !$0.isWhitespace })
    kernelNeeded = "\(CaptureRequirements.kernelNeeded.major).\(CaptureRequirements.kernelNeeded.minor)"
    hasTypeInformation = access(CaptureRequirements.typeInformationPath, R_OK) == 0
    lockdown = Self.lockdown(in: Procfs.text("/sys/kernel/security/lockdown") ?? "")
    cgroupMount = OpenCgroup.mountPoint(inMounts: Procfs.text("/proc/mounts") ?? "")
    cgroupV1Controller = CgroupLayout.current().controller
    capabilities = CaptureCapability.ofThisProcess()
    cpuCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    ringBytes = CaptureConfiguration().ringBytes(forCPUs: cpuCount)
  }

  /// The one in brackets: `none [integrity] confidentiality`.
  static func lockdown(in text: String) -> String? {
    text.split(whereSeparator: \.isWhitespace).first { $0.first == "[" && $0.last == "]" }.map {
      String($0.dropFirst().dropLast())
    }
  }
}
