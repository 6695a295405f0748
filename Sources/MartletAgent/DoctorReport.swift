// SPDX-License-Identifier: Apache-2.0

import MartletCapture
import MartletEvents

extension Doctor {
  /// For people: a line for each fact, and behind what is wrong what to do.
  public var text: String {
    var lines = nodeLines
    for requirement in missing {
      lines += ["missing      \(requirement.description)", "             \(requirement.remedy)"]
    }
    if let failure {
      lines.append("failed       \(failure)")
      if let remedy = failure.remedy { lines.append("             \(remedy)") }
    }
    lines += [""] + hooks.filter(\.isWanted).flatMap(hookLines)
    if hooks.isEmpty { lines.append("hooks        not tried") }
    lines += ["", isWell ? "this node can be watched" : "this node cannot be watched as it should be"]
    return lines.joined(separator: "\n") + "\n"
  }

  private var nodeLines: [String] {
    let held = facts.capabilities
    var lines = [
      "kernel       \(facts.kernel) (\(facts.kernelNeeded) or later is needed)",
      "types        \(facts.hasTypeInformation ? "the kernel describes its own (BTF)" : "none: BTF is missing")",
      "lockdown     \(facts.lockdown ?? "not told")",
    ]
    for capability in held {
      let state = capability.isHeld ? "held" : capability.isRequired ? "MISSING" : "not held"
      lines.append("capability   \(capability.name): \(state); to \(capability.purpose)")
    }
    lines.append("cgroups      v2 at \(facts.cgroupMount ?? "no place"), v1 \(facts.cgroupV1Controller ?? "not used")")
    lines.append("attach to    \(cgroup) (MARTLET_CGROUP)")
    lines.append(
      "rings        \(facts.ringBytes >> 10) KiB for each of \(facts.cpuCount) CPUs, \(ringBytesTotal >> 10) KiB in all; "
        + "a process's memory counts them twice")
    for path in runtimes { lines.append("runtime      \(path)") }
    if runtimes.isEmpty { lines.append("runtime      none is there: alerts have no names of containers and pods") }
    if !hooks.isEmpty { lines.append("loads        \(hasTypedLoads ? "typed" : "through a helper")") }
    return lines
  }

  private func hookLines(_ hook: CaptureHook) -> [String] {
    let name = hook.name.padded(to: 23)
    guard hook.isAttached else {
      return ["hook         \(name) NOT ATTACHED (\(cause(of: hook))): \(hook.unseen)"]
    }
    let proof =
      switch hook.proof {
      case .proven: "proven"
      case .failed: "DOES NOT ANSWER: \(hook.unseen)"
      case .untried: "not proven"
      case .untestable: "attached; no act of this process comes to it"
      }
    return ["hook         \(name) \(hook.variant ?? ""): \(proof)"]
  }

  private func cause(of hook: CaptureHook) -> String {
    warnings.first { $0.hooks.contains(hook.name) }?.cause ?? ""
  }

  private var ringBytesTotal: UInt64 { UInt64(facts.ringBytes) * UInt64(facts.cpuCount) }

  /// The same as one JSON object. Names are a contract with whoever reads it.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("well", isWell)
    writeNode(&json)
    json.member("missing", missing.map(\.description))
    json.member("failure", failure.map { "\($0)" })
    json.member("typed_loads", hasTypedLoads)
    json.array("hooks") { json in
      for hook in hooks where hook.isWanted { write(hook, &json) }
    }
    json.endObject()
    return json.text + "\n"
  }

  private func writeNode(_ json: inout JSONWriter) {
    json.member("kernel", facts.kernel)
    json.member("kernel_needed", facts.kernelNeeded)
    json.member("btf", facts.hasTypeInformation)
    json.member("lockdown", facts.lockdown)
    json.array("capabilities") { json in
      for capability in facts.capabilities {
        json.beginObject()
        json.member("held", capability.isHeld)
        json.member("name", capability.name)
        json.member("required", capability.isRequired)
        json.endObject()
      }
    }
    json.member("cgroup2_mount", facts.cgroupMount)
    json.member("cgroup1_controller", facts.cgroupV1Controller)
    json.member("cgroup", cgroup)
    json.member("ring_bytes", UInt64(facts.ringBytes))
    json.member("ring_bytes_total", ringBytesTotal)
    json.member("runtime_sockets", runtimes)
  }

  private func write(_ hook: CaptureHook, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("attached", hook.isAttached)
    json.member("cause", hook.isAttached ? nil : cause(of: hook))
    json.member("name", hook.name)
    json.member("proof", hook.proof.rawValue)
    json.member("required", !hook.isOptional)
    json.member("unseen", hook.unseen)
    json.member("variant", hook.variant)
    json.endObject()
  }
}

extension String {
  fileprivate func padded(to count: Int) -> String {
    self + String(repeating: " ", count: max(count - self.count, 0))
  }
}
