// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The list of fields, in its forms.
@Suite("fields", .timeLimit(.minutes(5)))
struct FieldsTests {
  private struct Entry: Decodable {
    var name: String
    var type: String
    var is_list: Bool
    var argument: String
    var argument_kind: [String]
    var filter_only: Bool
    var captured: Bool
    var events: [String]
    var documentation: String
  }

  @Test("as text: families apart, no line wider than the page")
  func text() throws {
    let result = try Command.run(["fields"])
    #expect(result.succeeded && result.errors.isEmpty)
    let families = result.output.components(separatedBy: "\n\n").map { $0.prefix { $0 != "." } }
    #expect(Set(families).count == families.count && families.count > 6)
    #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    #expect(result.output.contains("proc.aname[n]") && result.output.contains("evt.arg.NAME"))
  }

  @Test("as Markdown: a row for each field")
  func markdown() throws {
    let result = try Command.run(["fields", "--format", "markdown", "container.mount"])
    #expect(result.succeeded && result.output.hasPrefix("## container\n\n| field | type | meaning |"))
    #expect(result.output.contains(#"| `container.mount.dest[n\|KEY]` | string | "#))
    #expect(result.output.split(separator: "\n").count == 3 + 7)
  }

  @Test("as JSON: every fact of a field")
  func json() throws {
    let result = try Command.run(["fields", "--format", "json"])
    let entries = try JSONDecoder().decode([Entry].self, from: Data(result.output.utf8))
    let byName = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
    #expect(entries.allSatisfy { !$0.documentation.isEmpty && !$0.type.isEmpty && $0.captured == !$0.events.isEmpty })
    let name = try #require(byName["fd.name"])
    #expect(
      name.argument == "none" && name.captured && name.events.contains("openat") && !name.events.contains("execve"))
    let ancestor = try #require(byName["proc.aname"])
    #expect(ancestor.argument == "optional" && ancestor.argument_kind == ["index"])
    let mount = try #require(byName["container.mount"])
    #expect(mount.argument == "required" && mount.argument_kind == ["index", "key"] && mount.captured)
    #expect(byName["fd.types"]?.is_list == true && byName["fd.net"]?.filter_only == true)
  }

  @Test("of a family only, and an error where there is none")
  func prefix() throws {
    let result = try Command.run(["fields", "--format", "json", "proc.a"])
    let entries = try JSONDecoder().decode([Entry].self, from: Data(result.output.utf8))
    #expect(entries.count == 8 && entries.allSatisfy { $0.name.hasPrefix("proc.a") })
    let none = try Command.run(["fields", "nothing."])
    #expect(none.status == .exited(2) && none.errors.contains("no field begins with 'nothing.'"))
  }
}
