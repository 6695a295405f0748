// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The container image, as `make image` builds it.
@Suite(
  "container image", .timeLimit(.minutes(5)),
  .enabled(if: Deployment.missingForImages == nil, Comment(rawValue: Deployment.missingForImages ?? "")))
struct ImageTests {
  @Test("the same binary gives the same digest")
  func reproducible() throws {
    let folder = try TestFolder()
    let first = try Deployment.image.get()
    let second = try Deployment.buildImage(to: folder.path + "/image.tar")
    #expect(first.digest.wholeMatch(of: /sha256:[0-9a-f]{64}\n/) != nil)
    #expect(second.succeeded && first.digest == second.output, "\(second.errors)")
  }

  @Test("it holds one file, which it runs without a shell, and says what it is")
  func contents() throws {
    let folder = try TestFolder()
    _ = try Child.run(["tar", "-C", folder.path, "-xf", try Deployment.image.get().archive])
    let index = try object(folder.path + "/index.json")
    let manifest = try object(blob(try #require((index["manifests"] as? [[String: Any]])?.first), in: folder))
    let layers = try #require(manifest["layers"] as? [[String: Any]])
    #expect(layers.count == 1)
    let files = try Child.run(["tar", "-tzf", blob(try #require(layers.first), in: folder)]).output
    #expect(files == "martlet\n")

    let description = try object(blob(try #require(manifest["config"] as? [String: Any]), in: folder))
    let config = try #require(description["config"] as? [String: Any])
    #expect(config["Entrypoint"] as? [String] == ["/martlet"] && config["Cmd"] as? [String] == ["run"])
    #expect(config["User"] as? String == "0:0")
    #expect(description["created"] as? String == "1970-01-01T00:00:00Z")
    let labels = try #require(config["Labels"] as? [String: String])
    let version = try Child.run([Deployment.binary, "--version"]).output
    #expect(labels["org.opencontainers.image.version"].map { $0 + "\n" } == version)
    let known = ["title", "description", "licenses", "version", "revision"].map { "org.opencontainers.image.\($0)" }
    #expect(Set(labels.keys) == Set(known))
  }

  @Test("it does not grow unseen")
  func size() throws {
    let attributes = try FileManager.default.attributesOfItem(atPath: Deployment.image.get().archive)
    // Of 34 MB, 20 are Foundation's tables of languages, which reading YAML brings along; 6 are what runtimes are asked
    // and signatures are verified with.
    #expect(try #require(attributes[.size] as? Int) < 38_000_000)
  }

  @Test("a binary that would not start in it is refused")
  func dynamicBinary() throws {
    let folder = try TestFolder()
    let result = try Deployment.buildImage(try AgentBinary.path(), to: folder.path + "/image.tar")
    #expect(result.status == .exited(1) && result.errors.contains("needs libraries"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/image.tar"))
  }

  private func object(_ path: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// Where the content of a descriptor lies in an unpacked OCI archive.
  private func blob(_ descriptor: [String: Any], in folder: TestFolder) throws -> String {
    let digest = try #require(descriptor["digest"] as? String)
    return folder.path + "/blobs/" + digest.replacingOccurrences(of: ":", with: "/")
  }
}
