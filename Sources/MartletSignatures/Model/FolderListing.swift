// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The files of a model's folder, and what was passed over.
struct FolderListing {
  /// Entries of all kinds; a model has hundreds.
  static let entriesMax = 500_000
  static let depthMax = 64

  /// Everything that is no folder, relative to the model.
  private(set) var names: Set<ExactText> = []
  /// Paths that were asked to be passed over and are there. Folders among them were not entered.
  private(set) var ignored: Set<ExactText> = []
  /// Of the regular files.
  private(set) var byteCount: Int64 = 0

  private let ignoring: Set<ExactText>
  private let attachments: [ModelCheck.Attachment]
  private var entryCount = 0

  /// Lists the folder that is open as `descriptor`.
  init(
    _ descriptor: Int32, ignoring: Set<ExactText>, attachments: [ModelCheck.Attachment]
  ) throws(Refusal) {
    self.ignoring = ignoring
    self.attachments = attachments
    let root = OpenFile(ModelFile.openAt(descriptor, Array(".".utf8) + [0], O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    guard root.descriptor >= 0 else { throw Refusal(.modelUnreadable, ".") }
    try list(root.descriptor, path: [], depth: 0)
  }

  private mutating func list(_ folder: Int32, path: [UInt8], depth: Int) throws(Refusal) {
    guard depth < Self.depthMax else { throw Refusal(.modelTooDeep, "'\(ExactText(path))'") }
    for name in try Self.entries(folder, path) {
      entryCount += 1
      guard entryCount <= Self.entriesMax else { throw Refusal(.modelTooManyFiles, "more than \(Self.entriesMax)") }
      let full = ExactText(path + name)
      var status = stat()
      guard ModelFile.statAt(folder, name + [0], &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        // Gone between the two looks: the second listing will differ if it matters.
        guard errno == ENOENT else { throw Refusal(.modelUnreadable, "'\(full)'") }
        continue
      }
      if ignoring.contains(full) || attachments.contains(where: { $0.isSame(name, status) }) {
        ignored.insert(full)
      } else if FileKind(status) == .folder {
        let inner = OpenFile(ModelFile.openAt(folder, name + [0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        guard inner.descriptor >= 0 else { throw Refusal(.modelUnreadable, "'\(full)'") }
        try list(inner.descriptor, path: full.bytes + [UInt8(ascii: "/")], depth: depth + 1)
      } else {
        names.insert(full)
        if FileKind(status) == .regular { byteCount += Int64(status.st_size) }
      }
    }
  }

  /// Names in a folder, without `.` and `..`.
  private static func entries(_ folder: Int32, _ path: [UInt8]) throws(Refusal) -> [[UInt8]] {
    let copy = fcntl(folder, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0, let stream = fdopendir(copy) else {
      if copy >= 0 { close(copy) }
      throw Refusal(.modelUnreadable, "'\(ExactText(path))'")
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    errno = 0
    while let entry = readdir(stream) {
      guard names.count <= entriesMax else { throw Refusal(.modelTooManyFiles, "more than \(entriesMax)") }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
    }
    guard errno == 0 else { throw Refusal(.modelUnreadable, "'\(ExactText(path))'") }
    return names
  }
}
