// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// Files that are there to hurt whoever looks at them: each is bounded, named, and holds nothing up.
@Suite(
  "hostile models in containers", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")),
  .enabled(if: LoaderPython.missing == nil, Comment(rawValue: LoaderPython.missing ?? "")))
struct HostileModelTests {
  private static let weights = SignedModels.safetensors("weights")
  private let models: SignedModels

  init() throws {
    models = try SignedModels()
    try models.sign("base", ["x.safetensors": Self.weights])
  }

  /// An honest model is still verified.
  private func expectWorking(_ scene: ModelScene) throws {
    try scene.put("/models/x.safetensors", Self.weights)
    _ = try scene.python(ModelScene.load, "/models/x.safetensors")
    #expect(try scene.verdict(on: "/models/x.safetensors").field("model.verified") == "1")
    _ = try scene.end()
  }

  @Test("terabytes of nothing, and a file that says little")
  func sparse() throws {
    let scene = try ModelScene(models)
    // On tmpfs: other file systems take no file as large as this.
    let program = """
      import os
      for name, size in (("huge", 16 << 40), ("large", 100 << 30)):
          path = f"/dev/shm/{name}.gguf"
          open(path, "wb").write(b"GGUF")
          os.truncate(path, size)
          assert os.stat(path).st_size == size and open(path, "rb").read(4) == b"GGUF"
      """
    #expect(try scene.python(program).succeeded)
    for (name, state) in [("huge", "skipped:size"), ("large", "skipped:sparse")] {
      let alert = try scene.verdict(on: "/dev/shm/\(name).gguf")
      #expect(alert.rule == "Model could not be verified" && alert.field("model.state") == state)
    }
    try expectWorking(scene)
  }

  @Test("a FIFO that is called like a model is named, and nobody opens it")
  func fifo() throws {
    let scene = try ModelScene(models)
    try #require(mkfifo(scene.container.hostPath("/models/x.gguf"), 0o600) == 0)
    _ = try scene.python("import os; os.open('/models/x.gguf', os.O_RDONLY | os.O_NONBLOCK)")
    _ = try scene.agent.alerts { $0.rule == "Model opened in container" && $0.field("fd.name") == "/models/x.gguf" }
    try expectWorking(scene)
  }

  @Test("a link to a file of the host's leads to the container's")
  func link() throws {
    let host = try TestFolder()
    let secret = try host.write("secret.gguf", "GGUF the host's")
    let scene = try ModelScene(models)
    try scene.put(secret, Data("GGUF the container's".utf8))
    try scene.put("/etc/hostname", Data("inner".utf8))
    _ = try scene.container.exec(["ln", "-s", secret, "/models/evil.gguf"])
    _ = try scene.container.exec(["ln", "-s", "/etc/hostname", "/models/name.gguf"])
    _ = try scene.container.exec(["cat", "/models/evil.gguf"])
    _ = try scene.container.exec(["cat", "/models/name.gguf"])
    let alert = try scene.verdict(on: "/models/evil.gguf")
    #expect(alert.field("model.digest") == SignedModels.digest(Data("GGUF the container's".utf8)))
    // Nothing but the link is called like a model.
    let name = try scene.verdict(on: "/models/name.gguf")
    #expect(name.field("model.path") == "/etc/hostname")
    #expect(name.field("model.digest") == SignedModels.digest(Data("inner".utf8)))
    try expectWorking(scene)
  }

  @Test(
    "a file whose server never answers is not touched",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/fuse"), "needs /dev/fuse"))
  func fuse() throws {
    let host = try TestFolder()
    let program = Repository.path("Tests/ContainerTests/Models/hang_fuse.py")
    let server = Process()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    server.arguments = [program, host.path]
    let (input, output) = (Pipe(), Pipe())
    (server.standardInput, server.standardOutput) = (input, output)
    try server.run()
    defer {
      try? input.fileHandleForWriting.close()
      server.waitUntilExit()
    }
    try #require(output.fileHandleForReading.availableData.starts(with: Data("mounted".utf8)))
    let scene = try ModelScene(models, sharedFolders: [(host.path, "/remote")])
    // The file is opened; a read would not come back.
    _ = try scene.python("import os; os.open('/remote/x.gguf', os.O_RDONLY)")
    let alert = try scene.verdict(on: "/remote/x.gguf")
    #expect(alert.rule == "Model could not be verified" && alert.field("model.state") == "skipped:filesystem")
    try expectWorking(scene)
    try scene.container.delete()
  }
}
