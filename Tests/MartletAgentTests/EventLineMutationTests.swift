// SPDX-License-Identifier: Apache-2.0

import MartletAlerts
import MartletEvents
import MartletRules
import MartletState
import MartletTesting
import Testing

@testable import MartletAgent

@Suite("Event lines, mutated")
struct EventLineMutationTests {
  private static let lines = [
    #"{"evt.type": "openat", "fd.name": "/etc/shadow", "proc.name": {"$hex": "ff00"}, "fd.num": 3}"#,
    #"{"proc.aname": ["a", "b"], "proc.env[\"A B\"]": "x", "evt.is_open_read": true, "evt.rawres": -2}"#,
    #"{"container.id": {"$pending": true}, "fd.sip": "2001:db8::1", "fd.types": ["file", null], "thread.cpu": 1.5e3}"#,
    #"{"evt.arg.flags": "O_RDONLY|O_CREAT", "proc.args": ["-c", "\u00e9\ud83d\ude00\n"], "evt.num": 18446744073709551615}"#,
  ]

  @Test(
    "each is an event that alerts can be made of, or a mistake with a reason", arguments: 1...20 as ClosedRange<UInt64>)
  func mutations(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let rule =
      "- {rule: r, desc: d, output: '%proc.name %proc.args %fd.name %fd.types', priority: info, condition: evt.num exists or not evt.num exists}"
    let ruleset = try #require(Ruleset.compile([SourceFile(path: "r.yaml", text: rule)], .forMatching).ruleset)
    var pipeline = Pipeline(ruleset)
    var alerts = AlertBuffer()
    var eventCount = 0
    var mistakeCount = 0
    for _ in 0..<500 {
      var bytes = Array(Self.lines[Int.random(in: Self.lines.indices, using: &generator)].utf8)
      for _ in 0..<Int.random(in: 0...3, using: &generator) { Self.mutate(&bytes, &generator) }
      do {
        try pipeline.process(try EventLines.event(from: bytes, number: 1), into: &alerts)
        eventCount += 1
      } catch let mistake as EventLines.Mistake {
        #expect(!mistake.reason.isEmpty)
        mistakeCount += 1
      }
      if alerts.isFull { alerts.removeAll() }
    }
    #expect(eventCount > 20 && mistakeCount > 20)
  }

  private static func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: bytes.indices, using: &generator)
    switch Int.random(in: 0...4, using: &generator) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(Array("\"{}[],:\\$0e-".utf8)[Int.random(in: 0..<12, using: &generator)], at: place)
    case 3: bytes.removeSubrange(place...)
    default: bytes.insert(contentsOf: bytes[place..<min(place + 12, bytes.count)], at: place)
    }
  }
}
