// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// Whom an event belongs to: what the cgroup's name tells, and what the container's runtime says about it.
extension EventContext {
  /// Whether any of these may still be said about the event's container: until then the fields that it gives are pending.
  public func awaits(_ names: AwaitedNames) -> Bool {
    guard let record, state != nil else { return false }
    return container.awaits(names, at: record.timeNanoseconds)
  }

  /// How much is known of whom the event belongs to, where these are of interest.
  public func enrichment(with names: AwaitedNames) -> Enrichment {
    guard let state else { return .none }
    if process.pointee.container == .host { return .complete }
    if names.contains(.users), state.asked.contains(.users), container.accounts == nil { return .partial }
    if container.report != nil { return .complete }
    return state.asked.contains(.container) ? .partial : .none
  }

  mutating func extractContainer(_ field: Field, _ selector: FieldSelector) -> FieldValue {
    let container = container
    let isHost = process.pointee.container == .host
    switch field {
    case .containerID: return .text(container.shortID)
    case .containerFullID: return isHost ? .missing : .text(container.id)
    case .containerName where isHost: return .text(container.id)
    case .containerCgroups: return cgroups(of: container)
    case .containerType where !awaits(.container):
      return (reportedType(container) ?? container.type).map { .text($0) } ?? .missing
    case .podUID, .podID:
      if let podUID = container.podUID { return .text(podUID) }
    default: break
    }
    guard let report = container.report else { return awaits(.container) ? .pending : .missing }
    return extract(field, selector, of: report)
  }

  private mutating func extract(_ field: Field, _ selector: FieldSelector, of report: EventRecord) -> FieldValue {
    let part = report.container.pointee
    switch field {
    case .containerName: return text(part.name, of: report)
    case .containerPrivileged:
      let isKnown = part.facts & MARTLET_CONTAINER_PRIVILEGE_KNOWN != 0
      return isKnown ? .boolean(part.facts & MARTLET_CONTAINER_PRIVILEGED != 0) : .missing
    case .containerImage: return text(part.image, of: report)
    case .containerImageRepository: return text(part.image_repository, of: report)
    case .containerImageTag: return text(part.image_tag, of: report)
    case .containerImageDigest: return text(part.image_digest, of: report)
    case .containerImageID: return text(part.image_id, of: report)
    case .containerStart: return part.started_ns == 0 ? .missing : .unsigned(part.started_ns)
    case .containerDuration: return sinceStart(part.started_ns)
    case .containerLabel: return label(selector, in: part.labels, of: report)
    case .containerLabels: return allLabels(part.labels, of: report)
    case .containerAddress: return text(part.address, of: report)
    case .containerMounts, .containerMount, .containerMountSource, .containerMountDestination, .containerMountMode,
      .containerMountIsWritable, .containerMountPropagation:
      return report.mounts.map { extractMount(field, selector, $0) } ?? .missing
    case .containerHostNetwork: return namespaceFact(MARTLET_CONTAINER_HOST_NETWORK, part.facts)
    case .containerHostPID: return namespaceFact(MARTLET_CONTAINER_HOST_PID, part.facts)
    case .containerHostIPC: return namespaceFact(MARTLET_CONTAINER_HOST_IPC, part.facts)
    case .podUID, .podID: return text(part.pod_uid, of: report)
    case .podName: return text(part.pod_name, of: report)
    case .podNamespace: return text(part.pod_namespace, of: report)
    case .podLabel: return label(selector, in: part.pod_labels, of: report)
    case .podLabels: return allLabels(part.pod_labels, of: report)
    case .podSandboxID:
      let id = report.bytes(part.sandbox_id)
      return id.isEmpty ? .missing : .text(id.slice(from: 0, to: ContainerTable.shortIDByteCount))
    case .podFullSandboxID: return text(part.sandbox_id, of: report)
    case .podAddress: return part.pod_name.length_bytes == 0 ? .missing : text(part.address, of: report)
    default: return .missing
    }
  }

  private mutating func cgroups(of container: Container) -> FieldValue {
    guard let unified = container.unifiedCgroup, let legacy = container.legacyCgroup, unified != legacy else {
      return (container.unifiedCgroup ?? container.legacyCgroup).map { .text($0) } ?? .missing
    }
    var text = beginText()
    text.append(unified)
    text.append(byte: UInt8(ascii: ","))
    text.append(legacy)
    return .text(end(text))
  }

  private func namespaceFact(_ fact: UInt32, _ facts: UInt32) -> FieldValue {
    facts & MARTLET_CONTAINER_NAMESPACES_KNOWN == 0 ? .missing : .boolean(facts & fact != 0)
  }

