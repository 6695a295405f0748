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

  @Test("an unknown name is no field")
  func unknown() {
    #expect(FieldRegistry.field(named: "proc.nmae") == nil)
  }
}
