// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where the programs are attached that the kernel asks about connections.
public enum CgroupChoice: Sendable, Equatable {
  case none
  /// The root of the v2 hierarchy, wherever it is mounted: every process on the machine.
  case root
  case path(String)

  /// From a setting's text: a path, `root` or `none`.
  public init(text: String) {
    switch text {
    case "none": self = .none
    case "root": self = .root
    default: self = .path(text)
    }
  }
}

extension CgroupChoice {
  /// Whether this process is in it or below, so that what it does passes the programs there.
  var holdsThisProcess: Bool {
    guard case .path(let path) = self else { return self == .root }
    let line = (Procfs.text("/proc/self/cgroup") ?? "").split(separator: "\n").first { $0.hasPrefix("0::") }
    guard let own = line?.dropFirst(3), let mount = OpenCgroup.mountPoint(inMounts: Procfs.text("/proc/mounts") ?? "")
    else { return false }
    return Self.isBelow(path, mount + own)
  }

  static func isBelow(_ path: String, _ own: String) -> Bool {
    let path = path.split(separator: "/"), own = own.split(separator: "/")
    return own.starts(with: path)
  }
}

/// A cgroup that programs can be attached to, or why there is none.
enum OpenCgroup {
  case open(Int32)
  case missing(String)

  private static let netAdmin: UInt64 = 12
  private static let sysAdmin: UInt64 = 21
  /// A hierarchy's own root has this inode number; what a container takes for the root has another.
  private static let rootInode: UInt64 = 1

  /// `mounts` and `status` are the texts of /proc/mounts and /proc/self/status.
  init(_ choice: CgroupChoice, mounts: String, status: String) {
    let path: String
    switch choice {
    case .none:
      self = .missing("no cgroup is configured")
      return
    case .root:
      guard let mount = Self.mountPoint(inMounts: mounts) else {
        self = .missing("no cgroup2 hierarchy is mounted")
        return
      }
      path = mount
    case .path(let given): path = given
    }
    let capabilities = EffectiveCapabilities(status: status)
    guard capabilities.has(Self.netAdmin) || capabilities.has(Self.sysAdmin) else {
      self = .missing("this process lacks the capability CAP_NET_ADMIN")
      return
    }
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      self = .missing("cannot open '\(path)': \(String(cString: strerror(errno)))")
      return
    }
    var facts = stat()
    if choice == .root, fstat(descriptor, &facts) != 0 || UInt64(facts.st_ino) != Self.rootInode {
      close(descriptor)
      self = .missing("'\(path)' is not the root of the hierarchy: mount the host's cgroups")
      return
    }
    self = .open(descriptor)
  }

  /// The first mount of type cgroup2; blanks in its path are written as in octal.
  static func mountPoint(inMounts mounts: String) -> String? {
    for line in mounts.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count > 2, words[2] == "cgroup2" { return unescaped(words[1]) }
    }
    return nil
  }

  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3).map { Int($0) - 48 }
      if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ 0..<8 ~= $0 }) {
        bytes.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 << 3 | $1 }))
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
