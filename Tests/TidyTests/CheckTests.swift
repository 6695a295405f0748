// SPDX-License-Identifier: Apache-2.0

import Testing

/// Each check on samples: what it must find, and what looks alike and is fine. Without these a check that finds nothing
/// at all would pass on every tree.
@Suite("tidy checks")
struct CheckTests {
  typealias Check = @Sendable (SourceFile) -> [Finding]

  struct Sample: CustomTestStringConvertible, Sendable {
    let check: Check
    let path: String
    let text: String
    /// The lines the check must name, in order; none for a near miss.
    let lines: [Int]

    var testDescription: String { "\(path): \(String(reflecting: String(text.prefix(60))))" }

    static func hit(_ check: @escaping Check, _ path: String, _ text: String, lines: [Int] = [1]) -> Sample {
      Sample(check: check, path: path, text: text, lines: lines)
    }

    static func miss(_ check: @escaping Check, _ path: String, _ text: String) -> Sample {
      Sample(check: check, path: path, text: text, lines: [])
    }
  }

  @Test("texts", arguments: textSamples)
  func texts(sample: Sample) { expectFindings(sample) }

  @Test("imports", arguments: importSamples)
  func imports(sample: Sample) { expectFindings(sample) }

  @Test("code", arguments: codeSamples)
  func code(sample: Sample) { expectFindings(sample) }

  @Test("names and rules", arguments: treeSamples)
  func tree(sample: Sample) { expectFindings(sample) }

  @Test("an entry that is not on the list is found on the top level")
  func topLevel() {
    let names = ["Sources", ".github", "Package.resolved", "scripts", "docs", "README.md"]
    #expect(TreeChecks.topLevel(names).map(\.path) == ["docs", "scripts"])
  }

  private func expectFindings(_ sample: Sample) {
    let findings = sample.check(SourceFile(path: sample.path, text: sample.text))
    #expect(findings.map(\.line) == sample.lines, "\(findings)")
  }

  private static let spdx = "SPDX-License-" + "Identifier: Apache-2.0"

  static let textSamples: [Sample] = [
    .hit(TextChecks.license, "Sources/A/B.swift", "import Glibc\n// \(spdx)\n"),
    .hit(TextChecks.license, ".ci/run", "#!/bin/sh\necho\n", lines: [2]),
    .hit(TextChecks.license, "bpf/open.bpf.c", "// SPDX-License-" + "Identifier: MIT\n"),
    .hit(TextChecks.license, "bpf/open.bpf.c", "/* \(spdx) */\n"),
    .miss(TextChecks.license, "bpf/open.bpf.c", "// SPDX-License-" + "Identifier: GPL-2.0-only OR BSD-2-Clause\n"),
    .miss(TextChecks.license, "bpf/include/open.h", "/* \(spdx) */\n"),
    .miss(TextChecks.license, "Package.swift", "// swift-tools-version: 6.2\n// \(spdx)\n"),
    .miss(TextChecks.license, ".ci/run", "#!/bin/sh\n# \(spdx)\n"),
    .miss(TextChecks.license, "README.md", "# Martlet\n"),

    .hit(TextChecks.length, "bpf/a.h", String(repeating: "x\n", count: 601), lines: [601]),
    .miss(TextChecks.length, "bpf/a.h", String(repeating: "x\n", count: 600)),
    .miss(TextChecks.length, "CHANGELOG.md", String(repeating: "x\n", count: 900)),

    .hit(TextChecks.functionLength, "Sources/A/B.swift", "\n" + function("func f()", lines: 71), lines: [2]),
    .miss(TextChecks.functionLength, "Sources/A/B.swift", function("func f()", lines: 70)),
    .hit(TextChecks.functionLength, "bpf/a.bpf.c", function("static int f(void)", lines: 71)),
    .miss(TextChecks.functionLength, "bpf/a.bpf.c", function("struct f", lines: 90)),

    .hit(TextChecks.promises, "bpf/a.h", "int a;\n// TO" + "DO: more\n", lines: [2]),
    .hit(TextChecks.promises, "Makefile", "# FIX" + "ME\n"),
    .miss(TextChecks.promises, "Sources/A/B.swift", "let mastodon = TODOS // todo lists are a domain\n"),

    .hit(TextChecks.workplace, "Sources/A/B.swift", "// see /wo" + "rk/notes\n"),
    .hit(TextChecks.workplace, "README.md", "made in a Helper ses" + "sion\n"),
    .miss(TextChecks.workplace, "README.md", "rules/network/connections.yaml; the agent's session id; works/\n"),

    .hit(TextChecks.name, "Sources/A/StringUtils.swift", ""),
    .hit(TextChecks.name, "Sources/A/Helpers/B.swift", ""),
    .hit(TextChecks.name, "bpf/lib/common.h", ""),
    .miss(TextChecks.name, "Sources/A/CommonName.swift", ""),
    .miss(TextChecks.name, "Sources/A/Commonplace.swift", ""),
  ]

