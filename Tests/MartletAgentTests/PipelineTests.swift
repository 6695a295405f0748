// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletRules
import Testing

@Suite("Bundled rules")
struct BundledRulesTests {
  @Test("they compile without a word")
  func compile() {
    let compilation = Ruleset.compile(BundledRules.sources)
    let renderer = DiagnosticRenderer(sources: BundledRules.sources)
    #expect(compilation.diagnostics.isEmpty, "\(renderer.render(compilation.diagnostics))")
  }
}
