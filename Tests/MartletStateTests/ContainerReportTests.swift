// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletState
import MartletTesting
import Testing

/// What a runtime says about the container of `containerID`, in the pod of `podUID`.
let report: ContainerReport = {
  var report = ContainerReport(id: Array(containerID.utf8))
  report.runtime = .containerd
  report.name = Array("web".utf8)
  report.image = Array("registry.example/shop/web:1.2".utf8)
  report.imageRepository = Array("registry.example/shop/web".utf8)
  report.imageTag = Array("1.2".utf8)
  report.imageDigest = Array("sha256:1234".utf8)
  report.imageID = Array("5678".utf8)
  report.labels = [.init(key: Array("tier".utf8), value: []), .init(key: Array("app".utf8), value: Array("a b".utf8))]
  report.podName = Array("web-0".utf8)
  report.podNamespace = Array("shop".utf8)
  report.podUID = Array(podUID.utf8)
  report.podLabels = [.init(key: Array("app".utf8), value: Array("web".utf8))]
  report.sandboxID = Array(String(repeating: "e", count: 64).utf8)
  report.address = Array("10.1.2.3".utf8)
  report.isPrivileged = false
  report.hostNamespaces = [.pid]
  report.mounts = [
    .init(
      source: Array("/var/lib/kubelet/pods/1".utf8), destination: Array("/data".utf8), isWritable: true,
      propagation: Array("private".utf8)),
    .init(
      source: Array("/proc".utf8), destination: Array("/host/proc".utf8), mode: Array("ro".utf8), isWritable: false,
      propagation: Array("rslave".utf8)),
  ]
  report.startedNanoseconds = 1_100_000_000_000
  return report
}()

@Suite("What runtimes say of containers")
struct ContainerReportTests {
  private static let process: TestProcess = {
    var process = TestProcess(7)
    process.cgroupID = 900
    return process
  }()
  private static var open: TestRecord { Event.open("/x", by: process, at: 200_000_000_000) }
  private static var announcement: TestRecord {
    Event.container(cgroup: 900, containerID: containerID, podUID: podUID)
  }

  /// A state that heard `reports`, and in which the container's process has acted.
  private static func feed(_ reports: [ContainerReport] = [report]) -> Feed {
    Feed([Event.host("node", realtimeOffset: 1_000_000_000_000), announcement] + reports.map { Event.report($0) })
  }

  @Test(
    "each field is what the runtime told",
    arguments: [
      (.containerName, .none, "web"), (.containerImage, .none, "registry.example/shop/web:1.2"),
      (.containerImageRepository, .none, "registry.example/shop/web"), (.containerImageTag, .none, "1.2"),
      (.containerImageDigest, .none, "sha256:1234"), (.containerImageID, .none, "5678"),
      (.containerType, .none, "containerd"), (.containerPrivileged, .none, "false"),
      (.containerStart, .none, "1100000000000"), (.containerDuration, .none, "100000000000"),
      (.containerLabels, .none, "app:a b,tier:"), (.containerLabel, .key(Array("app".utf8)), "a b"),
      (.containerLabel, .key(Array("tier".utf8)), ""), (.containerLabel, .key(Array("ap".utf8)), nil),
      (.containerMounts, .none, "/var/lib/kubelet/pods/1:/data::true:private,/proc:/host/proc:ro:false:rslave"),
      (.containerMount, .index(1), "/proc:/host/proc:ro:false:rslave"), (.containerMount, .index(2), nil),
      (.containerMount, .key(Array("/proc*".utf8)), "/proc:/host/proc:ro:false:rslave"),
      (.containerMountDestination, .key(Array("/proc*".utf8)), "/host/proc"),
      (.containerMountDestination, .key(Array("/var/lib/*".utf8)), "/data"),
      (.containerMountDestination, .key(Array("/host*".utf8)), nil),
      (.containerMountSource, .key(Array("/host*".utf8)), "/proc"),
      (.containerMountSource, .index(0), "/var/lib/kubelet/pods/1"),
      (.containerMountMode, .index(0), ""), (.containerMountMode, .index(1), "ro"),
      (.containerMountIsWritable, .index(0), "true"), (.containerMountIsWritable, .index(1), "false"),
      (.containerMountPropagation, .key(Array("/proc".utf8)), "rslave"),
      (.containerHostPID, .none, "true"), (.containerHostNetwork, .none, "false"), (.containerHostIPC, .none, "false"),
      (.containerAddress, .none, "10.1.2.3"), (.podName, .none, "web-0"), (.podNamespace, .none, "shop"),
      (.podUID, .none, podUID), (.podLabels, .none, "app:web"), (.podLabel, .key(Array("app".utf8)), "web"),
      (.podSandboxID, .none, "eeeeeeeeeeee"), (.podFullSandboxID, .none, String(repeating: "e", count: 64)),
      (.podAddress, .none, "10.1.2.3"),
    ] as [(Field, FieldArgument, String?)])
  func fields(field: Field, argument: FieldArgument, expected: String?) {
    #expect(argument.withSelector { Self.feed().text(field, $0, on: Self.open) } == expected)
  }

  private static let told: [Field] = [
    .containerName, .containerImage, .containerImageRepository, .containerImageTag, .containerImageDigest,
    .containerImageID, .containerPrivileged, .containerStart, .containerDuration, .containerLabels,
    .containerAddress, .containerMounts, .containerMount, .containerHostPID, .podName, .podNamespace, .podLabels,
    .podSandboxID, .podFullSandboxID, .podAddress,
  ]

  @Test("what was not told is missing, be there a report or none", arguments: told)
  func missing(field: Field) {
    let nothing = ContainerReport(id: Array(containerID.utf8))
    #expect(Self.feed([]).text(field, on: Self.open) == nil)
    #expect(Self.feed([nothing]).text(field, on: Self.open) == nil)
  }

