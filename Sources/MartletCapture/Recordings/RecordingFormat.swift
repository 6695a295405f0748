// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import CZlib
import Glibc

/// The bytes of a recording: a header, then one frame for each record.
///
///     header   magic (8)  byte order (4)  version (2)  header length (2)  reserved (12)  CRC-32 of all before (4)
///     frame    length of the record (4)  CRC-32 of that length and the record (4)  the record
///
/// Numbers are in the byte order of the machine that recorded; the header says which. A record is a multiple of eight
/// bytes long, so everything stays aligned. The last record of a recording that was not cut off is MARTLET_KIND_END.
/// Damage is found where it is, because every frame bears a checksum of its own, and costs nothing that came before.
enum RecordingFormat {
  static let headerByteCount = 32
  static let frameHeaderByteCount = 8
  static let version: UInt16 = 1
  /// Far above what the kernel side makes: room for what later versions may record.
  static let recordByteCountMax = 1 << 20
  /// The first byte is in no text, and a transfer that changes line ends changes the magic.
  static let magic: [UInt8] = [0x8d, 0x4d, 0x52, 0x54, 0x4c, 0x0d, 0x0a, 0x1a]
  private static let byteOrderMark: UInt32 = 0x0102_0304

  static func header() -> [UInt8] {
    var bytes = magic
    append(byteOrderMark, to: &bytes)
    append(version, to: &bytes)
    append(UInt16(headerByteCount), to: &bytes)
    bytes += [UInt8](repeating: 0, count: headerByteCount - 4 - bytes.count)
    let sum = bytes.withUnsafeBytes { checksum($0) }
    append(sum, to: &bytes)
    return bytes
  }

  /// What is wrong with these bytes as a header; nil if they are one.
  static func problem(withHeader bytes: UnsafeRawBufferPointer) -> RecordingError.Code? {
    guard bytes.count >= magic.count, zip(magic, bytes).allSatisfy(==) else { return .foreign }
    guard bytes.count >= headerByteCount else { return .truncated }
    let order = bytes.load(fromByteOffset: 8, as: UInt32.self)
    guard order == byteOrderMark else {
      return order == byteOrderMark.byteSwapped ? .otherByteOrder : .damaged
    }
    let sum = bytes.load(fromByteOffset: headerByteCount - 4, as: UInt32.self)
    guard sum == checksum(UnsafeRawBufferPointer(rebasing: bytes[..<(headerByteCount - 4)])) else { return .damaged }
    let found = bytes.load(fromByteOffset: 12, as: UInt16.self)
    return found == version ? nil : .version(found)
  }

  /// Of a frame: its length field and its record together.
  static func checksum(length: UInt32, record: UnsafeRawBufferPointer) -> UInt32 {
    let first = withUnsafeBytes(of: length) { checksum($0) }
    return UInt32(truncatingIfNeeded: crc32_z(uLong(first), pointer(record), record.count))
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, pointer(bytes), bytes.count))
  }

  private static func pointer(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }

  static func append<Number>(_ number: Number, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number) { bytes += $0 }
  }
}

/// Why a recording could not be written, or not be read further.
public struct RecordingError: Error, Equatable, Sendable {
  public enum Code: Equatable, Sendable {
    /// Nothing is in it.
    case empty
    /// It is not a recording.
    case foreign
    case version(UInt16)
    case otherByteOrder
    /// It ends in the middle, or without the record that ends a whole one.
    case truncated
    /// Bytes are not those that were written.
    case damaged
    /// It is to be written through a symbolic link.
    case link
    /// It is to be written to what is neither a file nor a pipe.
    case noFile
    case system(errno: Int32)
  }

  public let code: Code
  public let path: String
  /// Where in the file reading had to stop; all before it was good.
  public let offset: UInt64

  init(_ code: Code, path: String, offset: UInt64 = 0) {
    self.code = code
    self.path = path
    self.offset = offset
  }

  /// For those who open the file before they know what it is.
  public static func empty(_ path: String) -> RecordingError { RecordingError(.empty, path: path) }
  public static func reading(_ path: String, errno: Int32) -> RecordingError {
    RecordingError(.system(errno: errno), path: path)
  }
}

extension RecordingError: CustomStringConvertible {
  public var description: String {
    let name = Self.name(ofFile: path)
    return switch code {
    case .empty: "\(name) is empty"
    case .foreign: "\(name) is not a recording"
    case .version(let version):
      "\(name) was recorded in version \(version) of the format; this program reads version \(RecordingFormat.version)"
    case .otherByteOrder: "\(name) was recorded on a machine with another byte order"
    case .truncated: "\(name) ends too early, at byte \(offset)"
    case .damaged: "\(name) is damaged at byte \(offset)"
    case .link: "\(name) is a symbolic link: name the file itself"
    case .noFile: "\(name) is no file"
    case .system(let code): "\(name): \(String(cString: strerror(code)))"
    }
  }

  /// What messages call the input at `path`.
  public static func name(ofFile path: String) -> String { path == "-" ? "standard input" : "'\(path)'" }
}
