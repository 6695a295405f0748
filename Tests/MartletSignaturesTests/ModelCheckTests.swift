// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Glibc
import Testing

@testable import MartletSignatures

/// Models on disk against what was signed, with all that may lie in their folder.
@Suite("models on disk", .timeLimit(.minutes(5)))
struct ModelCheckTests {
  /// A folder with a signed model in it.
  final class Model {
    let folder: TestFolder
    var check: ModelCheck

    init(_ change: (inout TestStatement) -> Void = { _ in }) throws {
      folder = try TestFolder()
      try FileManager.default.createDirectory(atPath: folder.path + "/sub", withIntermediateDirectories: true)
      _ = try folder.write("config.json", "{}")
      _ = try folder.write("sub/weights.bin", "weights")
      var statement = TestStatement()
      change(&statement)
      check = ModelCheck(try StatementReader.read(Array(statement.json.utf8)))
    }

    func path(_ name: String) -> String { folder.path + "/" + name }

    func found(_ kind: ModelReport.Finding.Kind, _ report: ModelReport) -> [String] {
      report.findings.filter { $0.kind == kind }.map { "\($0.path)" }
    }
  }

  @Test("one as it was signed is verified")
  func verified() throws {
    let model = try Model()
    let report = model.check.run(model.folder.path)
    #expect(report.isVerified && report.findings.isEmpty && report.verifiedFileCount == 2 && report.byteCount == 9)
    #expect(report.state == .verified)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let kind: ModelReport.Finding.Kind
    let path: String
    let state: ModelState
    let change: @Sendable (Model) throws -> Void

    init(
      _ name: String, _ kind: ModelReport.Finding.Kind, _ path: String, _ state: ModelState = .digestMismatch,
      _ change: @escaping @Sendable (Model) throws -> Void
    ) {
      (testDescription, self.kind, self.path, self.state, self.change) = (name, kind, path, state, change)
    }
  }

  static let cases: [Case] = [
    Case("a byte flipped", .mismatch, "config.json") { _ = try $0.folder.write("config.json", "{ ") },
    Case("a byte more", .mismatch, "config.json") { _ = try $0.folder.write("config.json", "{}\n") },
    Case("a file emptied", .mismatch, "config.json") { _ = try $0.folder.write("config.json", "") },
    Case("a file missing", .missing, "sub/weights.bin") { unlink($0.path("sub/weights.bin")) },
    Case("a file renamed", .missing, "config.json") { rename($0.path("config.json"), $0.path("Config.json")) },
    Case("files swapped", .mismatch, "config.json") {
      rename($0.path("config.json"), $0.path("x"))
      rename($0.path("sub/weights.bin"), $0.path("config.json"))
      rename($0.path("x"), $0.path("sub/weights.bin"))
    },
    Case("a file more", .extra, "extra.py", .unsigned) { _ = try $0.folder.write("extra.py", "x") },
    Case("an empty file more", .extra, "sub/__init__.py", .unsigned) { _ = try $0.folder.write("sub/__init__.py", "") },
    Case("a hidden file more", .extra, ".gitmodules", .unsigned) { _ = try $0.folder.write(".gitmodules", "x") },
    Case("a hard link more", .extra, "link", .unsigned) { link($0.path("config.json"), $0.path("link")) },
    Case("a FIFO more", .extra, "x.gguf", .unsigned) { mkfifo($0.path("x.gguf"), 0o600) },
    Case("a link more", .extra, "link", .unsigned) { symlink("/etc/hostname", $0.path("link")) },
    Case("a link to a folder more", .extra, "link", .unsigned) { symlink("/proc", $0.path("link")) },
    Case("a link that leads nowhere", .extra, "link", .unsigned) { symlink("nowhere", $0.path("link")) },
    Case("a link to itself", .extra, "link", .unsigned) { symlink("link", $0.path("link")) },
    Case("a FIFO for a file", .special, "config.json") {
      unlink($0.path("config.json"))
      mkfifo($0.path("config.json"), 0o600)
    },
    Case("a folder for a file", .special, "config.json") {
      unlink($0.path("config.json"))
      mkdir($0.path("config.json"), 0o700)
    },
    Case("a link for a file, to the same bytes", .link, "config.json") {
      rename($0.path("config.json"), $0.path(".git"))
      symlink(".git", $0.path("config.json"))
    },
    Case("a link for a folder, to the same files", .missing, "sub/weights.bin") {
      rename($0.path("sub"), $0.path(".git"))
      symlink(".git", $0.path("sub"))
    },
  ]

