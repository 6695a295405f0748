// SPDX-License-Identifier: Apache-2.0

/// What a file system is, by the superblock's magic number: whether reading from it needs nobody but this kernel.
enum FileSystemKind {
  /// On disks and in memory of this machine.
  case local
  /// Nobody can write to it while it is mounted.
  case immutable
  /// A server answers each read, when it likes and what it likes; or nobody knows.
  case other

  init(magic: UInt64) {
    switch magic {
    // ext2 to ext4, xfs, btrfs, f2fs, bcachefs, zfs, tmpfs, ramfs, overlay, vfat, exfat, ntfs3.
    case 0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0xca45_1a4e, 0x2fc1_2fc1, 0x0102_1994, 0x8584_58f6, 0x794c_7630,
      0x4d44, 0x2011_bab0, 0x7366_746e:
      self = .local
    // squashfs, erofs, iso9660, cramfs.
    case 0x7371_7368, 0xe0f5_e1e2, 0x9660, 0x28cd_3d45: self = .immutable
    default: self = .other
    }
  }
}
