// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents

/// What rules ask about the descriptor of an event: a file that was opened, or a socket.
extension EventContext {
  mutating func extractDescriptor(_ field: Field, index: Int) -> FieldValue {
    guard let record else { return .missing }
    switch record.kind {
    case .open: return extractFile(field, record)
    case .connect: return extractSocket(field, record.connect.pointee, end: index)
    case .unix: return extractUnixSocket(field, record)
    case .call: return extractCallDescriptor(field, record, end: index)
    default: return .missing
    }
  }

  /// Rules ask for the name of an opened file dozens of times an event: nothing is copied, and only what a field needs
  /// is looked at.
  private mutating func extractFile(_ field: Field, _ record: EventRecord) -> FieldValue {
    let part = record.open
    let hasFile = part.pointee.result >= 0
    switch field {
    case .fdName: return text(viewedPath())
    case .fdNameRaw: return text(rawPath())
    case .fdRealPath: return text(resolvedPath)
    case .fdDirectory: return text(viewedPath().map { isDirectory(part) ? $0 : PathText.directory(of: $0) })
    case .fdFilename: return hasFile ? text(viewedPath().map { PathText.filename(of: $0) }) : .missing
    case .fdNumber: return .signed(hasFile ? part.pointee.result : -1)
    case .fdType: return hasFile ? .text(isDirectory(part) ? "directory" : "file") : .missing
    case .fdTypeChar: return .text(isDirectory(part) ? "d" : "f")
    case .fdInode: return hasFile ? .signed(Int64(bitPattern: part.pointee.inode)) : .missing
    case .fdDevice: return hasFile ? .signed(Int64(userDevice(part.pointee.device))) : .missing
    case .fdDeviceMajor: return hasFile ? .signed(Int64(part.pointee.device >> 20)) : .missing
    case .fdDeviceMinor: return hasFile ? .signed(Int64(part.pointee.device & 0xf_ffff)) : .missing
    case .fdIsUpperLayer: return hasFile ? .boolean(part.pointee.file_flags & MARTLET_FILE_UPPER_LAYER != 0) : .missing
    case .fdIsLowerLayer: return hasFile ? .boolean(part.pointee.file_flags & MARTLET_FILE_LOWER_LAYER != 0) : .missing
    case .pathName: return text(spelledPath())
    case .pathNameRaw: return text(part.pointee.name.length_bytes > 0 ? record.bytes(part.pointee.name) : rawPath())
    case .fdProtocol: return .text("<NA>")
    case .fdIsConnected, .fdHasNewName: return hasFile ? .boolean(false) : .missing
    default: return .missing
    }
  }

  /// Of an open: what `fd.name`, `fd.directory` and `fd.filename` come from, besides the name itself. Equal for two opens
  /// with the same `fd.name`, all three are. Nil for other events, whose three may differ for other reasons.
  public var pathTraits: UInt8? {
    guard let record, record.kind == .open else { return nil }
    return (record.open.pointee.result >= 0 ? 1 : 0) | (isDirectory(record.open) ? 2 : 0)
  }

  private func isDirectory(_ part: UnsafePointer<martlet_open>) -> Bool {
    let typeMask: UInt32 = 0o170000
    let directory: UInt32 = 0o040000
    return part.pointee.result >= 0 && part.pointee.inode_mode & typeMask == directory
  }

  func text(_ bytes: ByteView?) -> FieldValue { bytes.map { .text($0) } ?? .missing }

  /// The device number as stat(2) gives it, from the kernel's own encoding.
  func userDevice(_ device: UInt32) -> UInt64 {
    let major = UInt64(device >> 20)
    let minor = UInt64(device & 0xf_ffff)
    return minor & 0xff | (major & 0xfff) << 8 | (minor & ~0xff) << 12 | (major & ~0xfff) << 32
  }
}