  @Test("a changed model is not, and the change is named", arguments: cases)
  func changed(_ example: Case) throws {
    let model = try Model()
    try example.change(model)
    let report = model.check.run(model.folder.path)
    #expect(report.state == example.state, "\(report)")
    #expect(model.found(example.kind, report).contains(example.path), "\(report)")
  }

  @Test("unsigned files are listed as ignored where that was asked for, and signed ones are checked all the same")
  func ignored() throws {
    let model = try Model()
    _ = try model.folder.write("sub/extra.py", "x")
    mkdir(model.path(".git"), 0o700)
    _ = try model.folder.write(".git/x.py", "x")
    model.check.ignoredPaths = ["sub"]
    var report = model.check.run(model.folder.path)
    #expect(report.isVerified && model.found(.ignored, report) == [".git", "sub"], "\(report)")
    model.check.ignoredPaths = []
    #expect(model.check.run(model.folder.path).state == .unsigned)
    model.check.ignoresUnsigned = true
    report = model.check.run(model.folder.path)
    #expect(report.isVerified && model.found(.ignored, report) == [".git", "sub/extra.py"])
    model.check.ignoredPaths = ["sub", "config.json"]
    _ = try model.folder.write("config.json", "[]")
    _ = try model.folder.write("sub/weights.bin", "evil")
    report = model.check.run(model.folder.path)
    #expect(model.found(.mismatch, report) == ["config.json", "sub/weights.bin"])
  }

  @Test("the signature in the model's folder is no part of it, but a copy is")
  func attachment() throws {
    let model = try Model()
    let signature = try model.folder.write("model.sig", "{}")
    model.check.attachments = [ModelCheck.Attachment(path: signature)].compactMap { $0 }
    var report = model.check.run(model.folder.path)
    #expect(report.isVerified && model.found(.ignored, report) == ["model.sig"])
    _ = try model.folder.write("sub/model.sig", "{}")
    report = model.check.run(model.folder.path)
    #expect(model.found(.extra, report) == ["sub/model.sig"])
  }

  @Test("links are followed where the signer allowed them, and only to files")
  func links() throws {
    let model = try Model {
      $0.serialization = #"{"method":"files","hash_type":"sha256","allow_symlinks":true}"#
    }
    let blobs = try TestFolder()
    rename(model.path("config.json"), blobs.path + "/blob")
    symlink(blobs.path + "/blob", model.path("config.json"))
    #expect(model.check.run(model.folder.path).isVerified)
    unlink(model.path("config.json"))
    symlink("/dev/zero", model.path("config.json"))
    #expect(model.found(.special, model.check.run(model.folder.path)) == ["config.json"])
    unlink(model.path("config.json"))
    symlink("/nowhere", model.path("config.json"))
    #expect(model.found(.missing, model.check.run(model.folder.path)) == ["config.json"])
  }

  @Test("shards are compared range by range, in one read")
  func shards() throws {
    let content = "0123456789abcdefghij"
    let model = try Model {
      $0 = TestStatement([("w:0:8", "01234567"), ("w:8:16", "89abcdef"), ("w:16:20", "ghij")])
      $0.serialization = #"{"method":"shards","hash_type":"sha256","shard_size":8}"#
    }
    unlink(model.path("config.json"))
    unlink(model.path("sub/weights.bin"))
    let file = try model.folder.write("w", content)
    #expect(model.check.run(model.folder.path).isVerified)
    #expect(model.check.run(file).isVerified)
    for changed in [content + "x", String(content.dropLast()), content.replacing("9", with: "8"), ""] {
      _ = try model.folder.write("w", changed)
      #expect(model.found(.mismatch, model.check.run(model.folder.path)) == ["w"])
      #expect(model.check.run(file).state == .digestMismatch)
    }
    _ = try model.folder.write("w", content)
    _ = try model.folder.write("__init__.py", "")
    #expect(model.check.run(model.folder.path).state == .unsigned, "shards name no empty file: it is an extra one")
  }

