// SPDX-License-Identifier: Apache-2.0

import MartletRules
import Testing

@Suite("Priorities")
struct PriorityTests {
  @Test(
    "a priority is read in any case, and info is short for informational",
    arguments: [
      ("EMERGENCY", Priority.emergency), ("Alert", .alert), ("critical", .critical), ("Error", .error),
      ("WARNING", .warning), ("notice", .notice), ("info", .informational), ("Informational", .informational),
      ("debug", .debug),
    ])
  func names(text: String, priority: Priority) {
    #expect(Priority(name: text) == priority)
  }

  @Test("other words are none")
  func unknown() {
    #expect(Priority(name: "informat") == nil)
    #expect(Priority(name: "") == nil)
  }
}
