// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents

/// The texts of a program that was executed: shared by a process and the children that it forks.
///
/// One heap block: this header, then the bytes. Counted by hand, because a process entry must stay a trivial value
/// for the hot path to read it without touching a reference count.
struct ProcessImage {
  struct Span {
    var offset: UInt32 = 0
    var count: UInt32 = 0
  }

  var referenceCount: Int32
  /// Captured events that show it, beside the processes that `referenceCount` counts.
  var holderCount: Int32 = 0
  var byteCount: Int
  var exePath = Span()
  /// argv[0].
  var exe = Span()
  /// comm, a space and the arguments; `arguments` is its tail.
  var commandLine = Span()
  var arguments = Span()
  /// The same, each ended by NUL but the last.
  var separateArguments = Span()
  /// `NAME=VALUE`, each ended by NUL.
  var environment = Span()
  /// With a slash at its end. The last text of the block, so that it can be exchanged.
  var directory = Span()
  /// MARTLET_FILE_*
  var exeFlags: UInt32
  var exeInode: UInt64
  /// Nanoseconds since 1970; 0 where unknown.
  var exeChangedNanoseconds: UInt64
  var exeModifiedNanoseconds: UInt64
  var hasPath = true
  var hasArguments = true
  var hasEnvironment = false

  typealias Reference = UnsafeMutablePointer<ProcessImage>

  /// Bytes that the image of `record` takes at most.
  static func byteCount(for record: EventRecord) -> Int {
    let part = record.process.pointee
    return MemoryLayout<ProcessImage>.stride + Int(part.exe_path.length_bytes)
      + Int(part.arguments.length_bytes) * 2 + Int(MARTLET_COMM_BYTES) + Int(part.directory.length_bytes) + 4
      + (record.environment?.count ?? 0)
  }

  /// What is kept of an executable's path when there is no room for more: enough to name any program of a distribution,
  /// so little that it does not matter for all processes together.
  private static let shortPathByteCountMax = 256

  /// Makes the image of an exec record. Without `keepsAll` only the executable's path is kept, if it is short.
  static func make(from record: EventRecord, keepsAll: Bool) -> Reference {
    let part = record.process.pointee
    let path = record.bytes(part.exe_path)
    let keepsPath = keepsAll || path.count <= shortPathByteCountMax
    let byteCount =
      keepsAll ? byteCount(for: record) : MemoryLayout<ProcessImage>.stride + (keepsPath ? path.count : 0)
    let (image, texts) = allocate(
      ProcessImage(
        referenceCount: 1, byteCount: byteCount, exeFlags: part.exe_flags, exeInode: part.exe_inode,
        exeChangedNanoseconds: part.exe_changed_ns, exeModifiedNanoseconds: part.exe_modified_ns))
    var writer = texts
    image.pointee.hasPath = keepsPath
    image.pointee.hasArguments = keepsAll
    if keepsPath { image.pointee.exePath = writer.append(path) }
    if keepsAll { image.pointee.fill(from: record, into: &writer) }
    return image
  }

  /// The same image without all that is kept only where there is room.
  static func makeShort(from image: Reference) -> Reference {
    let path = view(image, .exePath).flatMap { $0.count <= shortPathByteCountMax ? $0 : nil }
    let (short, texts) = allocate(
      ProcessImage(
        referenceCount: 1, byteCount: MemoryLayout<ProcessImage>.stride + (path?.count ?? 0),
        exeFlags: image.pointee.exeFlags, exeInode: image.pointee.exeInode,
        exeChangedNanoseconds: image.pointee.exeChangedNanoseconds,
        exeModifiedNanoseconds: image.pointee.exeModifiedNanoseconds))
    var writer = texts
    short.pointee.hasPath = path != nil
    short.pointee.hasArguments = false
    if let path { short.pointee.exePath = writer.append(path) }
    return short
  }

  /// The same image with another working directory; nil for one that keeps none.
  static func make(from image: Reference, directory: ByteView) -> Reference? {
    guard image.pointee.hasArguments else { return nil }
    let headerByteCount = MemoryLayout<ProcessImage>.stride
    let keptByteCount = Int(image.pointee.directory.offset)
    var header = image.pointee
    header.referenceCount = 1
    header.holderCount = 0
    header.byteCount = headerByteCount + keptByteCount + directory.count + 1
    let (copy, space) = allocate(header)
    var writer = space
    let texts = (UnsafeRawPointer(image) + headerByteCount).assumingMemoryBound(to: UInt8.self)
    _ = writer.append(ByteView(start: texts, count: keptByteCount))
    copy.pointee.directory = writer.append(directory: directory)
    return copy
  }

