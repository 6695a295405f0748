// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Crypto
import Foundation

/// What an operator has: a folder of signatures, and the key that he trusts.
final class SignedModels {
  let folder: TestFolder
  let keyPath: String
  private let key = P256.Signing.PrivateKey()
  private let stranger = P256.Signing.PrivateKey()

  init() throws {
    folder = try TestFolder()
    keyPath = try folder.write("key.pem", key.publicKey.pemRepresentation + "\n")
    try FileManager.default.createDirectory(atPath: bundles, withIntermediateDirectories: true)
  }

  var bundles: String { folder.path + "/bundles" }

  /// A safetensors file of one tensor, `weights`; `content` tells one from another.
  static func safetensors(_ content: String, byteCount: Int = 100_000) -> Data {
    let tensor = #"{"dtype":"U8","shape":[\#(byteCount)],"data_offsets":[0,\#(byteCount)]}"#
    let header = #"{"__metadata__":{"name":"\#(content)"},"weights":\#(tensor)}"#
    var length = UInt64(header.utf8.count).littleEndian
    return Data(bytes: &length, count: 8) + Data(header.utf8) + Data(repeating: 7, count: byteCount)
  }

  static func digest(_ data: Data) -> String { SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined() }

  /// Signs files, by name and content; a stranger's signature is one that nobody trusts.
  func sign(_ name: String, _ files: [String: Data], byStranger: Bool = false) throws {
    let key = byStranger ? stranger : key
    let sorted = files.sorted { $0.key < $1.key }.map { ($0.key, SHA256.hash(data: $0.value)) }
    let root = Self.digest(sorted.reduce(Data()) { $0 + Data($1.1) })
    let resources = sorted.map { name, digest in
      ["name": name, "algorithm": "sha256", "digest": digest.map { String(format: "%02x", $0) }.joined()]
    }
    let statement: [String: Any] = [
      "_type": "https://in-toto.io/Statement/v1", "subject": [["name": "model", "digest": ["sha256": root]]],
      "predicateType": "https://model_signing/signature/v1.0",
      "predicate": [
        "serialization": ["method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": []],
        "resources": resources,
      ],
    ]
    let payload = try JSONSerialization.data(withJSONObject: statement)
    let type = "application/vnd.in-toto+json"
    let message = Data("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
    let hint = Self.digest(Data((key.publicKey.pemRepresentation + "\n").utf8))
    let bundle: [String: Any] = [
      "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
      "verificationMaterial": ["publicKey": ["hint": hint], "tlogEntries": []],
      "dsseEnvelope": [
        "payload": payload.base64EncodedString(), "payloadType": type,
        "signatures": [["sig": try key.signature(for: message).derRepresentation.base64EncodedString(), "keyid": ""]],
      ],
    ]
    try JSONSerialization.data(withJSONObject: bundle).write(to: URL(fileURLWithPath: "\(bundles)/\(name).sig"))
  }
}

/// Python with real loaders of models, as it is installed for tests, to be shown to containers.
enum LoaderPython {
  /// In a container.
  static let path = "/python/bin/python3"
  private static let environment = Repository.path(".build-test/python")

  /// Why it is not there, in the words a skipped test shows; nil when it is.
  static let missing: String? = {
    let loads = try? Child.run([environment + "/bin/python3", "-I", "-c", "import numpy, safetensors.numpy"])
    return loads?.succeeded == true ? nil : "needs the Python packages of .ci/python-packages.txt"
  }()

  /// The environment, and the Python that it was made with where that is none of the system's.
  static var folders: [(host: String, container: String)] {
    let program = URL(fileURLWithPath: environment + "/bin/python3").resolvingSymlinksInPath()
    let base = program.deletingLastPathComponent().deletingLastPathComponent().path
    return [(environment, "/python")] + (base == "/usr" ? [] : [(base, base)])
  }
}

/// A container with Python, an agent that verifies models, and what it says.
final class ModelScene: @unchecked Sendable {
  let agent: AgentProcess
  let container: RuncContainer
  private let folder: TestFolder
  private let rules: [String]
  private let recording: String
  private let statistics: String

