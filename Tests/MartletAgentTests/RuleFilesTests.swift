// SPDX-License-Identifier: Apache-2.0

import Foundation
import MartletAgent
import MartletRules
import Testing

@Suite("Rule files")
struct RuleFilesTests {
  @Test("a byte order mark is no part of a file")
  func byteOrderMark() throws {
    let path = NSTemporaryDirectory() + "martlet-\(UUID().uuidString).yaml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data([0xef, 0xbb, 0xbf, 0x2d, 0x0a]).write(to: URL(fileURLWithPath: path))
    #expect(try RuleFiles.read([path]).map(\.bytes) == [[0x2d, 0x0a]])
  }
}
