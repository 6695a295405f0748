// SPDX-License-Identifier: Apache-2.0

import CMartletFiles
import Glibc

/// A file that another process opened, found by ways that its container cannot bend: whatever a path or a link leads to,
/// only the inode that the kernel told of is read.
struct ForeignFile: ~Copyable {
  let descriptor: Int32
  let status: martlet_file_status

  private init(descriptor: Int32, status: martlet_file_status) {
    self.descriptor = descriptor
    self.status = status
  }

  deinit { close(descriptor) }

  /// The process's own descriptor first: it is this file whatever became of its name. Then a mapping of it, which stays
  /// when the descriptor is closed. Then the path, below the process's root, where no link leads out; where the process has
  /// ended, below that of a process in the same cgroup.
  static func open(_ request: HashRequest) throws(HashFailure) -> ForeignFile {
    var wasOther = false
    let identity = FileIdentity(device: request.device, inode: request.inode)
    var places = [byDescriptor, byMapping].lazy.map { (request.processID, $0(request)) }.makeIterator()
    var neighbours = Neighbours(of: request)
    while let (process, place) = places.next() ?? neighbours.next().map({ ($0, byPath(request, below: $0)) }) {
      guard place >= 0 else { continue }
      defer { close(place) }
      var status = martlet_file_status()
      guard martlet_files_status(place, &status) == 0, identity.isThat(of: place, status, seenBy: process) else {
        continue
      }
      // Nothing has been opened yet: a FIFO would hang, and a device act.
      guard status.isRegular else {
        wasOther = true
        continue
      }
      return try reopen(place, status)
    }
    throw wasOther ? .notRegular : .gone
  }

  /// Whether the process has the file open or mapped. Who cannot be looked at, or has too many files open to look at all of
  /// them, may well. Looks at numbers only, so that no file is touched.
  static func isHeld(_ request: HashRequest) -> Bool {
    if mapping(of: request) != nil { return true }
    let folder = "/proc/\(request.processID)/fdinfo"
    guard let listing = opendir(folder) else { return errno != ENOENT && errno != ESRCH }
    defer { closedir(listing) }
    var left = descriptorsMax
    while let entry = readdir(listing) {
      guard left > 0 else { return true }
      left -= 1
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.first?.isNumber ?? false, let text = bytes(of: "\(folder)/\(name)", byteCountMax: 4096) else {
        continue
      }
      if FileIdentity.number("ino:", in: text) == request.inode { return true }
    }
    return false
  }

  // MARK: - Ways to it, as descriptors that stand for a place only

  private static func byDescriptor(_ request: HashRequest) -> Int32 {
    guard request.descriptor >= 0 else { return -1 }
    return martlet_files_place("/proc/\(request.processID)/fd/\(request.descriptor)")
  }

  private static func byMapping(_ request: HashRequest) -> Int32 {
    guard let range = mapping(of: request) else { return -1 }
    return martlet_files_place("/proc/\(request.processID)/map_files/\(range)")
  }

  private static func byPath(_ request: HashRequest, below process: UInt32) -> Int32 {
    guard !request.path.isEmpty, !request.path.contains(0) else { return -1 }
    let root = martlet_files_place("/proc/\(process)/root")
    guard root >= 0 else { return -1 }
    defer { close(root) }
    return (request.path + [0]).withUnsafeBufferPointer { path in
      path.withMemoryRebound(to: CChar.self) { martlet_files_place_below(root, $0.baseAddress) }
    }
  }

  /// The name, in `map_files`, of a mapping of the file. On an overlay the device is another one, so the inode's number
  /// has to do: what is opened by it is looked at again.
  private static func mapping(of request: HashRequest) -> Substring? {
    guard let maps = text("/proc/\(request.processID)/maps", byteCountMax: mapsBytesMax) else { return nil }
    for line in maps.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      guard words.count >= 5, UInt64(words[4]) == request.inode else { continue }
      let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard ends.count == 2 else { continue }
      // Without leading zeros there.
      return "\(String(ends[0], radix: 16))-\(String(ends[1], radix: 16))"[...]
    }
    return nil
  }

  private static let mapsBytesMax = 16 << 20
  private static let descriptorsMax = 65_536

  private static func reopen(_ place: Int32, _ status: martlet_file_status) throws(HashFailure) -> ForeignFile {
    let descriptor = martlet_files_read(place)
    guard descriptor >= 0 else { throw .unreadable }
    return ForeignFile(descriptor: descriptor, status: status)
  }

  /// The beginning of a file of /proc.
  static func bytes(of path: String, byteCountMax: Int) -> [UInt8]? {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count < byteCountMax {
      let count = read(file, &chunk, chunk.count)
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return bytes
  }

  fileprivate static func text(_ path: String, byteCountMax: Int) -> String? {
    bytes(of: path, byteCountMax: byteCountMax).map { String(decoding: $0, as: UTF8.self) }
  }
}

/// The process itself, then others in its cgroup, which mostly see the same files, then the first of all and this one, for
/// what lies on the host.
private struct Neighbours: IteratorProtocol {
  private let request: HashRequest
  private var step = 0
  private var others: [UInt32] = []

  static let countMax = 8
  private static let firstProcess: UInt32 = 1

  init(of request: HashRequest) { self.request = request }

  mutating func next() -> UInt32? {
    step += 1
    if step == 1 { return request.processID }
    // Looked for only when it is needed: it costs a look at every process.
    if step == 2 { others = Self.inCgroup(request) + [Self.firstProcess, UInt32(getpid())] }
    return others.isEmpty ? nil : others.removeFirst()
  }

  private static func inCgroup(_ request: HashRequest) -> [UInt32] {
    guard !request.cgroupName.isEmpty, let listing = opendir("/proc") else { return [] }
    defer { closedir(listing) }
    let ending = "/" + String(decoding: request.cgroupName, as: UTF8.self)
    var found: [UInt32] = []
    while found.count < countMax, let entry = readdir(listing) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let process = UInt32(name), process != request.processID,
        let text = ForeignFile.text("/proc/\(name)/cgroup", byteCountMax: 16 << 10)
      else { continue }
      if text.split(separator: "\n").contains(where: { $0.hasSuffix(ending) }) { found.append(process) }
    }
    return found
  }
}

extension martlet_file_status {
  var isRegular: Bool { mode & 0o170000 == 0o100000 }
  var isFolder: Bool { mode & 0o170000 == 0o040000 }
}

extension FileTimes {
  init(_ status: martlet_file_status) {
    self.init(size: status.size_bytes, modified: status.modified_ns, changed: status.changed_ns)
  }
}
