// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What a cgroup's path tells about the container that it belongs to.
///
/// Runtimes name a container's cgroup after its id, each in a way of its own; the innermost match counts, because
/// containers nest. Paths come from whoever may create cgroups: nothing here trusts their length or content.
struct ContainerIdentity: Equatable {
  /// 64 hexadecimal digits, or the name that somebody gave it.
  var id: String
  /// What the name tells about the runtime; nil where it is a bare id.
  var type: ContainerRuntime?
  /// In the form of the Kubernetes API: with dashes, or 32 digits for a static pod.
  var podUID: String?
  /// Whether the path goes on below the cgroup that the runtime made.
  var isInner: Bool
  /// How much of the path leads to that cgroup.
  var pathByteCount: Int

  /// Nil for a path that names no container.
  init?(cgroupPath path: ByteView) {
    var end = path.count
    var found: (id: ByteView, type: ContainerRuntime?)?
    var podUID: String?
    var isInner = false
    var pathByteCount = 0
    while end > 0 {
      let head = path.slice(from: 0, to: end)
      let start = (head.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
      let component = path.slice(from: start, to: end)
      if found == nil {
        found = Self.container(in: component)
        pathByteCount = end
        // Podman makes one more.
        if found == nil, end < path.count || component != "container" { isInner = true }
      }
      if found != nil, podUID == nil { podUID = Self.podUID(in: component) }
      end = start - 1
    }
    if found == nil, let (name, byteCount) = Self.named(path) {
      found = (name, .containerd)
      pathByteCount = byteCount
    }
    guard let found else { return nil }
    id = found.id.string
    // Kubernetes no longer runs Docker: a bare id below a pod is the runtime's default naming of containerd.
    type = found.type ?? (podUID == nil ? nil : .containerd)
    self.podUID = podUID
    self.isInner = isInner
    self.pathByteCount = pathByteCount
  }

  private static let idByteCount = 64

  private static let prefixes: [(prefix: StaticString, type: ContainerRuntime)] = [
    ("docker-", .docker), ("crio-", .crio), ("cri-containerd-", .containerd), ("libpod-", .podman),
  ]

  /// What containerd's own client runs is called by a name of the user's choice, below the name of a namespace. Whatever
  /// lies two levels deep may look like that: only namespaces that everybody has count.
  private static let namespaces: [StaticString] = ["k8s.io", "moby", "default", "buildkit"]
  static let nameByteCountMax = 76

  /// The name, and how much of the path ends with it.
  private static func named(_ path: ByteView) -> (name: ByteView, pathByteCount: Int)? {
    let root = ByteView("/")
    for namespace in namespaces {
      let prefix = ByteView(namespace)
      let rest = path.slice(from: root.count, to: path.count)
      guard path.hasPrefix(root), rest.hasPrefix(prefix), rest.count > prefix.count,
        rest[prefix.count] == UInt8(ascii: "/")
      else { continue }
      let tail = rest.slice(from: prefix.count + 1, to: rest.count)
      let name = tail.slice(from: 0, to: tail.firstIndex(of: UInt8(ascii: "/")) ?? tail.count)
      return isName(name) ? (name, path.count - tail.count + name.count) : nil
    }
    return nil
  }

  /// Letters and digits, with dots, dashes and underscores between, and none of what systemd names its own by.
  private static func isName(_ name: ByteView) -> Bool {
    guard (1...nameByteCountMax).contains(name.count), isLetterOrDigit(name[0]) else { return false }
    for index in 0..<name.count {
      let isJoint = name[index] == 0x2d || name[index] == 0x2e || name[index] == 0x5f
      guard isLetterOrDigit(name[index]) || isJoint else { return false }
    }
    return ![".scope", ".slice", ".service", ".mount", ".socket"].contains { (suffix: StaticString) in
      name.hasSuffix(ByteView(suffix))
    }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
  }

  private static func container(in component: ByteView) -> (id: ByteView, type: ContainerRuntime?)? {
    var name = component
    let scope = ByteView(".scope")
    if name.hasSuffix(scope) { name = name.slice(from: 0, to: name.count - scope.count) }
    if isID(name) { return (name, nil) }
    for (prefix, type) in prefixes where name.hasPrefix(ByteView(prefix)) {
      let rest = name.slice(from: prefix.utf8CodeUnitCount, to: name.count)
      return isID(rest) ? (rest, type) : nil
    }
    // Other runtimes put a word in front: nerdctl-ID.
    let tail = name.slice(from: name.count - idByteCount, to: name.count)
    let head = name.slice(from: 0, to: name.count - idByteCount)
    if head.hasSuffix("-"), isID(tail) { return head.contains("conmon") ? nil : (tail, nil) }
    // The shape of a containerd whose cgroup driver differs from the kubelet's.
    let mismatch = ByteView(":cri-containerd:")
    let start = name.count - idByteCount
    guard start >= mismatch.count, name.slice(from: 0, to: start).hasSuffix(mismatch) else { return nil }
    let rest = name.slice(from: start, to: name.count)
    return isID(rest) ? (rest, .containerd) : nil
  }

  private static func isID(_ name: ByteView) -> Bool {
    guard name.count == idByteCount else { return false }
    for index in 0..<name.count where !isHexadecimal(name[index]) { return false }
    return true
  }

  /// `pod` and a UID with dashes or underscores, or 32 digits, anywhere in the component that ends there or goes on
  /// with a dot or colon: a kubelet with its own cgroup root puts text in front.
  private static func podUID(in component: ByteView) -> String? {
    var from = 0
    let marker = ByteView("pod")
    while from + marker.count < component.count {
      let rest = component.slice(from: from, to: component.count)
      if rest.hasPrefix(marker), let uid = uid(at: rest.slice(from: marker.count, to: rest.count)) { return uid }
      from += 1
    }
    return nil
  }

  private static func uid(at text: ByteView) -> String? {
    for length in [36, 32] where text.count >= length {
      let isEnded = text.count == length || text[length] == UInt8(ascii: ".") || text[length] == UInt8(ascii: ":")
      guard isEnded else { continue }
      var bytes = text.slice(from: 0, to: length).array
      let isUID = bytes.indices.allSatisfy { index in
        let isSeparator = length == 36 && [8, 13, 18, 23].contains(index)
        if isSeparator { return bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "_") }
        return isHexadecimal(bytes[index])
      }
      guard isUID else { continue }
      for index in bytes.indices where bytes[index] == UInt8(ascii: "_") { bytes[index] = UInt8(ascii: "-") }
      return String(decoding: bytes, as: UTF8.self)
    }
    return nil
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
  }
}
