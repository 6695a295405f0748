// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import MartletSignatures

/// JSON, base 64, PEM and lists of checksums, as strangers write them.
@Suite("reading what strangers write")
struct ReadingTests {
  @Test(
    "JSON that is none is refused",
    arguments: [
      "", " ", "{", "}", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "nul", "truefalse", "01", "-", "1.",
      "1e",
      "+1", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\u{1}\"", "1 2", "[1]x", "{}{}",
      String(repeating: "9", count: 40),
    ])
  func malformed(text: String) {
    do throws(Refusal) {
      _ = try JSONReader.read(Array(text.utf8))
      Issue.record("it was read")
    } catch {
      #expect(error.reason == .jsonMalformed)
    }
  }

  @Test("bytes that are not UTF-8 are refused")
  func notUnicode() {
    #expect(throws: Refusal.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
    #expect(throws: Refusal.self) { try JSONReader.read([0x22, 0xED, 0xA0, 0x80, 0x22]) }
  }

  @Test("JSON is read as it is meant")
  func values() throws {
    let json = try JSONReader.read(
      Array(#" {"a":[1,-2.50,1e3,true,false,null],"b\n":"\u00e9\ud83d\ude00\/\\","c":"12","d":10000.0,"e":1.5} "#.utf8))
    #expect(json["a"]?.elements?.count == 6)
    #expect(json["b\n"]?.text == "é😀/\\")
    #expect(json["c"]?.integer == 12 && json["d"]?.integer == 10000 && json["e"]?.integer == nil)
    #expect(json["f"] == nil && json["a"]?["x"] == nil)
  }

  @Test("base 64 is what Foundation writes, and nothing more")
  func base64() {
    for count in 0...40 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ count) }
      let text = Data(bytes).base64EncodedString()
      #expect(Base64.encode(bytes) == text)
      #expect(Base64.decode(Array(text.utf8)) == bytes)
    }
    for text in ["A", "AB=C", "AA=", "AB==", "A===", "AAA==", "====", "AA A", "AA\n==", "AAAA\n", "é"] {
      #expect(Base64.decode(Array(text.utf8)) == nil, "\(text)")
    }
  }

  @Test("keys are found among other text")
  func keys() throws {
    let key = TestKey.new("P-384")
    let text = "Public Key Info:\n\tcurve: SECP384R1\n\n\(key.pem)\r\n"
    #expect(try VerificationKey.read(pem: Array(text.utf8)) == [try key.publicKey])
    #expect(try key.publicKey.pem == key.pem + "\n")
    #expect(try VerificationKey.read(pem: Array((text + TestKey.new().pem).utf8)).count == 2)
  }

  @Test(
    "files without a key that can check are refused",
    arguments: [
      ("", Refusal.Reason.keyMissing), ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", .keyMissing),
      ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", .keyType),
      ("-----BEGIN PUBLIC KEY-----\nAAAA\n", .pemMalformed),
      ("-----BEGIN PUBLIC KEY-----\nA!AA\n-----END PUBLIC KEY-----\n", .pemMalformed),
      ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----\n", .pemMalformed),
    ])
  func noKey(text: String, expected: Refusal.Reason) {
    do throws(Refusal) {
      _ = try VerificationKey.read(pem: Array(text.utf8))
      Issue.record("it was read")
    } catch {
      #expect(error.reason == expected)
    }
  }

  @Test("a list of checksums, as sha256sum writes it")
  func checksums() throws {
    let digest = Digest256(of: "x".utf8)
    let text = "# ours\n\(digest)  a b.bin\n\n\(digest) *./sub/c\n\\\(digest)  new\\nline\\\\\n"
    let list = try ChecksumList(Array(text.utf8), name: "SHA256SUMS")
    #expect(list.model.resources.map(\.name) == ["a b.bin", "sub/c", "new\nline\\"])
    let verified = try list.trusted(by: TrustPolicy())
    #expect(verified.method == .manifest && verified.signer.name == "allowlist:SHA256SUMS")
    #expect(throws: Refusal.self) {
      try list.trusted(by: TrustPolicy(revocations: Revocations(digests: [digest])))
    }
  }

  @Test(
    "a list that is none is refused",
    arguments: [
      ("", Refusal.Reason.resourceCount), ("x  y", .checksumMalformed), ("DIGEST y", .checksumMalformed),
      ("DIGEST  ../y", .checksumMalformed), ("DIGEST  /y", .checksumMalformed), ("DIGEST  ", .checksumMalformed),
      ("DIGEST  y\r\n/", .checksumMalformed), ("\\DIGEST  y\\x", .checksumMalformed),
      ("\\DIGEST  y\\", .checksumMalformed),
      ("DIGEST  y\nDIGEST  ./y", .resourceDuplicate), ("SHA256 (y) = DIGEST", .checksumMalformed),
    ])
  func noChecksums(text: String, expected: Refusal.Reason) {
    let bytes = Array(text.replacing("DIGEST", with: Digest256(of: [1]).description).utf8)
    do throws(Refusal) {
      _ = try ChecksumList(bytes, name: "x")
      Issue.record("it was read")
    } catch {
      #expect(error.reason == expected)
    }
  }

  @Test("a signature of another list is not one of this")
  func signedChecksums() throws {
    let key = TestKey.new()
    let policy = TrustPolicy(keys: [try key.publicKey])
    let list = try ChecksumList(Array("\(Digest256(of: [1]))  a\n".utf8), name: "a")
    let other = try ChecksumList(Array("\(Digest256(of: [1]))  b\n".utf8), name: "b")
    let bytes = Array("\(Digest256(of: [1]))  a\n".utf8)
    let signature = try DetachedSignature(try key.sign(bytes)).verify(list.digest, trusting: policy)
    #expect(try list.signed(signature, policy: policy).signer.name == ExactText("key:\(try key.publicKey.hint)"))
    #expect(throws: Refusal.self) { try other.signed(signature, policy: policy) }
  }

  @Test("each reason has words and a spelling of its own")
  func reasons() {
    let all = Refusal.Reason.allCases
    #expect(Set(all.map(\.rawValue)).count == all.count)
    for reason in all {
      #expect(reason.explanation != reason.rawValue, "\(reason)")
      #expect(!reason.explanation.hasSuffix(".") && reason.state != .verified)
    }
  }
}
