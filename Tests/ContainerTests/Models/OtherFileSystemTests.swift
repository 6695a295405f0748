// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// Models on file systems where stat(2) tells other numbers than the kernel's own, by which events name a file.
@Suite(
  "verdicts on models on other file systems", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")),
  .enabled(if: LoaderPython.missing == nil, Comment(rawValue: LoaderPython.missing ?? "")))
struct OtherFileSystemTests {
  private static let weights = SignedModels.safetensors("weights")

  @Test("an overlay over two file systems")
  func overlay() throws { try expectVerdicts(.overlay) }

  @Test(
    "a subvolume of btrfs",
    .enabled(if: MountedFolder.Kind.btrfs.missing == nil, Comment(rawValue: MountedFolder.Kind.btrfs.missing ?? "")))
  func btrfs() throws { try expectVerdicts(.btrfs) }

  private func expectVerdicts(_ kind: MountedFolder.Kind) throws {
    let models = try SignedModels()
    try models.sign("base", ["x.safetensors": Self.weights])
    var flipped = Self.weights
    flipped[50_000] ^= 1
    let bytes = Array(Self.weights)
    let folder = try MountedFolder(kind, ["x.safetensors": bytes, "held.safetensors": bytes])
    try Self.put(flipped, folder.path + "/flipped/x.safetensors")
    // On the overlay from here on in the upper layer.
    try Self.put(Self.weights, folder.path + "/held.safetensors")
    let scene = try ModelScene(models, sharedFolders: [(folder.path, "/volume")])
    _ = try scene.python(ModelScene.load, "/volume/x.safetensors")
    // One that comes while the file is read waits for the same verdict, and is not answered from memory.
    _ = try scene.verdict(on: "/volume/x.safetensors")
    _ = try scene.python(ModelScene.load, "/volume/x.safetensors")
    let verified = try scene.verdict(on: "/volume/x.safetensors", count: 2)
    #expect(verified.rule == ModelScene.quiet && verified.field("model.state") == "verified")
    #expect(verified.field("model.cached") == "1" && verified.field("model.guarantee") == "stable")
    _ = try scene.python(ModelScene.load, "/volume/flipped/x.safetensors")
    #expect(try scene.verdict(on: "/volume/flipped/x.safetensors").rule == "Model differs from its signature")
    try expectChange(scene, folder.path + "/held.safetensors")
    let counts = try scene.end()
    #expect(counts["cached_opens"] ?? 0 >= 1, "\(counts)")
    try scene.container.delete()
  }

  /// A write to a model that a process holds is told, and read anew.
  private func expectChange(_ scene: ModelScene, _ hostPath: String) throws {
    let program = """
      import os, time
      from safetensors import safe_open
      model = safe_open("/volume/held.safetensors", framework="np")
      while not os.path.exists("/tmp/end"): time.sleep(0.01)
      """
    let loader = Thread { _ = try? scene.python(program) }
    loader.start()
    #expect(try scene.verdict(on: "/volume/held.safetensors").field("model.verified") == "1")
    let writer = ["dd", "if=/dev/zero", "of=\(hostPath)", "bs=1", "count=1", "seek=60000", "conv=notrunc"]
    #expect(try Child.run(writer).succeeded)
    _ = try scene.agent.alerts { $0.rule == "Model changed while in use" }
    try scene.put("/tmp/end", Data())
    while !loader.isFinished { usleep(10_000) }
    _ = try scene.container.exec(["cat", "/volume/held.safetensors"])
    _ = try scene.agent.alerts { $0.rule == "Unverified model loaded" && $0.field("proc.name") == "cat" }
  }

  /// Not written by this process, of which a child of another test may hold a descriptor.
  private static func put(_ data: Data, _ path: String) throws {
    let source = try TestFolder()
    try data.write(to: URL(fileURLWithPath: source.path + "/x"))
    try #require(Child.run(["mkdir", "-p", URL(fileURLWithPath: path).deletingLastPathComponent().path]).succeeded)
    try #require(Child.run(["cp", source.path + "/x", path]).succeeded)
  }
}
