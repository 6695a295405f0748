// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MartletSignatures

/// Statements whose signature holds, and that are refused all the same: signers make mistakes, and are attackers too.
@Suite("signed statements")
struct StatementTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let expected: Refusal.Reason?
    let change: @Sendable (inout TestStatement) -> Void

    init(_ name: String, _ expected: Refusal.Reason?, _ change: @escaping @Sendable (inout TestStatement) -> Void) {
      (testDescription, self.expected, self.change) = (name, expected, change)
    }

    static func named(_ name: String, _ resource: String, _ expected: Refusal.Reason? = .resourceName) -> Case {
      Case(name, expected) { $0.resources[0].name = resource }
    }

    static func serialized(_ name: String, _ json: String, _ expected: Refusal.Reason?) -> Case {
      Case(name, expected) { $0.serialization = json }
    }
  }

  static let cases: [Case] = [
    Case("one as it should be", nil) { _ in },
    Case("another type", .statementType) { $0.type = "https://in-toto.io/Statement/v0.1" },
    Case("another predicate", .predicateType) { $0.predicateType = "https://slsa.dev/provenance/v1" },
    Case("version 0.2", .legacyStatement) { $0.predicateType = "https://model_signing/Digests/v0.1" },
    Case("two subjects", .subjectCount) { $0.subjects = 2 },
    Case("no subject", .subjectCount) { $0.subjects = 0 },
    Case("another root digest", .rootDigestMismatch) { $0.root = String(repeating: "ab", count: 32) },
    Case("a root digest that is none", .fieldMissing) { $0.root = "abcd" },
    Case("no resources", .resourceCount) { $0.resources = [] },
    Case("one resource twice", .resourceDuplicate) { $0.resources.append($0.resources[0]) },
    Case("a digest that is too short", .resourceDigest) { $0.resources[0].digest = "ab" },
    Case("a digest that is not hexadecimal", .resourceDigest) {
      $0.resources[0].digest = String(repeating: "zz", count: 32)
    },
    Case("blake2b", .hashAlgorithm) { $0.resources[0].algorithm = "blake2b" },
    Case("blake3", .hashAlgorithm) { $0.resources[0].algorithm = "blake3" },
    .named("an absolute name", "/etc/passwd"), .named("a way up", "../x"), .named("a way up within", "a/../../x"),
    .named("an empty component", "a//b"), .named("a name that is empty", ""), .named("a folder", "a/"),
    .named("the model itself among others", "."), .named("a dot on the way", "a/./b"),
    .named("a NUL", "a\\u0000b"), .named("a long name", String(repeating: "a", count: 5000)),
    .named("a backslash, which is a character like others", "a\\\\b", nil),
    .named("half a character", "a\\ud800b", .jsonMalformed),
    .serialized("an unknown method", #"{"method":"tensors","hash_type":"sha256"}"#, .serialization),
    .serialized("no method", #"{"hash_type":"sha256"}"#, .serializationMalformed),
    .serialized("none at all", "null", .serializationMalformed),
    .serialized("blake2b for all", #"{"method":"files","hash_type":"blake2b"}"#, .hashAlgorithm),
    .serialized("blake3 for all", #"{"method":"files","hash_type":"blake3"}"#, .hashAlgorithm),
    .serialized(
      "a text for a flag", #"{"method":"files","hash_type":"sha256","allow_symlinks":"false"}"#,
      .serializationMalformed),
    .serialized(
      "a path for paths", #"{"method":"files","hash_type":"sha256","ignore_paths":"."}"#,
      .serializationMalformed),
    .serialized("shards without a size", #"{"method":"shards","hash_type":"sha256"}"#, .serializationMalformed),
    .serialized("names that are no shards", #"{"method":"shards","hash_type":"sha256","shard_size":10}"#, .shardRange),
  ]

  @Test("are refused for their own reason", arguments: cases)
  func statement(_ example: Case) async throws {
    var statement = TestStatement()
    example.change(&statement)
    let key = TestKey.new()
    let policy = TrustPolicy(keys: [try key.publicKey])
    #expect(try await TestBundle(statement, key).refusal(policy) == example.expected)
  }

  @Test("names that only look alike are different files")
  func canonicallyEqual() throws {
    let statement = TestStatement([("caf\u{e9}", "a"), ("cafe\u{301}", "b"), ("\u{212a}", "c"), ("K", "d")])
    #expect(try StatementReader.read(Array(statement.json.utf8)).resources.count == 4)
  }

  @Test("a path to ignore that leads out of the model ignores nothing")
  func ignoredPaths() throws {
    var statement = TestStatement()
    statement.serialization =
      #"{"method":"files","hash_type":"sha256","ignore_paths":["../x","/etc",".",".git","a/b",""]}"#
    #expect(try StatementReader.read(Array(statement.json.utf8)).ignoredPaths == [".git", "a/b"])
  }

  struct Shards: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let names: [String]
    let expected: Refusal.Reason?
  }

  static let ranges: [Shards] = [
    Shards(testDescription: "in order", names: ["a:0:10", "a:10:20", "b:0:5"], expected: nil),
    Shards(testDescription: "in any order", names: ["a:10:20", "b:0:5", "a:0:10"], expected: nil),
    Shards(testDescription: "of a name with colons", names: ["a:0:5:0:10"], expected: nil),
    Shards(testDescription: "of one file that is the model", names: [".:0:10", ".:10:20"], expected: nil),
    Shards(testDescription: "with a gap", names: ["a:0:10", "a:11:20"], expected: .shardRange),
    Shards(testDescription: "that overlap", names: ["a:0:10", "a:9:20"], expected: .shardRange),
    Shards(testDescription: "twice", names: ["a:0:10", "a:0:10"], expected: .shardRange),
    Shards(testDescription: "without a start", names: ["a:10:20"], expected: .shardRange),
    Shards(testDescription: "that are empty", names: ["a:0:0"], expected: .shardRange),
    Shards(testDescription: "that run backwards", names: ["a:10:0"], expected: .shardRange),
    Shards(testDescription: "with a sign", names: ["a:+0:10"], expected: .shardRange),
    Shards(testDescription: "with huge offsets", names: ["a:0:99999999999999999999"], expected: .shardRange),
    Shards(testDescription: "of a way up", names: ["../a:0:10"], expected: .resourceName),
    Shards(testDescription: "of the model and more", names: [".:0:10", "a:0:10"], expected: .resourceName),
  ]

  @Test("shards cover each file", arguments: ranges)
  func coverage(_ example: Shards) throws {
    var statement = TestStatement(example.names.map { ($0, "x") })
    // As model-signing writes them.
    statement.serialization = #"{"method":"shards","hash_type":"sha256","shard_size":10000.0}"#
    for index in statement.resources.indices { statement.resources[index].algorithm = "sha256-sharded-10000" }
    do throws(Refusal) {
      let model = try StatementReader.read(Array(statement.json.utf8))
      #expect(example.expected == nil)
      #expect(model.wholeDigests.isEmpty)
    } catch {
      #expect(error.reason == example.expected)
    }
  }

  @Test("resources have a bound")
  func resourceCount() throws {
    let digest = Digest256(of: "x".utf8).description
    var statement = TestStatement()
    statement.resources = (0...SignedModel.resourcesMax).map { ("f\($0)", digest, "sha256") }
    do throws(Refusal) {
      _ = try StatementReader.read(Array(statement.json.utf8))
      Issue.record("it was read")
    } catch {
      #expect(error.reason == .resourceCount)
    }
    statement.resources.removeLast()
    #expect(try StatementReader.read(Array(statement.json.utf8)).resources.count == SignedModel.resourcesMax)
  }
}
