// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MartletEnrichment

@Suite("Forms that runtimes speak in")
struct FormTests {
  @Test(
    "the name of an image falls into its parts",
    arguments: [
      ("nginx", "nginx", "", ""), ("nginx:1.25", "nginx", "1.25", ""),
      ("registry.example:5000/shop/web", "registry.example:5000/shop/web", "", ""),
      ("registry.example:5000/shop/web:1.2", "registry.example:5000/shop/web", "1.2", ""),
      ("shop/web@sha256:ab", "shop/web", "", "sha256:ab"), ("shop/web:1@sha256:ab", "shop/web", "1", "sha256:ab"),
      ("", "", "", ""), (":", "", "", ""), ("@", "", "", ""), ("a/:", "a/", "", ""), ("a:b:c", "a", "b:c", ""),
    ])
  func imageName(text: String, repository: String, tag: String, digest: String) {
    let name = ImageName(Array(text.utf8)[...])
    #expect(name.repository.elementsEqual(repository.utf8))
    #expect(name.tag.elementsEqual(tag.utf8) && name.digest.elementsEqual(digest.utf8))
  }

  private static let id = "sha256:" + String(repeating: "a", count: 64)

  @Test(
    "an image has the name that it was asked for, and else the first that it has",
    arguments: [
      (
        "shop/web:1", ["other:2", "shop/web:1"], ["other@sha256:o", "shop/web@sha256:w"], "shop/web:1", "1", "sha256:w"
      ),
      ("nginx", ["x:1", "nginx:latest"], [], "nginx", "latest", ""),
      (id, ["shop/web:1"], ["shop/web@sha256:w"], "shop/web:1", "1", "sha256:w"),
      ("", [], ["shop/web@sha256:w"], "shop/web@sha256:w", "", "sha256:w"), (id, [], [], nil, nil, nil),
    ] as [(String, [String], [String], String?, String?, String?)])
  func resolve(asked: String, tags: [String], digests: [String], text: String?, tag: String?, digest: String?) {
    let facts = ImageFacts(tags: tags.map { Array($0.utf8)[...] }, digests: digests.map { Array($0.utf8)[...] })
    let found = ImageName.resolve(asked: Array(asked.utf8)[...], facts: facts)
    #expect(found.map { String(decoding: $0.text, as: UTF8.self) } == text)
    #expect(found.map { String(decoding: $0.name.tag, as: UTF8.self) } == tag)
    #expect(found.map { String(decoding: $0.name.digest, as: UTF8.self) } == digest)
  }

  @Test(
    "a moment is read to the nanosecond, in any zone",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2016-08-04T16:11:56.746609046Z", 1_470_327_116_746_609_046),
      ("2016-08-04T18:11:56.7+02:00", 1_470_327_116_700_000_000),
      ("2016-08-04T11:41:56-04:30", 1_470_327_116_000_000_000),
      ("2024-02-29T00:00:00.000000001234Z", 1_709_164_800_000_000_001), ("0001-01-01T00:00:00Z", nil), ("", nil),
      ("1970-01-01T00:00:00+01:00", nil), ("2016-08-04 16:11:56Z", nil), ("2016-13-04T16:11:56Z", nil),
      ("2016-08-04T16:11:56", nil), ("2016-08-04T16:11:56.Z", 1_470_327_116_000_000_000), ("9999-01-01T00:00:00Z", nil),
      ("2016-08-04T16:11:56.1é", nil),
    ] as [(String, UInt64?)])
  func timestamp(text: String, nanoseconds: UInt64?) {
    #expect(Timestamp.nanoseconds(text) == nanoseconds)
  }

  @Test(
    "a socket is an interface and a path",
    arguments: [
      ("cri:/run/x.sock", RuntimeSocket(.cri, "/run/x.sock")), ("docker:/a", RuntimeSocket(.docker, "/a")),
      ("folder:/run/x", RuntimeSocket(.folder, "/run/x")),
      ("/run/x.sock", nil), ("cri:x.sock", nil), ("podman:/a", nil), ("cri:", nil), ("none", nil),
      ("cri:/" + String(repeating: "x", count: 200), nil),
    ] as [(String, RuntimeSocket?)])
  func socket(text: String, socket: RuntimeSocket?) {
    #expect(RuntimeSocket(text: text) == socket)
  }
}
