// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// A folder on a file system of its own, unmounted when it is let go.
public final class MountedFolder {
  public enum Kind: String, Sendable {
    /// An overlay whose layers lie on different file systems; what it is made with lies in the lower one.
    case overlay
    /// A subvolume of btrfs.
    case btrfs

    /// Why there is none here; nil when there is.
    public var missing: String? {
      if geteuid() != 0 { return "needs root" }
      if self == .overlay { return nil }
      let known = (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8)) ?? ""
      if !known.contains("btrfs\n") { return "needs a kernel with btrfs" }
      if ContainerSupport.locate("mkfs.btrfs") == nil { return "needs mkfs.btrfs (Debian package btrfs-progs)" }
      return FileManager.default.fileExists(atPath: "/dev/loop-control") ? nil : "needs loop devices"
    }
  }

  public let path: String
  private let folder: TestFolder
  private var mounts: [String] = []

  public init(_ kind: Kind, _ files: [String: [UInt8]] = [:]) throws {
    folder = try TestFolder()
    let root = folder.path
    switch kind {
    case .overlay:
      path = root + "/merged"
      for name in ["above", "below"] { try mount("tmpfs", on: root + "/" + name, ["-t", "tmpfs"]) }
      for name in ["above/upper", "above/work"] { try Self.makeFolder("\(root)/\(name)") }
      try Self.put(files, into: root + "/below")
      let layers = "lowerdir=\(root)/below,upperdir=\(root)/above/upper,workdir=\(root)/above/work"
      try mount("overlay", on: path, ["-t", "overlay", "-o", layers])
    case .btrfs:
      path = root + "/disk/volume"
      let image = try folder.write("image", "")
      guard truncate(image, 128 << 20) == 0 else { throw HarnessError.system("truncate", errno) }
      try Child.check(["mkfs.btrfs", "-q", image])
      try mount(image, on: root + "/disk", ["-t", "btrfs", "-o", "loop"])
      try Child.check(["btrfs", "subvolume", "create", path])
      try Self.put(files, into: path)
    }
  }

  deinit {
    for mount in mounts.reversed() { umount2(mount, Int32(MNT_DETACH)) }
  }

  private func mount(_ source: String, on place: String, _ options: [String]) throws {
    try Self.makeFolder(place)
    try Child.check(["mount"] + options + [source, place])
    mounts.append(place)
  }

  private static func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  private static func put(_ files: [String: [UInt8]], into folder: String) throws {
    for (name, content) in files { try Data(content).write(to: URL(fileURLWithPath: folder + "/" + name)) }
  }
}
