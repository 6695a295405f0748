// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletModels
import Testing

@Suite("What is taken for a model")
struct ModelPatternsTests {
  private let patterns = ModelPatterns(
    endings: [".weights"], folders: ["store"], loaders: ModelPatterns.usualLoaders.union(["loader"]))

  @Test(
    "names, folders and programs decide, the usual ones and those that were added",
    arguments: [
      ("/m/x.gguf", "x", "cat", ModelPatterns.Likelihood.yes), ("/m/x", "x.gguf", "cat", .yes),
      ("/m/x.weights", "x", "cat", .yes), ("/m/x.bin", "x", "cat", .byItsBytes), ("/m/x.bin", "x", "vllm", .yes),
      ("/m/x.bin", "x", "loader", .yes), ("/m/x.bin", "x", "loader2", .byItsBytes),
      ("/m/store/0a1b", "x", "cat", .byItsBytes), ("/store/0a1b", "x", "loader", .byItsBytes),
      ("/m/restore/0a1b", "x", "cat", .no), ("/m/store/more/0a1b", "x", "cat", .no), ("/m/store", "x", "cat", .no),
      ("store", "store", "cat", .no), ("", "", "", .no), ("/m/weights", "x", "loader", .no),
    ])
  func likelihood(path: String, name: String, comm: String, expected: ModelPatterns.Likelihood) {
    let texts = [path, name, comm].map { Array($0.utf8) }
    let found = texts[0].withView { path in
      texts[1].withView { name in
        texts[2].withView { comm in patterns.likelihood(path: path, name: name, comm: comm) }
      }
    }
    #expect(found == expected)
  }
}

extension [UInt8] {
  fileprivate func withView<Result>(_ body: (ByteView) -> Result) -> Result {
    withUnsafeBufferPointer { bytes in
      body(bytes.baseAddress.map { ByteView(start: $0, count: bytes.count) } ?? ByteView(""))
    }
  }
}
