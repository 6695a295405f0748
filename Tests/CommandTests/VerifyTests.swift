// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Glibc
import Testing

/// `martlet verify` as scripts and people meet it: exit statuses, both forms, and what lies in a model's folder.
@Suite(
  "verify", .enabled(if: access("/usr/bin/openssl", X_OK) == 0, "needs openssl"), .timeLimit(.minutes(5)))
struct VerifyTests {
  /// A folder with a model, and keys beside it.
  private struct World {
    let folder: TestFolder
    var model: String { folder.path + "/model" }

    init() throws {
      folder = try TestFolder()
      try FileManager.default.createDirectory(atPath: folder.path + "/model/sub", withIntermediateDirectories: true)
      _ = try folder.write("model/config.json", "{}")
      _ = try folder.write("model/sub/weights.bin", "weights")
      try Command.shell(
        """
        cd \(folder.path) && openssl ecparam -name prime256v1 -genkey -noout -out key.pem 2>/dev/null &&
        openssl ec -in key.pem -pubout -out key.pub 2>/dev/null &&
        openssl ecparam -name prime256v1 -genkey -noout -out other.pem 2>/dev/null &&
        openssl ec -in other.pem -pubout -out other.pub 2>/dev/null &&
        (cd model && sha256sum config.json sub/weights.bin) > SHA256SUMS &&
        openssl dgst -sha256 -sign key.pem SHA256SUMS | base64 -w0 > SHA256SUMS.sig &&
        openssl dgst -sha256 -sign key.pem model/sub/weights.bin > weights.sig
        """)
    }

    func path(_ name: String) -> String { folder.path + "/" + name }

    var signed: [String] {
      ["--manifest", path("SHA256SUMS"), "--bundle", path("SHA256SUMS.sig"), "--key", path("key.pub")]
    }
  }

