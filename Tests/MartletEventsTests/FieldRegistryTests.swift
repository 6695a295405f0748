// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import Testing

@Suite("Field registry")
struct FieldRegistryTests {
  @Test("every field has exactly one description, found by its name", arguments: Field.allCases)
  func description(field: Field) {
    #expect(field.description.field == field)
    #expect(FieldRegistry.field(named: "\(field.description.name)") == field)
    #expect(field.description.documentation.utf8CodeUnitCount > 10)
  }

  @Test("names are unique; what is captured says on which events, what is not says none")
  func invariants() {
    let descriptions = FieldRegistry.descriptions
    #expect(Set(descriptions.map { "\($0.name)" }).count == descriptions.count)
    #expect(descriptions.allSatisfy { $0.isCaptured == !$0.kinds.isEmpty })
    #expect(descriptions.count { $0.isCaptured } > 130 && descriptions.count > 290)
    #expect(
      descriptions.filter(\.isSuggested).map { "\($0.name)" }.sorted() == [
        "container.id", "container.image.repository", "container.image.tag", "container.name", "k8s.ns.name",
        "k8s.pod.name",
      ])
  }

  @Test("an unknown name is no field")
  func unknown() {
    #expect(FieldRegistry.field(named: "proc.nmae") == nil)
  }

  @Test(
    "names with arguments",
    arguments: [
      ("proc.name", nil, FieldArgument.none), ("proc.name", "", .none), ("proc.aname", nil, .none),
      ("proc.aname", "2", .index(2)), ("proc.args", "0", .index(0)), ("proc.env", "HOME", .key(Array("HOME".utf8))),
      ("proc.env", "3", .index(3)), ("proc.aenv", nil, .none), ("evt.arg", "0", .index(0)),
      ("evt.arg.flags", nil, .key(Array("flags".utf8))), ("evt.rawarg.res", nil, .key(Array("res".utf8))),
      ("evt.type.is.open", nil, .key(Array("open".utf8))), ("evt.abspath", nil, .none),
      ("evt.abspath.dst", nil, .key(Array("dst".utf8))), ("thread.cgroup.cpuacct", nil, .key(Array("cpuacct".utf8))),
      ("container.mount.dest", "/etc*", .key(Array("/etc*".utf8))), ("container.mount.dest", "0", .index(0)),
      ("container.label", "app", .key(Array("app".utf8))), ("container.label", "1", .key(Array("1".utf8))),
      ("evt.around", "1404996934793590564", .index(1_404_996_934_793_590_564)),
    ] as [(String, String?, FieldArgument)])
  func resolved(name: String, brackets: String?, argument: FieldArgument) throws {
    let found = try FieldRegistry.resolve(name, brackets: brackets.map { Array($0.utf8) }).get()
    #expect(found.argument == argument)
    #expect(name.hasPrefix("\(found.field.description.name)"))
  }

  @Test(
    "arguments that a field does not take",
    arguments: [
      ("proc.name", "x", FieldLookupError.unexpectedArgument), ("proc.name.x", nil, .unknownField),
      ("proc.aname", "x", .invalidIndex), ("proc.aname", "-1", .invalidIndex), ("proc.aname", " 1", .invalidIndex),
      ("proc.aname", "99999999999999999999", .invalidIndex), ("proc.args", "HOME", .invalidIndex),
      ("proc.env.HOME", nil, .unknownField), ("evt.arg", nil, .missingArgument), ("evt.arg", "", .missingArgument),
      ("evt.arg", "flags", .invalidIndex), ("evt.arg.flagss", nil, .unknownKey),
      ("evt.arg.flags", "0", .unexpectedArgument),
      ("evt.rawarg", "0", .argumentNeedsDot), ("evt.rawarg", nil, .missingArgument),
      ("evt.type.is", nil, .missingArgument), ("evt.type.is", "open", .argumentNeedsDot),
      ("evt.abspath.up", nil, .unknownKey), ("evt.abspath", "src", .unexpectedArgument),
      ("thread.cgroup", nil, .missingArgument), ("thread.cgroup.a1", nil, .unknownKey),
      ("container.label", nil, .missingArgument), ("container.label.app", nil, .unknownField),
      ("container.mount", nil, .missingArgument), ("evt.around", "now", .invalidIndex), ("", nil, .unknownField),
      (".", nil, .unknownField), ("evt.arg.", nil, .unknownKey),
    ] as [(String, String?, FieldLookupError)])
  func refused(name: String, brackets: String?, error: FieldLookupError) {
    #expect(throws: error) { try FieldRegistry.resolve(name, brackets: brackets.map { Array($0.utf8) }).get() }
  }

  @Test(
    "a parameter has the type that it has on the first event in Falco's table",
    arguments: [
      ("res", FieldType.errorNumber), ("flags", .flags32), ("fd", .descriptor), ("name", .path), ("uid", .uint32),
      ("euid", .userID), ("data", .bytes), ("addr", .socketAddress), ("size", .uint32),
    ])
  func parameters(name: String, type: FieldType) {
    #expect(EventParameter.type(named: name) == type)
  }
}