  /// Says more than the cgroup's name, where that is a bare id.
  private func reportedType(_ container: Container) -> ByteView? {
    guard let report = container.report else { return nil }
    return ContainerRuntime(rawValue: report.container.pointee.runtime).map { ByteView($0.name) }
  }

  private func text(_ text: martlet_text, of report: EventRecord) -> FieldValue {
    text.length_bytes == 0 ? .missing : .text(report.bytes(text))
  }

  /// A start that the event comes before is one by another clock.
  private func sinceStart(_ nanoseconds: UInt64) -> FieldValue {
    let now = UInt64(max(realtimeNanoseconds, 0))
    return nanoseconds == 0 || now < nanoseconds ? .missing : .unsigned(now - nanoseconds)
  }

  private func label(_ selector: FieldSelector, in labels: martlet_text, of report: EventRecord) -> FieldValue {
    guard case .key(let wanted) = selector else { return .missing }
    var rest = report.bytes(labels)
    while let (key, value) = Self.nextLabel(&rest) {
      if key == wanted { return .text(value) }
    }
    return .missing
  }

  private mutating func allLabels(_ labels: martlet_text, of report: EventRecord) -> FieldValue {
    var rest = report.bytes(labels)
    guard !rest.isEmpty else { return .missing }
    var text = beginText()
    while let (key, value) = Self.nextLabel(&rest) {
      if text.count > 0 { text.append(byte: UInt8(ascii: ",")) }
      text.append(key)
      text.append(byte: UInt8(ascii: ":"))
      text.append(value)
    }
    return .text(end(text))
  }

  /// Takes `KEY NUL VALUE NUL` off the front; what is not ended goes as far as there is something.
  private static func nextLabel(_ rest: inout ByteView) -> (key: ByteView, value: ByteView)? {
    guard !rest.isEmpty else { return nil }
    let key = nextText(&rest)
    return (key, nextText(&rest))
  }

  // MARK: - Mounts

  private struct Mount {
    let source, destination, mode, isWritable, propagation: ByteView

    /// Takes one off the front.
    init(_ rest: inout ByteView) {
      source = nextText(&rest)
      destination = nextText(&rest)
      mode = nextText(&rest)
      isWritable = nextText(&rest)
      propagation = nextText(&rest)
    }

    /// `source:destination:mode:writable:propagation`
    func write(to text: inout ContextText) {
      text.append(source)
      for part in [destination, mode, isWritable, propagation] {
        text.append(byte: UInt8(ascii: ":"))
        text.append(part)
      }
    }
  }

  private mutating func extractMount(_ field: Field, _ selector: FieldSelector, _ mounts: ByteView) -> FieldValue {
    if field == .containerMounts {
      var rest = mounts
      var text = beginText()
      while !rest.isEmpty {
        if text.count > 0 { text.append(byte: UInt8(ascii: ",")) }
        Mount(&rest).write(to: &text)
      }
      return .text(end(text))
    }
    guard let mount = Self.mount(selector, in: mounts, byDestination: field == .containerMountSource) else {
      return .missing
    }
    switch field {
    case .containerMountSource: return .text(mount.source)
    case .containerMountDestination: return .text(mount.destination)
    case .containerMountMode: return .text(mount.mode)
    case .containerMountIsWritable: return .text(mount.isWritable)
    case .containerMountPropagation: return .text(mount.propagation)
    default:
      var text = beginText()
      mount.write(to: &text)
      return .text(end(text))
    }
  }

  /// By number, or the first one that the glob is right for.
  private static func mount(_ selector: FieldSelector, in mounts: ByteView, byDestination: Bool) -> Mount? {
    var rest = mounts
    var index = 0
    while !rest.isEmpty {
      let mount = Mount(&rest)
      switch selector {
      case .index(let wanted): if index == wanted { return mount }
      case .key(let glob):
        if Glob.matches(glob, byDestination ? mount.destination : mount.source, ignoresCase: false) { return mount }
      case .whole: return nil
      }
      index += 1
    }
    return nil
  }
}

/// Takes a text that NUL ends off the front; one that is not ended goes as far as there is something.
private func nextText(_ rest: inout ByteView) -> ByteView {
  let end = rest.firstIndex(of: 0) ?? rest.count
  defer { rest = rest.slice(from: end + 1, to: rest.count) }
  return rest.slice(from: 0, to: end)
}

/// How much is known of whom an event belongs to.
public enum Enrichment: String, Sendable {
  /// All that there is to know: it is in no container, or its container's runtime has spoken and the names of its users
  /// have been read.
  case complete
  /// Runtimes are asked, and none has spoken of its container; or its users' names could not be read.
  case partial
  /// Nobody is asked.
  case none
}
