// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The whole way of a verdict: a file opened in a real container, hashed through the descriptor of whoever opened it, judged
/// by bundled rules. Every scene is recorded and replayed to the same alerts.
@Suite(
  "verdicts on models in containers", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")),
  .enabled(if: LoaderPython.missing == nil, Comment(rawValue: LoaderPython.missing ?? "")))
struct ModelVerdictTests {
  private static let weights = SignedModels.safetensors("weights")
  private static let others = SignedModels.safetensors("others")
  private let models: SignedModels

  init() throws {
    models = try SignedModels()
    try models.sign("base", ["x.safetensors": Self.weights])
  }

  @Test("each state has its alert, and a verified model has none")
  func states() throws {
    try models.sign("theirs", ["theirs.safetensors": SignedModels.safetensors("theirs")], byStranger: true)
    let scene = try ModelScene(models)
    var flipped = Self.weights
    flipped[50_000] ^= 1
    let digest = SignedModels.digest(Self.weights)
    let blob = "/hf/blobs/\(digest)"
    let forged = "/hf/blobs/" + String(repeating: "ab", count: 32)
    try scene.put("/models/x.safetensors", Self.weights)
    try scene.put("/flipped/x.safetensors", flipped)
    try scene.put("/models/theirs.safetensors", SignedModels.safetensors("theirs"))
    try scene.put("/models/adapter_model.safetensors", Self.others)
    try scene.put("/models/renamed.safetensors", Self.weights)
    try scene.put(blob, Self.weights)
    try scene.put(forged, Self.others)
    try scene.put("/hf/snapshots/1/README", Data())
    _ = try scene.container.exec(["ln", "/models/x.safetensors", "/models/hard.safetensors"])
    for (name, target) in [("x", blob), ("forged", forged)] {
      _ = try scene.container.exec(["ln", "-s", "../..\(target.dropFirst(3))", "/hf/snapshots/1/\(name).safetensors"])
    }
    let cases: [(path: String, rule: String, fields: [String: String?])] = [
      (
        "/models/x.safetensors", ModelScene.quiet,
        [
          "model.state": "verified", "model.verified": "1", "model.digest": digest, "model.resource_match": "1",
          "model.format": "safetensors", "model.guarantee": "stable",
        ]
      ),
      ("/flipped/x.safetensors", "Model differs from its signature", [:]),
      ("/models/theirs.safetensors", "Model signed by nobody trusted", ["model.state": "untrusted_signer"]),
      ("/models/adapter_model.safetensors", "Unverified model loaded", ["model.state": "unsigned"]),
      (
        "/models/renamed.safetensors", ModelScene.quiet,
        ["model.state": "verified", "model.verified": "1", "model.resource_match": "0"]
      ),
      ("/models/hard.safetensors", ModelScene.quiet, ["model.state": "verified", "model.cached": "1"]),
      (
        "/hf/snapshots/1/x.safetensors", ModelScene.quiet,
        ["model.state": "verified", "model.path": blob, "model.claimed_digest": digest, "model.resource_match": "1"]
      ),
      (
        "/hf/snapshots/1/forged.safetensors", "Model is not what its name claims",
        ["model.state": "claimed_mismatch", "model.path": forged]
      ),
    ]
    for (path, rule, fields) in cases {
      let loaded = try scene.python(ModelScene.load, path)
      #expect(loaded.succeeded, "\(loaded.errors)")
      let alert = try scene.verdict(on: path)
      #expect(alert.rule == rule, "\(path): \(alert.line.text)")
      for (name, value) in fields { #expect(alert.field(name) == value, "\(path): \(name)") }
    }
    let counts = try scene.end()
    // The hard link is the same file.
    #expect(counts["cached_opens"] ?? 0 >= 1, "\(counts)")
  }

  @Test("a model that is swapped after it was verified is another one")
  func swapped() throws {
    let scene = try ModelScene(models)
    try scene.put("/models/x.safetensors", Self.weights)
    try scene.put("/models/evil", Self.others)
    _ = try scene.python(ModelScene.load, "/models/x.safetensors")
    #expect(try scene.verdict(on: "/models/x.safetensors").field("model.state") == "verified")
    _ = try scene.container.exec(["mv", "/models/evil", "/models/x.safetensors"])
    _ = try scene.container.exec(["cat", "/models/x.safetensors"])
    #expect(try scene.verdict(on: "/models/x.safetensors", count: 2).rule == "Model differs from its signature")
    _ = try scene.end()
  }

  @Test("a model that is written while it is mapped is told, by whom and to whom")
  func changed() throws {
    let scene = try ModelScene(models)
    try scene.put("/models/x.safetensors", Self.weights)
    let program = """
      import os, time
      from safetensors import safe_open
      model = safe_open("/models/x.safetensors", framework="np")
      while not os.path.exists("/tmp/go"): time.sleep(0.01)
      file = os.open("/models/x.safetensors", os.O_WRONLY)
      os.pwrite(file, b"!", 60000)
      os.close(file)
      while not os.path.exists("/tmp/end"): time.sleep(0.01)
      """
    let loader = Thread { _ = try? scene.python(program) }
    loader.start()
    #expect(try scene.verdict(on: "/models/x.safetensors").field("model.verified") == "1")
    try scene.put("/tmp/go", Data())
    let alert = try scene.agent.alerts { $0.rule == "Model changed while in use" }[0]
    #expect(alert.field("model.change") == "written" && alert.field("proc.name") == "python3")
    #expect(alert.field("model.changed_by.pid") != nil)
    try scene.put("/tmp/end", Data())
    while !loader.isFinished { usleep(10_000) }
    _ = try scene.container.exec(["cat", "/models/x.safetensors"])
    let cat = try scene.agent.alerts { $0.rule == "Model differs from its signature" }[0]
    #expect(cat.field("proc.name") == "cat")
    _ = try scene.end()
  }

  @Test("a thousand opens and a second load cost one hash")
  func once() throws {
    // Others open small models meanwhile.
    let large = SignedModels.safetensors("large", byteCount: 20_000_000)
    try models.sign("large", ["large.safetensors": large])
    let scene = try ModelScene(models)
    try scene.put("/models/large.safetensors", large)
    let program = "import os\nfor _ in range(1000): os.close(os.open('/models/large.safetensors', os.O_RDONLY))"
    _ = try scene.python(program)
    _ = try scene.verdict(on: "/models/large.safetensors")
    _ = try scene.python(program)
    _ = try scene.python(ModelScene.load, "/models/large.safetensors")
    let last = try scene.verdict(on: "/models/large.safetensors", count: 3)
    #expect(last.field("model.cached") == "1" && last.field("model.digest") == SignedModels.digest(large))
    let count = scene.agent.printed.compactMap(ArrivedAlert.init).count {
      $0.field("model.opened_as") == "/models/large.safetensors"
        && $0.field("model.digest") == SignedModels.digest(large)
    }
    #expect(count == 3)
    let counts = try scene.end()
    #expect(counts["repeated_opens"] ?? 0 >= 1998 && counts["hashed_bytes"] ?? 0 < 40_000_000, "\(counts)")
  }

  @Test("a download is verified before it is loaded")
  func download() throws {
    let scene = try ModelScene(models)
    try scene.put("/source", Self.weights)
    let download = """
      import os, shutil
      shutil.copyfile("/source", "/models/x.safetensors")
      shutil.copyfile("/source", "/models/y.safetensors.part")
      os.rename("/models/y.safetensors.part", "/models/y.safetensors")
      """
    _ = try scene.python(download)
    try scene.waitUntil { $0["early_files"] ?? 0 >= 2 }
    _ = try scene.python(ModelScene.load, "/models/x.safetensors", "/models/y.safetensors")
    #expect(try scene.verdict(on: "/models/y.safetensors").field("model.cached") == "1")
    #expect(try scene.verdict(on: "/models/x.safetensors").field("model.cached") == "1")
    _ = try scene.end()
  }

  @Test("a malicious pickle is caught with the model and the program that it started in one alert")
  func pickle() throws {
    let scene = try ModelScene(models)
    let make = """
      import os, pickle
      class Evil:
          def __reduce__(self): return (os.system, ("/bin/true harmless",))
      open("/models/evil.pkl", "wb").write(pickle.dumps(Evil()))
      """
    _ = try scene.python(make)
    _ = try scene.python("import pickle; pickle.load(open('/models/evil.pkl', 'rb'))")
    let alert = try scene.agent.alerts { $0.rule == "Program started by a model" }[0]
    #expect(alert.field("model.last_open.path") == "/models/evil.pkl")
    #expect(alert.field("proc.cmdline") == "sh -c /bin/true harmless" && alert.field("proc.pname") == "python3")
    let verdict = try scene.verdict(on: "/models/evil.pkl")
    #expect(verdict.rule == "Unverified model loaded" && verdict.field("model.format") == "pickle")
    _ = try scene.end()
  }
}
