// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The files of a test container: busybox with its applets, and the few files that tests touch.
enum RootFileSystem {
  /// What is there beside the programs. The model is a valid, empty safetensors file: eight bytes of length, a header.
  static let files: [(path: String, contents: String)] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ("etc/shadow", "root:*:19000:0:99999:7:::\n"),
    ("models/x.safetensors", "\u{2}\0\0\0\0\0\0\0{}"),
  ]

  static let applets = [
    "cat", "chmod", "chroot", "cp", "dd", "echo", "env", "false", "find", "grep", "head", "id", "ip", "kill", "ln",
    "ls",
    "mkdir", "mv", "nc", "ps", "readlink", "rm", "sed", "setsid", "sh", "sleep", "sync", "tail", "tee", "test", "touch",
    "true", "tty", "wc", "wget", "whoami", "xargs",
  ]

  /// Builds the tree at `root`, which must not exist.
  static func build(at root: URL) throws {
    guard let busybox = ContainerSupport.locate("busybox") else { throw HarnessError("no busybox") }
    let manager = FileManager.default
    for directory in ["bin", "dev", "etc", "models", "proc", "root", "sys", "tmp", "var"] {
      try manager.createDirectory(at: root.appendingPathComponent(directory), withIntermediateDirectories: true)
    }
    // Not written by this process: a program started meanwhile by another test would inherit the open file, and the
    // kernel refuses to run a program that somebody may still write to.
    try Child.check(["cp", busybox, root.appendingPathComponent("bin/busybox").path])
    for applet in applets {
      let link = root.appendingPathComponent("bin/\(applet)").path
      try manager.createSymbolicLink(atPath: link, withDestinationPath: "busybox")
    }
    for file in files {
      try Data(file.contents.utf8).write(to: root.appendingPathComponent(file.path))
    }
    try manager.setAttributes([.posixPermissions: 0o640], ofItemAtPath: root.appendingPathComponent("etc/shadow").path)
  }
}
