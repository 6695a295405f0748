// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A descriptor, closed when it goes.
struct Handle: ~Copyable {
  let descriptor: Int32

  /// Nil for what is none.
  init?(_ descriptor: Int32) {
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}

/// Tells one content of a file from another, as far as the file system says.
struct FileMark: Hashable, Sendable {
  private let numbers: [Int]

  init(_ status: stat) {
    numbers = [
      Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
      status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
    ]
  }
}

/// Files of strangers: only regular ones are opened, so that no FIFO hangs and no device acts, and only so much is read.
enum BoundedFile {
  /// A handle on the file of this name below `root`, which no link leads out of; negative for none. Opens nothing.
  static func locate(_ name: String, inRoot root: Int32) -> Int32 {
    linux_open_in_root(root, name, linux_path_flag | O_CLOEXEC)
  }

  /// The content of the file behind a handle; nil for none, for what is no regular file, and for what is longer.
  static func read(_ handle: Int32, byteCountMax: Int) -> [UInt8]? {
    var status = stat()
    guard fstat(handle, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= byteCountMax
    else { return nil }
    // Opened again through the handle: it is the same file, whatever its name leads to by now.
    let path = "/proc/self/fd/\(handle)"
    guard let file = Handle(open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) else { return nil }
    return readAll(file.descriptor, byteCountMax: byteCountMax)
  }

  /// All there is, of files of /proc as well; nil where there is more.
  static func readAll(_ descriptor: Int32, byteCountMax: Int) -> [UInt8]? {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0, content.count + count <= byteCountMax else { return nil }
      if count == 0 { return content }
      content += chunk[..<count]
    }
  }
}
