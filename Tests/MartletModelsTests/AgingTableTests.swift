// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MartletModels

@Suite("Aging table")
struct AgingTableTests {
  @Test("what is used stays, whatever comes; the rest makes room")
  func use() {
    var table = AgingTable<Int, Int>(countMax: 100)
    table.note(1, for: 1)
    for key in 1000..<5000 {
      table.note(key, for: key)
      #expect(table.use(1) == 1 && table.count <= 100)
    }
    #expect(table.use(4999) == 4999 && table.use(1000) == nil)
    table.note(2, for: 1)
    #expect(table.use(1) == 2)
  }
}
