// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import MartletSignatures
import Testing

@testable import MartletModels

/// Which file a descriptor stands for, where stat(2) tells other numbers than the kernel's own.
@Suite("Identity of files", .timeLimit(.minutes(5)))
struct FileIdentityTests {
  @Test(
    "a mount's device is what the kernel wrote of it, whatever names say",
    arguments: [
      ("70 45 0:40 / /a rw - tmpfs none rw\n72 45 0:43 / /b rw - overlay none rw\n", 0x2b),
      ("72 45 259:1048575 / /b rw", 259 << 20 | 0xf_ffff),
      ("72 45 0:43 / /\(String(repeating: "x", count: 100_000)) rw\n", 0x2b),
      ("172 45 0:40 / /a rw\n7 72 0:41 / /a rw\n", nil), ("", nil), ("\n\n72", nil), ("72 45 0:4", nil),
      ("72 45 0:43\n", nil), ("72 45 0 / /\n", nil), ("72 45 0:43:1 / /\n", nil), ("72 45 x:y / /\n", nil),
      ("72 45 4096:1 / /\n", nil), ("72 45 0:1048576 / /\n", nil), ("72 45 :43 / /\n", nil),
      // A name that brings a line of its own.
      ("72 45 0:43 / /b rw\n70 45 0:40 / /evil\n72 45 0:50 / /b rw\n", nil),
      ("72 45 0:50 / /b rw\n72 45 0:43 / /b rw\n", nil), ("72 45 0:43 / /b rw\n72 45 0:43 / /b rw\n", 0x2b),
    ])
  func mounts(text: String, device: Int?) {
    #expect(FileIdentity.device(ofMount: 72, in: Array(text.utf8)) == device.map(UInt32.init))
  }

  @Test("numbers of a descriptor are those of whole lines")
  func numbers() {
    let text = Array("pos:\t0\nflags:\t012\nmnt_id:\t72\nino:\t18446744073709551615\nlock: ino:\t3\n".utf8)
    #expect(FileIdentity.number("ino:", in: text) == .max && FileIdentity.number("mnt_id:", in: text) == 72)
    #expect(FileIdentity.number("ino:", in: Array("xino:\t3\nino:\t-3\n".utf8)) == nil)
  }

  @Test(
    "on an overlay over two file systems a file is read by descriptor, by mapping and by path",
    .enabled(if: MountedFolder.Kind.overlay.missing == nil, "needs root"))
  func overlay() throws { try expectReading(.overlay) }

  @Test(
    "on a subvolume of btrfs a file is read by descriptor, by mapping and by path",
    .enabled(if: MountedFolder.Kind.btrfs.missing == nil, Comment(rawValue: MountedFolder.Kind.btrfs.missing ?? "")))
  func btrfs() throws { try expectReading(.btrfs) }

  private func expectReading(_ kind: MountedFolder.Kind) throws {
    let weights = Data("GGUF weights".utf8)
    let folder = try MountedFolder(kind, ["x.gguf": Array(weights)])
    let path = folder.path + "/x.gguf"
    let file = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    let mapping = mmap(nil, weights.count, PROT_READ, MAP_PRIVATE, file, 0)
    let identity = try Self.identity(of: path)
    var status = stat()
    try #require(fstat(file, &status) == 0)
    try #require(UInt64(status.st_dev) != identity.userDevice, "stat tells the kernel's own numbers here")
    let program = FileReader.Program(path: try AgentBinary.path(), arguments: ModelVerdicts.readerArguments + ["0"])
    let reader = FileReader(program, patienceSeconds: 250) { _ in }
    var request = HashRequest(processID: UInt32(getpid()), device: identity.device, inode: identity.inode)
    func expect(_ way: String) {
      guard case .digest(let read) = reader.ask(request) else {
        Issue.record("not read by \(way)")
        return
      }
      #expect(read.digest == Digest256(of: Array(weights)))
    }
    expect("mapping")
    request.descriptor = file
    expect("descriptor")
    munmap(mapping, weights.count)
    request.descriptor = -1
    request.path = Array(path.utf8)
    expect("path")
    request.device += 1
    #expect(reader.ask(request) == .failed(.gone))
    request.device -= 1
    request.inode += 1
    #expect(reader.ask(request) == .failed(.gone))
  }

  /// As the kernel says it of mappings, which is another way than the one under test.
  private static func identity(of path: String) throws -> FileIdentity {
    let maps = try #require(ForeignFile.bytes(of: "/proc/self/maps", byteCountMax: 1 << 20))
    let lines = String(decoding: maps, as: UTF8.self).split(separator: "\n")
    let line = try #require(lines.first { $0.hasSuffix(" " + path) })
    let words = line.split(separator: " ")
    let parts = words[3].split(separator: ":").compactMap { UInt32($0, radix: 16) }
    try #require(parts.count == 2)
    return FileIdentity(device: parts[0] << 20 | parts[1], inode: try #require(UInt64(words[4])))
  }
}