  /// Tells every verdict of which no bundled rule makes an alert.
  static let quiet = "Any verdict"
  private static let site = """
    - rule: \(quiet)
      desc: all
      condition: evt.type in (model_verdict, model_changed) and container.id != host
      output: >
        %model.path %model.opened_as %model.state %model.verified %model.digest %model.claimed_digest %model.signer
        %model.resource_match %model.format %model.source %model.guarantee %model.cached %model.pickle_capable
      priority: DEBUG
    """

  init(_ models: SignedModels, sharedFolders: [(host: String, container: String)] = [], more: [String] = []) throws {
    folder = try TestFolder()
    rules = ["-r", Repository.path("rules"), "-r", try folder.write("site.yaml", Self.site)]
    (recording, statistics) = (folder.path + "/events.martlet", folder.path + "/stats.json")
    let system = ["/usr", "/lib", "/lib64"].filter { FileManager.default.fileExists(atPath: $0) }.map { ($0, $0) }
    container = try RuncContainer.create(sharedFolders: system + LoaderPython.folders + sharedFolders)
    agent = try AgentProcess(
      ["run"] + rules + ["--model-bundles", models.bundles, "--model-key", models.keyPath, "--record", recording]
        + ["--stats", statistics] + more)
    try agent.waitUntilReady()
  }

  deinit { try? container.delete() }

  /// A file in the container; not written by this process, of which a child of another test may hold a descriptor.
  func put(_ path: String, _ data: Data) throws {
    let source = folder.path + "/\(UUID().uuidString)"
    try data.write(to: URL(fileURLWithPath: source))
    let target = container.hostPath(path)
    let parent = URL(fileURLWithPath: target).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    let copy = try Child.run(["cp", source, target])
    guard copy.succeeded else { throw HarnessError("cp: \(copy.errors)") }
  }

  static let load = """
    import sys
    from safetensors.numpy import load_file
    for path in sys.argv[1:]: assert load_file(path)["weights"][-1] == 7
    """

  func python(_ program: String, _ arguments: String..., within duration: Duration = .untilHung) throws -> Finished {
    try container.exec([LoaderPython.path, "-I", "-c", program] + arguments, within: duration)
  }

  /// The verdict on a model that was opened by this name.
  func verdict(on path: String, count: Int = 1) throws -> ArrivedAlert {
    let alerts = try agent.alerts(count: count) { alert in
      alert.field("container.id").map { container.id.hasPrefix($0) } ?? true && alert.field("model.opened_as") == path
    }
    return alerts[count - 1]
  }

  /// Returns once enough has become of models.
  func waitUntil(_ isEnough: ([String: Int]) -> Bool) throws {
    let deadline = Deadline.untilHung
    var writtenCount = 0
    func countWritten() -> Int { agent.log.components(separatedBy: "the statistics so far were written").count - 1 }
    while !deadline.hasPassed {
      agent.send(SIGUSR1)
      while countWritten() == writtenCount, !deadline.hasPassed { usleep(10_000) }
      writtenCount = countWritten()
      if isEnough(try counts()) { return }
    }
    throw HarnessError("not enough became of models: \(try counts())")
  }

  private func counts() throws -> [String: Int] {
    let data = try Data(contentsOf: URL(fileURLWithPath: statistics))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return object?["models"] as? [String: Int] ?? [:]
  }

  /// Ends the agent, and gives what became of models; a replay must say what the agent said.
  func end() throws -> [String: Int] {
    guard try agent.terminate() == .exited(0) else { throw HarnessError("the agent ended badly:\n\(agent.log)") }
    let replay = try Child.run([try AgentBinary.path(), "replay", recording] + rules)
    let said = agent.printed.map(\.text)
    let again = replay.output.split(separator: "\n").map(String.init)
    guard said == again else {
      throw HarnessError("a replay says something else: \(said.count) alerts, then \(again.count)")
    }
    return try counts()
  }
}
