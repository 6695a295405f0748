// SPDX-License-Identifier: Apache-2.0

import Glibc
import KernelTestTrial
import Testing

@testable import MartletCapture

extension KernelTests {
  /// Kernels since 6.13 give each function of a tracing program a stack of its own. Those before give all that call each
  /// other 512 bytes, of which each takes a multiple of 32; all of them allow eight functions.
  @Suite("Stack of programs")
  struct StackTests {
    @Test(
      "every chain of functions fits the kernels that the probe is for",
      arguments: [ProbeObject.typedLoads, .helperLoads])
    func depth(object: ProbeObject) throws {
      for part in object.files.dropFirst() {
        var uses = [stack_use](repeating: stack_use(), count: 64)
        let count = stack_uses(part, part.count, &uses, Int32(uses.count))
        try #require(count > 0, "errno \(errno)")
        for use in uses.prefix(Int(count)) {
          let name = withUnsafeBytes(of: use.program) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
          #expect(use.bytes <= 512 && use.frames <= 8, "\(name): \(use.bytes) bytes, \(use.frames) functions")
          // One that needs nothing was not looked at.
          #expect(use.bytes >= 32 && use.frames >= 1)
        }
        #expect(uses.prefix(Int(count)).contains { $0.bytes > 256 && $0.frames > 4 }, "the deep ones were not found")
      }
    }
  }
}
