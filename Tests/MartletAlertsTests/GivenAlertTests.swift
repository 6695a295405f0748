// SPDX-License-Identifier: Apache-2.0

import Foundation
import MartletAlerts
import MartletEvents
import MartletRules
import MartletState
import Testing

/// Alerts of events that were given as fields.
@Suite("Alerts of event lines")
struct GivenAlertTests {
  private func alert(
    _ output: String, _ given: [GivenEvent.Key: GivenEvent.Value], _ extraFields: [OutputAmendment.ExtraField] = []
  ) throws -> (text: String, fields: [String: Any]) {
    let text = "- {rule: R, desc: D, condition: evt.type = open, priority: INFO, output: \"\(output)\"}"
    var amendment = OutputAmendment()
    amendment.extraFields = extraFields
    var options = CompileOptions()
    options.outputAmendments = [amendment]
    let ruleset = try #require(Ruleset.compile([SourceFile(path: "a.yaml", text: text)], options).ruleset)
    var values = given
    values[.init(.eventRawTime)] = .unsigned(1_470_327_116_746_609_046)
    let event = GivenEvent(.open, values)
    var buffer = AlertBuffer()
    withExtendedLifetime(event) {
      var context = EventContext(event)
      AlertComposer(ruleset).compose(RuleID(rawValue: 0), under: .spelled, &context, into: &buffer)
    }
    let object = try JSONSerialization.jsonObject(with: Data(buffer.bytes)) as? [String: Any]
    let line = try #require(object?["output"] as? String)
    let prefix = "16:11:56.746609046: Informational "
    #expect(line.hasPrefix(prefix))
    return (String(line.dropFirst(prefix.count)), try #require(object?["output_fields"] as? [String: Any]))
  }

  private let lists: [GivenEvent.Key: GivenEvent.Value] = {
    var given: [GivenEvent.Key: GivenEvent.Value] = [.init(.processName): .text(Array("cat".utf8))]
    guard let types = FieldRegistry.field(named: "fd.types") else { return given }
    for (index, type) in ["file", "ipv4"].enumerated() {
      given[.init(types, .index(index))] = .text(Array(type.utf8))
    }
    return given
  }()

  @Test("lists are in parentheses in texts, and arrays among the fields")
  func list() throws {
    let alert = try alert("%fd.types|%7fd.types|%len(fd.types)|%toupper(fd.types)", lists)
    #expect(alert.text == "(file,ipv4)|(file,i|2|(FILE,IPV4)")
    #expect(alert.fields["fd.types"] as? [String] == ["file", "ipv4"])
    #expect(alert.fields["toupper(fd.types)"] as? [String] == ["FILE", "IPV4"])
    #expect(alert.fields["len(fd.types)"] as? Int == 2)
    #expect(try self.alert("%fd.types", [:]).text == "<NA>")
  }

  @Test("a star in front is not printed, a second one is")
  func star() throws {
    #expect(try alert("*a %proc.name", lists).text == "a cat")
    #expect(try alert("**%proc.name*", lists).text == "*cat*")
  }

  @Test("the moment of an event is a text in texts, and nanoseconds among the fields")
  func time() throws {
    let alert = try alert("%evt.time %evt.time.s %evt.time.iso8601 %evt.datetime %evt.datetime.s", [:])
    #expect(
      alert.text
        == "16:11:56.746609046 16:11:56 2016-08-04T16:11:56.746609046+0000 2016-08-04 16:11:56.746609046 2016-08-04 16:11:56"
    )
    for key in ["evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s"] {
      #expect(alert.fields[key] as? Int64 == 1_470_327_116_746_609_046)
    }
  }

  @Test("configuration adds fields, as they are or as texts")
  func extraFields() throws {
    let alert = try alert(
      "x", lists, [.field("fd.types"), .field("len(proc.name)"), .text(key: "who", template: "by %proc.name %fd.name")])
    #expect(alert.text == "x")
    #expect(alert.fields["fd.types"] as? [String] == ["file", "ipv4"])
    #expect(alert.fields["len(proc.name)"] as? Int == 3)
    #expect(alert.fields["who"] as? String == "by cat <NA>")
  }
}
