// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Testing

@testable import MartletCapture

@Suite("Names of models")
struct ModelNamesTests {
  @Test("the usual names fit the probe's table")
  func usual() throws {
    let encoded = try #require(ModelNames.usual.encoded())
    #expect(encoded.end_lengths & 1 << 5 != 0, "as long as '.gguf'")
    #expect(encoded.end_lengths & 1 << 8 != 0, "as long as what is seen of '.safetensors'")
    #expect(encoded.folder_lengths == 1 << 5)
    #expect(encoded.end_start == UInt32(UInt8(ascii: ".")), "the probe looks no further at names without a dot")
  }

  @Test("where short endings begin with different bytes, or there are none, no byte is what all begin with")
  func starts() throws {
    #expect(try #require(ModelNames(endings: [".gguf", "model"]).encoded()).end_start == 0)
    #expect(try #require(ModelNames(endings: [".safetensors"]).encoded()).end_start == 0)
    #expect(try #require(ModelNames(endings: ["ß1", "ß2"]).encoded()).end_start == 0)
    // As long as what is seen of an ending, which may be the rest of a longer one.
    #expect(try #require(ModelNames(endings: [".gguf", "weight.s"]).encoded()).end_start == 46)
  }

  @Test(
    "what the probe cannot take is refused",
    arguments: [
      ModelNames(endings: [""]), ModelNames(endings: [String(repeating: "x", count: 256)]),
      ModelNames(endings: [], folders: [""]), ModelNames(endings: [], folders: [String(repeating: "x", count: 32)]),
      ModelNames(endings: Set((0...32).map { ".\($0)" })),
      ModelNames(endings: [], folders: Set((0...32).map { "\($0)" })),
    ])
  func refused(names: ModelNames) throws {
    #expect(names.encoded() == nil)
    var configuration = CaptureConfiguration()
    configuration.models = names
    #expect(throws: CaptureError.self) { _ = try KernelSource(configuration: configuration) }
  }

  @Test("as many as are allowed fit, whatever they are called", arguments: 0..<20)
  func full(seed: Int) {
    let endings = Set((0..<ModelNames.countMax).map { ".\($0 &* 7919 &+ seed &* 104729)" })
    #expect(ModelNames(endings: endings).encoded() != nil)
  }
}
