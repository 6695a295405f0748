// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

@Suite(
  "container harness", .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")))
struct RuncContainerTests {
  @Test("a container lives in the cgroup that was asked for, in every hierarchy that limits it")
  func cgroupPath() throws {
    let podUID = ContainerCgroupPath.newPodUID()
    try RuncContainer.with(cgroupPath: .kubernetes(podUID: podUID)) { container in
      #expect(container.id.count == 64)
      #expect(container.cgroupPath == "/kubepods/burstable/pod\(podUID)/\(container.id)")
      let paths = try cgroupPaths(of: container.pid)
      #expect(paths[""] == container.cgroupPath)
      if let memory = paths["memory"] { #expect(memory == container.cgroupPath) }
    }
  }

  @Test(
    "every runtime's path shape can be had",
    arguments: [ContainerCgroupPath.kubernetesSystemd(), .docker(), .podman(), .init(path: "/k8s.io/web")])
  func shapes(cgroupPath: ContainerCgroupPath) throws {
    try RuncContainer.with(cgroupPath: cgroupPath) { container in
      let paths = try cgroupPaths(of: container.pid)
      #expect(paths[""] == cgroupPath.path)
    }
  }

  @Test("a program runs inside and its status and both streams come back")
  func exec() throws {
    try RuncContainer.with { container in
      let shadow = try container.exec(["cat", "/etc/shadow"])
      #expect(shadow.succeeded && shadow.output.hasPrefix("root:*:"))
      let failing = try container.exec(["sh", "-c", "echo out; echo err >&2; exit 7"])
      #expect(failing.status == .exited(7))
      #expect(failing.output == "out\n" && failing.errors == "err\n")
      let terminal = try container.exec(["tty"])
      #expect(terminal.status == .exited(1) && terminal.output == "not a tty\n")
    }
  }

  @Test("a program can be given a terminal")
  func execWithTerminal() throws {
    try RuncContainer.with { container in
      let result = try container.exec(["sh", "-c", "tty; exit 5"], terminal: true)
      #expect(result.status == .exited(5))
      #expect(result.output == "/dev/pts/0\n")
    }
  }

  @Test("there is a default route, and what takes it is lost inside the container's own network")
  func network() throws {
    try RuncContainer.with { container in
      let routes = try container.exec(["ip", "route"]).output
      #expect(routes.contains("default dev eth0"))
      let namespace = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(container.pid)/ns/net")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net") != namespace)
      let connection = try container.exec(["nc", "-w", "1", "203.0.113.7", "443"])
      #expect(connection.status == .exited(1))
      #expect(connection.errors.contains("timed out"))
    }
  }

  @Test("the files on the host are those the container sees")
  func files() throws {
    try RuncContainer.with { container in
      try Data("hello".utf8).write(to: URL(fileURLWithPath: container.hostPath("/tmp/note")))
      #expect(try container.exec(["cat", "/tmp/note"]).output == "hello")
      #expect(try container.exec(["wc", "-c", "/models/x.safetensors"]).output.hasPrefix("10 "))
    }
  }

  @Test("nothing is left of a container whose test throws")
  func removedWhenThrowing() throws {
    struct Interruption: Error {}
    var seen: RuncContainer?
    #expect(throws: Interruption.self) {
      try RuncContainer.with { container in
        seen = container
        throw Interruption()
      }
    }
    try expectGone(#require(seen))
  }

  @Test("nothing is left of a container that is deleted, and deleting again is fine")
  func removed() throws {
    let container = try RuncContainer.create()
    #expect(FileManager.default.fileExists(atPath: container.hostPath("/etc/passwd")))
    try container.delete()
    try container.delete()
    try expectGone(container)
  }

  @Test("a container that cannot be started is an error with runc's reason, and leaves nothing")
  func cannotStart() throws {
    let cgroupPath = ContainerCgroupPath.kubernetes()
    let error = #expect(throws: HarnessError.self) {
      try RuncContainer.create(cgroupPath: cgroupPath, arguments: ["/no/such/program"])
    }
    #expect(error?.description.contains("no such file") == true)
    expectNoCgroup(cgroupPath.path)
  }

  private func expectGone(_ container: RuncContainer) throws {
    #expect(!FileManager.default.fileExists(atPath: container.hostPath("")))
    expectNoCgroup(container.cgroupPath)
    // The init may linger as a zombie of a slow reaper; a zombie has no cgroup but the root's and no command line.
    let commandLine = try? String(contentsOfFile: "/proc/\(container.pid)/cmdline", encoding: .utf8)
    #expect((commandLine ?? "").isEmpty)
  }

  private func expectNoCgroup(_ path: String) {
    let pod = URL(fileURLWithPath: path).deletingLastPathComponent().path
    for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu"] {
      #expect(!FileManager.default.fileExists(atPath: root + path))
      #expect(!FileManager.default.fileExists(atPath: root + pod))
    }
  }

  /// Controller (empty for version 2) to path, from `/proc/PID/cgroup`.
  private func cgroupPaths(of pid: Int32) throws -> [String: String] {
    let text = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8)
    var paths: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
        paths[String(controller)] = String(parts[2])
      }
    }
    return paths
  }
}