  private func json(_ arguments: [String]) throws -> (status: ContainerTesting.ExitStatus, object: [String: Any]) {
    let result = try Command.run(["verify", "--format", "json"] + arguments)
    #expect(result.errors.isEmpty)
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    return (result.status, try #require(object))
  }

  @Test(
    "wrong flags are a matter of usage",
    arguments: [
      ["verify"], ["verify", "m"], ["verify", "m", "--bundle", "b"], ["verify", "m", "--key", "k"],
      ["verify", "m", "--bundle", "b", "--key", "k", "--ca", "c"],
      ["verify", "m", "--bundle", "b", "--trusted-root", "r", "--identity", "i"],
      ["verify", "m", "--bundle", "b", "--key", "k", "--identity", "i"], ["verify", "m", "n", "--bundle", "b"],
    ])
  func usage(arguments: [String]) throws {
    let result = try Command.run(arguments)
    #expect(result.status == .exited(2) && result.output.isEmpty && result.errors.contains("Usage: "))
  }

  @Test("a model is verified against a signed list, a list of the operator's, and a detached signature")
  func verified() throws {
    let world = try World()
    let signed = try Command.run(["verify", world.model] + world.signed)
    #expect(signed.succeeded && signed.output.hasPrefix("verified: \(world.model)\n  signer     key:"), "\(signed)")
    #expect(signed.errors.isEmpty, "no progress where nobody watches")
    let (status, own) = try json([world.model, "--manifest", world.path("SHA256SUMS")])
    #expect(status == .exited(0) && own["verified"] as? Bool == true && own["state"] as? String == "verified")
    #expect(own["method"] as? String == "manifest" && own["files"] as? Int == 2 && own["bytes"] as? Int == 9)
    let file = try json([
      world.path("model/sub/weights.bin"), "--bundle", world.path("weights.sig"), "--key", world.path("key.pub"),
    ])
    #expect(file.status == .exited(0) && file.object["method"] as? String == "cosign")
  }

  @Test("what is not signed so is named, with status 1")
  func refused() throws {
    let world = try World()
    let wrongKey = try json([world.model] + world.signed.dropLast() + [world.path("other.pub")])
    #expect(wrongKey.status == .exited(1) && wrongKey.object["state"] as? String == "bad_signature")
    #expect(wrongKey.object["reason"] as? String == "signature-invalid")
    _ = try world.folder.write("model/config.json", "[]")
    _ = try world.folder.write("model/extra\u{1B}[31m.py", "x")
    mkfifo(world.path("model/x.gguf"), 0o600)
    let changed = try json([world.model] + world.signed)
    #expect(changed.status == .exited(1) && changed.object["state"] as? String == "digest_mismatch")
    #expect(changed.object["mismatch"] as? [String] == ["config.json"])
    #expect(changed.object["extra"] as? [String] == ["extra\u{1B}[31m.py", "x.gguf"])
    let text = try Command.run(["verify", world.model] + world.signed)
    #expect(text.status == .exited(1) && text.output.hasPrefix("not verified: ") && !text.output.contains("\u{1B}"))
    #expect(text.output.contains("  mismatch   config.json\n") && text.output.contains("  extra      x.gguf\n"))
    for missing in [["/nonexistent"] + world.signed, [world.model, "--manifest", "/nonexistent"]] {
      #expect(try Command.run(["verify"] + missing).status == .exited(1))
    }
  }

  @Test("unsigned files are ignored where that is asked for, by their path in the model or from here")
  func ignored() throws {
    let world = try World()
    _ = try world.folder.write("model/sub/extra.py", "x")
    #expect(try Command.run(["verify", world.model] + world.signed).status == .exited(1))
    for path in ["sub", "sub/", "./sub/extra.py", world.path("model/sub/extra.py")] {
      let result = try Command.run(["verify", world.model, "--ignore", path] + world.signed)
      #expect(result.succeeded && result.output.contains("  ignored    sub"), "\(path): \(result)")
    }
    let all = try json([world.model, "--ignore-unsigned"] + world.signed)
    #expect(all.status == .exited(0) && all.object["ignored"] as? [String] == ["sub/extra.py"])
  }

  @Test("a revoked signer or digest is not trusted")
  func revoked() throws {
    let world = try World()
    let signer = try #require(try json([world.model] + world.signed).object["signer"] as? String)
    let digest = try Child.run(["sha256sum", world.path("model/config.json")]).output.prefix(64)
    let hint = String(signer.dropFirst("key:".count))
    let names = [
      signer, String(digest), "sha256:\(digest)", hint, "sha256:\(hint)", hint.uppercased(), " KEY:\(hint) ",
    ]
    for name in names {
      let result = try json([world.model, "--revoked", name] + world.signed)
      #expect(result.status == .exited(1) && result.object["state"] as? String == "revoked")
    }
  }

  @Test("what names nobody revokes nobody: it is refused, with the forms that there are")
  func malformedRevocation() throws {
    for name in ["", "alice", "key:1234", "cert:alice"] {
      for command in [
        ["verify", "m", "--manifest", "l", "--revoked"], ["run", "--model-bundles", "b", "--model-revoked"],
      ] {
        let result = try Command.run(command + [name])
        #expect(result.status == .exited(2) && result.errors.contains("'allowlist:NAME'"), "\(result.errors)")
      }
    }
  }

  private static let published = ["../shared", "../../shared"].map {
    Repository.path($0 + "/upstream/model-signing")
  }.first { access($0 + "/trusted_root.json", R_OK) == 0 }

  @Test(
    "a keyless bundle verifies without any network",
    .enabled(if: published != nil && geteuid() == 0, "needs shared/upstream/model-signing, and root"))
  func offline() throws {
    let folder = try #require(Self.published)
    let model = folder + "/v1.1.0-sigstore"
    let arguments = [
      "verify", model, "--bundle", model + "/model.sig", "--trusted-root", folder + "/trusted_root.json", "--issuer",
      "https://sigstore.verify.ibm.com/oauth2", "--identity",
    ]
    let result = try Command.run(arguments + ["stefanb@us.ibm.com"], behind: ["unshare", "-n"])
    #expect(result.succeeded && result.output.contains("  ignored    model.sig\n"), "\(result)")
    #expect(try Command.run(arguments + ["somebody@us.ibm.com"]).status == .exited(1))
  }
}