  @Test("a host process has the name 'host' and nothing else")
  func host() {
    let feed = Self.feed()
    feed.apply(Event.cgroup(1, "/"))
    let open = Event.open("/x", by: TestProcess(9))
    #expect(feed.text(.containerName, on: open) == "host")
    #expect(feed.text(.containerImage, on: open) == nil)
    #expect(feed.text(.podName, on: open) == nil)
  }

  @Test("a report may come before the cgroup, and a later one takes its place")
  func order() {
    let feed = Feed([Event.report(report), Self.announcement])
    #expect(feed.text(.containerName, on: Self.open) == "web")
    var renamed = report
    renamed.name = Array("shop".utf8)
    renamed.imageTag = []
    feed.apply(Event.report(renamed))
    #expect(feed.text(.containerName, on: Self.open) == "shop")
    #expect(feed.text(.containerImageTag, on: Self.open) == nil)
    #expect(feed.state.statistics.containerReportCount == 1)
  }

  @Test("a cgroup that bears another container's id does not get its name")
  func impersonation() {
    let feed = Self.feed()
    let outer = "/kubepods/podffffffff-90ab-4cde-8f01-23456789abcd/\(String(repeating: "e", count: 64))"
    feed.apply(Event.cgroup(901, "\(outer)/\(containerID)"))
    var process = TestProcess(8)
    process.cgroupID = 901
    #expect(feed.text(.containerName, on: Event.open("/x", by: process)) == nil)
    #expect(feed.text(.containerName, on: Self.open) == "web")
  }

  @Test("a container is forgotten a while after its last process, not before")
  func removal() {
    let feed = Self.feed()
    let second: UInt64 = 1_000_000_000
    feed.apply(Event.seed(Self.process), Event.tick(at: 1000 * second), Event.exit(Self.process))
    feed.apply(Event.tick(at: 1059 * second))
    #expect(feed.state.statistics.containerReportCount == 1)
    feed.apply(Event.tick(at: 1061 * second))
    #expect(feed.state.statistics.containerReportCount == 0)
    #expect(feed.state.statistics.containerReportByteCount == 0)
    #expect(feed.state.statistics.forgottenContainerReportCount == 1)
    #expect(feed.text(.containerName, on: Self.open) == nil)
  }

  @Test("the limits on their number and bytes hold, and those in use stay")
  func limits() {
    var limits = StateLimits()
    limits.containerReportCountMax = 3
    let feed = Feed(limits: limits)
    feed.apply(Self.announcement, Event.report(report), Event.seed(Self.process), Event.tick(at: 1))
    for number in 0..<10 {
      feed.apply(Event.report(ContainerReport(id: Array("container-\(number)".utf8)), at: 0))
    }
    #expect(feed.state.statistics.containerReportCount == 3)
    #expect(feed.state.statistics.evictedContainerReportCount == 8)
    #expect(feed.text(.containerName, on: Self.open) == "web")
    limits = StateLimits()
    limits.containerReportByteCountMax = 0
    let small = Feed(limits: limits)
    for number in 0..<100 {
      var large = ContainerReport(id: Array("container-\(number)".utf8))
      large.labels = (0..<100).map { .init(key: Array("\($0)".utf8), value: Array(repeating: 65, count: 4000)) }
      small.apply(Event.report(large))
    }
    #expect(small.state.statistics.evictedContainerReportCount > 80)
    #expect(small.state.statistics.containerReportByteCount < 200_000)
  }

  @Test("a runtime that tells megabytes has them cut")
  func bounds() throws {
    var huge = report
    huge.name = Array(repeating: 0xff, count: 4096)
    huge.labels = (0..<1000).map { .init(key: Array("key \($0)".utf8), value: Array(repeating: 10, count: 1 << 12)) }
    huge.mounts = (0..<1000).map { _ in
      .init(
        source: Array(repeating: 0x2f, count: 4096), destination: [0x2f, 0, 0x78], isWritable: true)
    }
    huge.podLabels = [.init(key: [0x61, 0, 0x62], value: Array(repeating: 0x22, count: 1 << 20))]
    let record = Event.report(huge)
    #expect(record.bytes.count <= ContainerReport.recordByteCountMax)
    #expect(try #require(record.record).has(flag: 1 << 1))
    let small = Event.report(report)
    #expect(try #require(small.record).has(flag: 1 << 1) == false)
    withExtendedLifetime((record, small)) {}
    let feed = Self.feed([huge])
    let name = try #require(feed.text(.containerName, on: Self.open))
    #expect(name == String(repeating: "\u{fffd}", count: ContainerReport.textByteCountMax))
    #expect(feed.text(.podLabel, .key("a"), on: Self.open)?.utf8.count == ContainerReport.textByteCountMax)
    let labels = try #require(feed.text(.containerLabels, on: Self.open))
    #expect(labels.utf8.count <= ContainerReport.labelByteCountMax && labels.hasPrefix("key 0:"))
    #expect(feed.text(.containerMountSource, .index(0), on: Self.open)?.utf8.count == ContainerReport.textByteCountMax)
    #expect(feed.text(.containerMountDestination, .index(0), on: Self.open) == "/")
    #expect(
      feed.text(.containerMounts, on: Self.open).map { $0.utf8.count <= ContainerReport.mountByteCountMax } == true)
  }

  @Test("no mounts are none, and told as such")
  func noMounts() {
    var bare = report
    bare.mounts = []
    #expect(Self.feed([bare]).text(.containerMounts, on: Self.open) == "")
    #expect(Self.feed([bare]).text(.containerMount, .index(0), on: Self.open) == nil)
  }
}
