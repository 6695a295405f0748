// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import MartletEvents
import Testing

@testable import MartletEnrichment

@Suite("Runtimes' folders", .timeLimit(.minutes(5)))
final class FolderClientTests {
  private let folder = "/tmp/martlet-folders-\(UUID().uuidString)"
  private let id = String(repeating: "a1", count: 32)

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func write(_ name: String, _ content: String) throws {
    let url = URL(fileURLWithPath: "\(folder)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(content.utf8).write(to: url)
  }

  private func describe() async throws -> ContainerReport? { try await FolderClient(path: folder).describe(id) }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test("containerd's bundle tells names, pod, image and mounts")
  func containerd() async throws {
    try write(
      "\(id)/config.json",
      """
      {"ociVersion": "1.0.2", "annotations": {"io.kubernetes.cri.container-name": "main",
        "io.kubernetes.cri.image-name": "registry.example:5000/shop/web:1.2", "io.kubernetes.cri.sandbox-id": "e",
        "io.kubernetes.cri.sandbox-name": "web-0", "io.kubernetes.cri.sandbox-namespace": "shop",
        "io.kubernetes.cri.sandbox-uid": "u"}, "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/node", "type": "bind", "source": "/etc", "options": ["rbind", "rslave", "ro"]},
        {"destination": "/data", "type": "bind", "source": "/srv"}]}
      """)
    let report = try #require(try await describe())
    #expect(report.runtime == .containerd && text(report.name) == "main" && text(report.podName) == "web-0")
    #expect(text(report.podNamespace) == "shop" && text(report.podUID) == "u" && text(report.sandboxID) == "e")
    #expect(text(report.imageRepository) == "registry.example:5000/shop/web" && text(report.imageTag) == "1.2")
    #expect(report.mounts?.map { text($0.destination) } == ["/node", "/data"])
    #expect(report.mounts?.map(\.isWritable) == [false, true])
    #expect(report.mounts?.map { text($0.propagation) } == ["rslave", "private"])
    #expect(report.isPrivileged == nil && report.startedNanoseconds == 0)
  }

  @Test("CRI-O's bundle lies one folder deeper, podman's tells little")
  func others() async throws {
    try write(
      "\(id)/userdata/config.json",
      """
      {"annotations": {"io.kubernetes.cri-o.ImageName": "shop/web:1", "io.kubernetes.container.name": "main",
        "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}}
      """)
    let report = try #require(try await describe())
    #expect(report.runtime == .crio && text(report.name) == "main" && text(report.podName) == "web-0")
    #expect(text(report.imageTag) == "1" && report.mounts == nil)
    try write("\(id)/userdata/config.json", #"{"annotations": {"io.container.manager": "libpod"}, "mounts": []}"#)
    let bare = try #require(try await describe())
    #expect(bare.runtime == .podman && bare.name.isEmpty && bare.mounts == [])
  }

  @Test("docker's folder tells as much as docker does, but for the image's digest")
  func docker() async throws {
    try write(
      "\(id)/config.v2.json",
      """
      {"ID": "x", "Name": "/web", "Image": "sha256:\(id)", "Config": {"Image": "shop/web:1", "Labels": {"app": "web"}},
        "State": {"StartedAt": "2026-11-21T15:44:48Z"}, "MountPoints": {
        "/b": {"Source": "/srv", "Destination": "/b", "RW": true}, "/a": {"Source": "/etc", "Destination": "/a"}}}
      """)
    try write("\(id)/hostconfig.json", #"{"Privileged": true, "NetworkMode": "host", "PidMode": ""}"#)
    let report = try #require(try await describe())
    #expect(report.runtime == .docker && text(report.name) == "web" && report.isPrivileged == true)
    #expect(text(report.imageRepository) == "shop/web" && text(report.imageID) == id && report.startedNanoseconds > 0)
    #expect(report.mounts?.map { text($0.destination) } == ["/a", "/b"] && report.hostNamespaces == [.network])
  }

  @Test("what is no regular file inside, too long, or no configuration says nothing, and hangs nobody")
  func hostile() async throws {
    #expect(try await describe() == nil)
    try write("\(id)/config.json", #"{"annotations": {"io.kubernetes.cri.container-name": 1}}"#)
    await #expect(throws: RuntimeFailure.unreadable) { try await describe() }
    try write("\(id)/config.json", String(repeating: " ", count: RuntimeLimits.answerByteCountMax) + "{}")
    #expect(try await describe() == nil)
    let path = "\(folder)/\(id)/config.json"
    unlink(path)
    try #require(mkfifo(path, 0o644) == 0)
    #expect(try await describe() == nil)
    unlink(path)
    try #require(symlink("/etc/hostname", path) == 0)
    #expect(try await describe() == nil)
    #expect(try await FolderClient(path: folder).describe("../\(id)") == nil)
    await #expect(throws: RuntimeFailure.unreachable) { try await FolderClient(path: folder + "/none").describe(id) }
  }
}