  static let importSamples: [Sample] = [
    .hit({ ImportMap.check($0) }, "Sources/MartletEvents/A.swift", "import MartletState\n"),
    .hit({ ImportMap.check($0) }, "Sources/MartletRules/A.swift", "\npublic import Foundation\n", lines: [2]),
    .hit({ ImportMap.check($0) }, "Sources/MartletState/A.swift", "@preconcurrency internal import Dispatch\n"),
    .hit({ ImportMap.check($0) }, "Sources/MartletMatching/A.swift", "import struct Logging.Logger\n"),
    .hit({ ImportMap.check($0) }, "Sources/MartletCapture/A.swift", "@_spi(X) import MartletRules\n"),
    .hit({ ImportMap.check($0) }, "Sources/MartletNew/A.swift", "import Glibc\nimport MartletEvents\n"),
    .miss({ ImportMap.check($0) }, "Sources/MartletState/A.swift", "public import MartletEvents\nimport Glibc\n"),
    .miss({ ImportMap.check($0) }, "Sources/MartletEvents/A.swift", "// import Foundation\nlet important = 1\n"),
    .miss(
      { ImportMap.check($0) }, "Sources/MartletEvents/A.swift", "let text = \"\"\"\n  import Foundation\n  \"\"\"\n"),
    .miss({ ImportMap.check($0) }, "Tests/MartletEventsTests/A.swift", "import Foundation\nimport Testing\n"),
  ]

  static let codeSamples: [Sample] = [
    .hit(CodeChecks.purity, "Sources/MartletState/A.swift", "let now = time(nil)\n"),
    .hit(CodeChecks.purity, "Sources/MartletState/A.swift", "\nclock_gettime(CLOCK_REALTIME, &t)\n", lines: [2]),
    .hit(CodeChecks.purity, "Sources/MartletRules/A.swift", "guard let home = getenv(name) else { return }\n"),
    .hit(CodeChecks.purity, "Sources/MartletRules/A.swift", "let file = open(path, O_RDONLY)\n"),
    .hit(CodeChecks.purity, "Sources/MartletMatching/A.swift", "let start = ContinuousClock.now\n"),
    .hit(CodeChecks.purity, "Sources/MartletEvents/A.swift", "print(\"x\")\n"),
    .miss(CodeChecks.purity, "Sources/MartletEvents/A.swift", "case open(path: Path)\nfunc read(_ x: Int) {}\n"),
    .miss(CodeChecks.purity, "Sources/MartletEvents/A.swift", "Event.open(path); record.time(in: x); realtime()\n"),
    .miss(CodeChecks.purity, "Sources/MartletEvents/A.swift", "// open(path) is the call\nlet text = \"time(nil)\"\n"),
    .miss(CodeChecks.purity, "Sources/MartletCapture/A.swift", "let file = open(path, O_RDONLY)\n"),

    .hit(CodeChecks.traps, "Sources/A/B.swift", "let x = try! f()\nlet y = z as! Int\n", lines: [1, 2]),
    .hit(CodeChecks.traps, "Sources/A/B.swift", "let x = list.first!\nlet y = table[1]!.name\n", lines: [1, 2]),
    .hit(CodeChecks.traps, "Sources/A/B.swift", "var name: String!\n"),
    .miss(CodeChecks.traps, "Sources/A/B.swift", "if a != b, !c, d!=e { f(try? g(), h as? Int) } // wow!\n"),
    .miss(CodeChecks.traps, "Sources/A/B.swift", "let text = \"never try! this!\"\n"),
    .miss(CodeChecks.traps, "Tests/A/B.swift", "let x = try! f()\n"),
  ]

  static let treeSamples: [Sample] = [
    .hit(TreeChecks.rules, "rules/file/etc.yaml", "# nothing here\n"),
    .hit(TreeChecks.rules, "rules/file/etc.yaml", "  rule: indented by mistake\n"),
    .miss(TreeChecks.rules, "rules/file/etc.yaml", "# about\n- rule: Write below etc\n"),
    .miss(TreeChecks.rules, "rules/lib/lists.yaml", "- list: shells\n  items: [sh]\n"),
    .miss(TreeChecks.rules, "rules/tests/etc.yaml", "given: []\n"),
    .miss(TreeChecks.rules, "deploy/kubernetes/daemonset.yaml", "kind: DaemonSet\n"),
  ]

  /// A declaration whose braces span the given number of lines.
  private static func function(_ head: String, lines: Int) -> String {
    head + " {\n" + String(repeating: "  x();\n", count: lines - 2) + "}\n"
  }
}
