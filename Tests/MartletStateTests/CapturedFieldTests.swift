// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletEvents
import MartletState
import MartletTesting
import Testing

@Suite("Captured fields")
struct CapturedFieldTests {
  private static let shell = TestProcess(100, "/bin/sh", arguments: ["-c", "cat x"])
  private static let cat: TestProcess = {
    var cat = shell.child(107, "/bin/cat", arguments: ["-n", "a b", "c"])
    cat.cgroupID = 9
    return cat
  }()

  private static var setUp: [TestRecord] {
    [
      Event.host("node", realtimeOffset: 1_000_000_000_000, at: 0),
      Event.container(cgroup: 9, containerID: containerID, podUID: podUID), Event.report(report), Event.seed(shell),
      Event.exec(cat), Event.resolvers(["10.96.0.10"]),
      Event.answer("a.example", ["10.0.0.1", "10.0.0.7"], network: 0, at: 199_000_000_000),
    ]
  }
  private static var events: [TestRecord] {
    [
      Event.exec(cat, at: 200_000_000_000),
      Event.open("/etc/x", by: cat, at: 200_000_000_000),
      Event.connect(to: "10.0.0.7", port: 443, from: "10.0.0.1", localPort: 50000, by: cat, at: 200_000_000_000),
      Event.call(.fchmod, by: cat, arguments: [3, 0o755], fd: 3, path: "/bin/x", mode: S_IFREG, at: 200_000_000_000),
      Event.exec(cat, environment: ["A=b"]),
      Event.openModel(TestFile("/models/a.pt"), by: cat, at: 200_000_000_000),
      Event.model(by: cat, at: 200_000_000_000) { event in
        event.path = Array("/models/a.pt".utf8)
        event.openedAs = event.path
        event.state = Array("changed".utf8)
        event.isVerified = false
        (event.digest, event.claimedDigest, event.rootDigest) = ([97], [98], [99])
        (event.signer, event.method, event.modelName, event.resource) = ([97], [98], [99], [100])
        event.isNameMatching = true
        event.format = .torch
        event.isPickleCapable = true
        (event.source, event.guarantee, event.change, event.changerID) = ([97], [98], [99], 9)
      },
      Event.exec(cat, at: 201_000_000_000),
    ]
  }

  /// The argument with which a field that needs one, or is more with one, has a value.
  private static func argument(of field: Field) -> FieldArgument {
    switch field {
    case .eventArgument, .eventRawArgument: .key(Array("fd".utf8))
    case .eventTypeIs: .key(Array("openat".utf8))
    case .containerLabel, .podLabel: .key(Array("app".utf8))
    case .containerMount, .containerMountSource, .containerMountDestination, .containerMountMode,
      .containerMountIsWritable, .containerMountPropagation:
      .index(0)
    default: field.description.multiplicity == .ancestors ? .index(1) : .none
    }
  }

  @Test(
    "each has a value on an event of its kind", arguments: FieldRegistry.descriptions.filter(\.isCaptured).map(\.field))
  func captured(field: Field) {
    let feed = Feed(Self.setUp)
    let values = Self.events.map { record in
      Self.argument(of: field).withSelector { feed.text(field, $0, on: record) }
    }
    #expect(values.contains { $0 != nil })
  }

  @Test(
    "none has one on an event of another kind", arguments: FieldRegistry.descriptions.filter(\.isCaptured).map(\.field))
  func otherKinds(field: Field) {
    let feed = Feed(Self.setUp)
    for record in Self.events + [Event.unix(path: "/run/x.sock", by: Self.cat)] {
      guard let kind = record.record?.kind else { continue }
      let value = Self.argument(of: field).withSelector { feed.text(field, $0, on: record) }
      if value != nil { #expect(field.description.kinds.contains(kind)) }
      if let value, let texts = field.possibleTexts(on: kind) { #expect(texts.map(\.description).contains(value)) }
    }
  }

  @Test("no other has one", arguments: FieldRegistry.descriptions.filter { !$0.isCaptured }.map(\.field))
  func uncaptured(field: Field) {
    let feed = Feed(Self.setUp)
    for argument in [FieldArgument.none, .index(0), .key(Array("a".utf8))] {
      for record in Self.events { #expect(argument.withSelector { feed.text(field, $0, on: record) } == nil) }
    }
  }

  @Test(
    "processes",
    arguments: [
      (.processArguments, .none, "-n a b c"), (.processArguments, .index(0), "-n"),
      (.processArguments, .index(1), "a b"), (.processArguments, .index(2), "c"), (.processArguments, .index(3), nil),
      (.processArgumentCount, .none, "3"), (.processArgumentLength, .none, "6"),
      (.processExeLine, .none, "cat -n a b c"), (.processAncestorArguments, .index(1), "-c cat x"),
      (.processAncestorCommandLine, .index(1), "sh -c cat x"), (.processAncestorID, .index(1), "100"),
      (.processAncestorExe, .index(1), "sh"), (.processSessionName, .none, "sh"),
      (.processGroupExePath, .none, "/bin/cat"),
      (.processIsSessionLeader, .none, "false"), (.processIsNamespaceGroupLeader, .none, "true"),
      (.threadCapabilitiesPermitted, .none, "CAP_CHOWN CAP_KILL"), (.threadCapabilitiesInheritable, .none, ""),
      (.processStart, .none, "1107000000000"), (.processDuration, .none, "93000000000"),
      (.processParentDuration, .none, "100000000000"), (.processExeAge, .none, "1104999999997"),
      (.eventTimeISO, .none, "1970-01-01T00:20:00.000000000+0000"),
      (.eventDateTimeSeconds, .none, "1970-01-01 00:20:00"),
      (.eventTimeSeconds, .none, "00:20:00"), (.eventCategory, .none, "process"), (.eventDirection, .none, "<"),
      (.podID, .none, podUID),
    ] as [(Field, FieldArgument, String?)])
  func processes(field: Field, argument: FieldArgument, expected: String?) {
    #expect(argument.withSelector { Feed(Self.setUp).text(field, $0, on: Self.events[0]) } == expected)
  }

  @Test("a program without arguments has none")
  func noArguments() {
    let feed = Feed()
    let exec = Event.exec(TestProcess(5, "/bin/true"))
    #expect(feed.text(.processArgumentCount, on: exec) == "0")
    #expect(feed.text(.processArguments, .index(0), on: exec) == nil)
    #expect(feed.text(.processExeLine, on: exec) == "true")
  }
}
