// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A real container, made by runc from busybox, with a cgroup path of the test's choosing.
///
///     try RuncContainer.with(cgroupPath: .kubernetes()) { container in
///       let result = try container.exec(["cat", "/etc/shadow"])
///     }
///
/// It has namespaces of its own, a network that leads nowhere, and runs `sleep` for a bounded time: even a test process
/// that is killed leaves nothing behind for long. Made as runtimes make it: created, network set up, started.
public final class RuncContainer: Sendable {
  /// How long the container's own process lives when nobody deletes it.
  public static let lifetimeSeconds = 300

  public let id: String
  public let cgroupPath: String
  /// The container's first process, as the host sees it.
  public let pid: Int32

  private let directory: URL
  private let view: CgroupView

  private init(id: String, cgroupPath: String, pid: Int32, directory: URL, view: CgroupView) {
    self.view = view
    self.id = id
    self.cgroupPath = cgroupPath
    self.pid = pid
    self.directory = directory
  }

  deinit {
    // The safety net for tests that throw; a deletion that fails here has nobody to tell.
    try? delete()
  }

  /// Runs `body` with a container that is gone afterwards, however `body` ends.
  public static func with<Result>(
    cgroupPath: ContainerCgroupPath = .kubernetes(), arguments: [String]? = nil, view: CgroupView = .asMounted,
    sharedFolders: [(host: String, container: String)] = [], files: [(path: String, contents: String)] = [],
    _ body: (RuncContainer) throws -> Result
  ) throws -> Result {
    let container = try create(
      cgroupPath: cgroupPath, arguments: arguments, view: view, sharedFolders: sharedFolders, files: files)
    let result: Result
    do {
      result = try body(container)
    } catch {
      try? container.delete()
      throw error
    }
    try container.delete()
    return result
  }

  /// Makes and starts a container; `arguments` is its first process, by default a bounded `sleep`. `sharedFolders`: folders
  /// of the host that it may read. `files`: put into its root, over those of every container.
  public static func create(
    cgroupPath: ContainerCgroupPath = .kubernetes(), arguments: [String]? = nil, view: CgroupView = .asMounted,
    sharedFolders: [(host: String, container: String)] = [], files: [(path: String, contents: String)] = []
  ) throws -> RuncContainer {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
    do {
      return try create(
        in: directory, view, cgroupPath, arguments ?? ["sleep", "\(lifetimeSeconds)"], sharedFolders, files)
    } catch {
      _ = try? Child.run(view.prefix + runc(in: directory) + ["delete", "--force", cgroupPath.containerID])
      try? CgroupTree.prune(cgroupPath.path)
      try? FileManager.default.removeItem(at: directory)
      throw error
    }
  }

  private static func create(
    in directory: URL, _ view: CgroupView, _ cgroup: ContainerCgroupPath, _ arguments: [String],
    _ sharedFolders: [(host: String, container: String)], _ files: [(path: String, contents: String)]
  ) throws -> RuncContainer {
    let root = directory.appendingPathComponent("rootfs")
    try RootFileSystem.build(at: root)
    for file in files { try Data(file.contents.utf8).write(to: root.appendingPathComponent(file.path)) }
    let configuration = RuncConfiguration(
      arguments: arguments, cgroupPath: cgroup.path, sharedFolders: sharedFolders)
    try configuration.encoded().write(to: directory.appendingPathComponent("config.json"))

    let pidFile = directory.appendingPathComponent("pid")
    let log = directory.appendingPathComponent("runc.log")
    let creation = ["--log", log.path, "create", "--bundle", directory.path, "--pid-file", pidFile.path]
    // The container inherits runc's streams and outlives it: captured, they would not end before the container does.
    let created = try CgroupTree.creating(cgroup.path) {
      try Child.run(view.prefix + runc(in: directory) + creation + [cgroup.containerID], streams: .discarded)
    }
    guard created.succeeded else {
      let reason = (try? String(contentsOf: log, encoding: .utf8)) ?? "no log"
      throw HarnessError("runc create ended with \(created.status): \(reason)")
    }
    guard let pid = Int32(try String(contentsOf: pidFile, encoding: .utf8)) else {
      throw HarnessError("runc left no pid")
    }
    let container = RuncContainer(
      id: cgroup.containerID, cgroupPath: cgroup.path, pid: pid, directory: directory, view: view)
    try ContainerNetwork.configure(namespaceOf: pid)
    try Child.check(container.runc + ["start", container.id])
    try container.waitUntilProgramRuns()
    return container
  }

  /// `runc start` returns when it has released its own init, a moment before that becomes the container's program.
  /// In between, init's first thread is exiting, and what `/proc` says about it is of no use to a test.
  private func waitUntilProgramRuns() throws {
    let deadline = Deadline.untilHung
    let name = URL(fileURLWithPath: "/proc/\(pid)/comm")
    // A process that is gone has run. While threads change places reading can fail although the process is there, so
    // that alone proves nothing. Only the kernel knows when an exec is done and it tells nobody: look often.
    while kill(pid, 0) == 0 {
      if let text = try? String(contentsOf: name, encoding: .utf8), !text.hasPrefix("runc:") { return }
      if deadline.hasPassed { throw HarnessError("runc's init did not become the container's program") }
      usleep(500)
    }
  }

  /// Runs a program inside to its end. With a terminal it gets one of its own, and both its streams arrive as `output`,
  /// without carriage returns: whether there are any depends on how fast runc sets the terminal up.
  public func exec(
    _ arguments: [String], terminal: Bool = false, within duration: Duration = .untilHung
  ) throws -> Finished {
    let command = runc + ["exec"] + (terminal ? ["--tty"] : []) + [id] + arguments
    let finished = try Child.run(command, streams: terminal ? .terminal : .captured, within: duration)
    guard terminal else { return finished }
    let output = finished.output.replacingOccurrences(of: "\r", with: "")
    return Finished(status: finished.status, output: output, errors: "")
  }

  /// Where a path inside the container is found on the host.
  public func hostPath(_ path: String) -> String {
    directory.appendingPathComponent("rootfs").path + path
  }

  /// Ends every process inside and removes all traces. Deleting again is fine.
  public func delete() throws {
    guard FileManager.default.fileExists(atPath: directory.path) else { return }
    try Child.check(runc + ["delete", "--force", id])
    try CgroupTree.prune(cgroupPath)
    try FileManager.default.removeItem(at: directory)
  }

  private var runc: [String] { view.prefix + Self.runc(in: directory) }

  /// runc with a state directory of the container's own, so that no other user of runc meets it.
  private static func runc(in directory: URL) -> [String] {
    ["runc", "--root", directory.appendingPathComponent("state").path]
  }
}