  /// A block of the size that `header` says, which begins with it, and what writes the texts behind it.
  private static func allocate(_ header: ProcessImage) -> (Reference, TextWriter) {
    let headerByteCount = MemoryLayout<ProcessImage>.stride
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: header.byteCount, alignment: MemoryLayout<ProcessImage>.alignment)
    let image = block.bindMemory(to: ProcessImage.self, capacity: 1)
    image.initialize(to: header)
    let writer = TextWriter(
      start: (block + headerByteCount).assumingMemoryBound(to: UInt8.self),
      capacity: header.byteCount - headerByteCount)
    return (image, writer)
  }

  /// One captured event more shows it, or one less; whoever is the last frees it.
  static func hold(_ image: Reference) { image.pointee.holderCount += 1 }

  static func letGo(_ image: Reference) {
    image.pointee.holderCount -= 1
    freeIfUnused(image)
  }

  static func freeIfUnused(_ image: Reference) {
    if image.pointee.referenceCount == 0, image.pointee.holderCount == 0 { UnsafeMutableRawPointer(image).deallocate() }
  }

  private mutating func fill(from record: EventRecord, into writer: inout TextWriter) {
    let part = record.process.pointee
    let arguments = record.bytes(part.arguments)
    let exeEnd = arguments.firstIndex(of: 0) ?? arguments.count
    exe = writer.append(arguments.slice(from: 0, to: exeEnd))
    var rest = arguments.slice(from: exeEnd + 1, to: arguments.count)
    if rest.count > 0, rest[rest.count - 1] == 0 { rest = rest.slice(from: 0, to: rest.count - 1) }
    separateArguments = writer.append(rest)
    let start = writer.count
    _ = writer.append(record.comm)
    if exeEnd + 1 < arguments.count { writer.append(byte: UInt8(ascii: " ")) }
    self.arguments = writer.append(rest, replacing: 0, with: UInt8(ascii: " "))
    commandLine = Span(offset: UInt32(start), count: UInt32(writer.count - start))
    if let environment = record.environment {
      self.environment = writer.append(environment)
      hasEnvironment = true
    }
    directory = writer.append(directory: record.bytes(part.directory))
  }

  /// Which of the texts.
  enum Text {
    case exePath, exe, commandLine, arguments, separateArguments, environment, directory
  }

  /// Nil where it was not kept.
  static func view(_ image: Reference, _ text: Text) -> ByteView? {
    let span: Span
    switch text {
    case .exePath: span = image.pointee.exePath
    case .exe: span = image.pointee.exe
    case .commandLine: span = image.pointee.commandLine
    case .arguments: span = image.pointee.arguments
    case .separateArguments: span = image.pointee.separateArguments
    case .environment:
      guard image.pointee.hasEnvironment else { return nil }
      span = image.pointee.environment
    case .directory: span = image.pointee.directory
    }
    guard text == .exePath ? image.pointee.hasPath : image.pointee.hasArguments else { return nil }
    let texts = UnsafeRawPointer(image) + MemoryLayout<ProcessImage>.stride + Int(span.offset)
    return ByteView(start: texts.assumingMemoryBound(to: UInt8.self), count: Int(span.count))
  }
}

/// Appends to a block of fixed size; running over it is a programming error and traps.
private struct TextWriter {
  let start: UnsafeMutablePointer<UInt8>
  let capacity: Int
  private(set) var count = 0

  init(start: UnsafeMutablePointer<UInt8>, capacity: Int) {
    self.start = start
    self.capacity = capacity
  }

  mutating func append(byte: UInt8) {
    precondition(count < capacity, "an image's block is too small for its texts")
    start[count] = byte
    count += 1
  }

  mutating func append(_ bytes: ByteView) -> ProcessImage.Span {
    precondition(bytes.count <= capacity - count, "an image's block is too small for its texts")
    (start + count).update(from: bytes.start, count: bytes.count)
    defer { count += bytes.count }
    return ProcessImage.Span(offset: UInt32(count), count: UInt32(bytes.count))
  }

  /// A path, with a slash at its end.
  mutating func append(directory path: ByteView) -> ProcessImage.Span {
    var span = append(path)
    guard path.count == 0 || path[path.count - 1] != UInt8(ascii: "/") else { return span }
    append(byte: UInt8(ascii: "/"))
    span.count += 1
    return span
  }

  mutating func append(_ bytes: ByteView, replacing old: UInt8, with new: UInt8) -> ProcessImage.Span {
    let span = append(bytes)
    for index in 0..<bytes.count where bytes[index] == old {
      start[Int(span.offset) + index] = new
    }
    return span
  }
}
