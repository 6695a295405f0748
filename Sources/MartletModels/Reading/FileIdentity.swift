// SPDX-License-Identifier: Apache-2.0

import CMartletFiles

/// An inode as the kernel numbers it, and whether a descriptor stands for it.
///
/// stat(2) mostly gives the same numbers. It gives others on btrfs, where each subvolume has a device of its own, and on an
/// overlay over several file systems. There the kernel says of the descriptor itself what it holds: the inode's own number
/// in `fdinfo`, and in `mountinfo` the device of the superblock that its mount shows.
struct FileIdentity {
  /// As the kernel encodes it: major << 20 | minor.
  var device: UInt32
  var inode: UInt64

  private static let mountsBytesMax = 16 << 20

  /// `process`: one in whose mount namespace the descriptor was found.
  func isThat(of descriptor: Int32, _ status: martlet_file_status, seenBy process: UInt32) -> Bool {
    if status.inode == inode, status.device == userDevice { return true }
    guard let text = ForeignFile.bytes(of: "/proc/self/fdinfo/\(descriptor)", byteCountMax: 4096),
      Self.number("ino:", in: text) == inode, let mount = Self.number("mnt_id:", in: text)
    else { return false }
    return ["\(process)", "self"].contains { process in
      guard let mounts = ForeignFile.bytes(of: "/proc/\(process)/mountinfo", byteCountMax: Self.mountsBytesMax) else {
        return false
      }
      return Self.device(ofMount: mount, in: mounts) == device
    }
  }

  /// As stat(2) gives the device.
  var userDevice: UInt64 {
    let (major, minor) = (UInt64(device >> 20), UInt64(device & 0xf_ffff))
    return minor & 0xff | (major & 0xfff) << 8 | (minor & ~0xff) << 12 | (major & ~0xfff) << 32
  }

  /// A line of `fdinfo`, by its name.
  static func number(_ name: StaticString, in text: [UInt8]) -> UInt64? {
    let name = name.withUTF8Buffer { Array($0) }
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: name) {
      return decimal(line.dropFirst(name.count).drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") })
    }
    return nil
  }

  /// The superblock's device of a mount, from the first and third words of its line of `mountinfo`. What follows holds
  /// names that strangers chose: should one bring a line of its own that says otherwise, nothing is known.
  static func device(ofMount mount: UInt64, in text: [UInt8]) -> UInt32? {
    var found: UInt32?
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let words = line.prefix(64).split(separator: UInt8(ascii: " "), maxSplits: 3)
      guard words.count == 4, decimal(words[0]) == mount else { continue }
      let parts = words[2].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(decimal)
      guard parts.count == 2, let major = parts[0], let minor = parts[1], major < 1 << 12, minor < 1 << 20 else {
        return nil
      }
      let device = UInt32(major << 20 | minor)
      guard found == nil || found == device else { return nil }
      found = device
    }
    return found
  }

  private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
    UInt64(String(decoding: digits, as: UTF8.self))
  }
}