  @Test("a single file is found by its digest, and its name is told")
  func file() throws {
    let model = try Model()
    var report = model.check.run(model.path("sub/weights.bin"))
    #expect(report.isVerified && report.resourceMatches == true)
    rename(model.path("sub/weights.bin"), model.path("other.bin"))
    report = model.check.run(model.path("other.bin"))
    #expect(report.isVerified && report.resourceMatches == false)
    _ = try model.folder.write("weights.bin", "evil")
    #expect(model.check.run(model.path("weights.bin")).state == .digestMismatch)
    _ = try model.folder.write("adapter.bin", "evil")
    #expect(model.check.run(model.path("adapter.bin")).refusal?.reason == .notSigned)
    let nameless = ModelCheck(SignedModel(file: Digest256(of: "evil".utf8)))
    #expect(nameless.run(model.path("adapter.bin")).isVerified)
    #expect(nameless.run(model.path("config.json")).state == .digestMismatch)
    #expect(nameless.run(model.folder.path).state == .digestMismatch, "a folder is not one file")
  }

  @Test("what is no model is refused without waiting", arguments: ["fifo", "nowhere", "/dev/zero", "/proc/self/mem/x"])
  func noModel(name: String) throws {
    let model = try Model()
    mkfifo(model.path("fifo"), 0o600)
    let report = model.check.run(name.hasPrefix("/") ? name : model.path(name))
    #expect([.modelMissing, .notARegularFile].contains(report.refusal?.reason))
    #expect(report.byteCount == 0)
  }

  @Test("folders have a depth, and files a name of any bytes")
  func bounds() throws {
    let model = try Model()
    var path = model.path("d")
    for _ in 0...FolderListing.depthMax {
      mkdir(path, 0o700)
      path += "/d"
    }
    #expect(model.check.run(model.folder.path).refusal?.reason == .modelTooDeep)
    let other = try Model()
    let name = Array((other.folder.path + "/").utf8) + [0xFF, 0x1B, 0x0A, 0]
    name.withUnsafeBytes { bytes in
      _ = bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { creat($0, 0o600) } }.map { close($0) }
    }
    let report = other.check.run(other.folder.path)
    #expect(report.findings == [.init(kind: .extra, path: ExactText([0xFF, 0x1B, 0x0A]))])
  }

  @Test("a file that changes while it is read is no verified file, whatever was read")
  func changing() throws {
    let model = try Model()
    // Progress is told between the read and the last look: what happens there happens meanwhile.
    var report = model.check.run(model.folder.path) { done, _ in
      if done == 2 { _ = try? model.folder.write("config.json", "{}") }
    }
    #expect(report.state == .unstable && model.found(.changed, report) == ["config.json"], "\(report)")
    report = model.check.run(model.folder.path) { done, _ in
      // The first file has been read already when the second is.
      if done == 9 { _ = try? model.folder.write("config.json", "[]") }
    }
    #expect(report.state == .unstable && model.found(.changed, report) == ["config.json"], "\(report)")
    _ = try model.folder.write("config.json", "{}")
    report = model.check.run(model.folder.path) { done, _ in
      if done == 9 { _ = try? model.folder.write("late.py", "x") }
    }
    #expect(report.state == .unstable && model.found(.changed, report) == ["late.py"], "\(report)")
    unlink(model.path("late.py"))
    report = model.check.run(model.folder.path) { done, _ in
      if done == 2 { unlink(model.path("sub/weights.bin")) }
    }
    #expect(model.found(.missing, report) == ["sub/weights.bin"])
  }

  @Test("reading is told from nothing to the end, for many pieces")
  func progress() throws {
    let folder = try TestFolder()
    let content = String(repeating: "0123456789abcdef", count: 60_000)
    let file = try folder.write("w", content)
    var told: [Int64] = []
    let check = ModelCheck(SignedModel(file: Digest256(of: content.utf8)))
    let report = check.run(file) { done, total in
      told.append(done)
      #expect(total == 960_000)
    }
    #expect(report.isVerified && told == told.sorted() && told.last == 960_000 && told.count > 1)
  }
}
