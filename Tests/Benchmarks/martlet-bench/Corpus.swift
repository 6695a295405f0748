// SPDX-License-Identifier: Apache-2.0

import MartletAgent
import MartletCapture
import MartletEvents
import MartletTesting

/// A stream of records in memory, to be run over again and again.
final class Corpus {
  let name: String
  /// One behind the other in one block, as in a ring.
  private let bytes: UnsafeMutableRawBufferPointer
  let records: [UnsafeRawBufferPointer]

  private init(_ name: String, _ parts: [[UInt8]]) {
    self.name = name
    bytes = .allocate(byteCount: parts.reduce(8) { $0 + $1.count }, alignment: 8)
    var records: [UnsafeRawBufferPointer] = []
    var offset = 0
    for part in parts {
      let place = UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<(offset + part.count)])
      place.copyBytes(from: part)
      records.append(UnsafeRawBufferPointer(place))
      offset += part.count
    }
    self.records = records
  }

  deinit { bytes.deallocate() }

  /// Records at the beginning that tell who is there.
  private(set) var setUpCount = 0

  /// Events that rules are tried on.
  lazy var matchedCount = records.count { EventRecord($0)?.kind.isMatched ?? false }

  static func recording(_ path: String) throws -> Corpus {
    try read(try RecordingSource(path: path), name: String(path.split(separator: "/").last ?? "recording"))
  }

  static func demo() throws -> Corpus {
    try Demo.withRecording { try read(try RecordingSource(bytes: $0, name: "demo"), name: "demo") }
  }

  private static func read(_ source: RecordingSource, name: String) throws -> Corpus {
    var parts: [[UInt8]] = []
    while try source.next({ batch in parts += batch.records.map { Array($0) } }) {}
    return Corpus(name, parts)
  }

  /// 90 % opens, 6 % connects, 4 % execs, each exec with its fork and exit, by a few hundred processes.
  static func mix(eventCount: Int = 16_384, processCount: Int = 200, containerCount: Int = 1) -> Corpus {
    var mix = Mix(containerCount: containerCount)
    let corpus = Corpus("mix", mix.records(eventCount: eventCount, processCount: processCount))
    corpus.setUpCount = mix.setUpCount
    return corpus
  }
}

/// Makes the mix: what a node with a web server, builds and cron jobs does, in proportions that do not change.
private struct Mix {
  private var generator = SeededGenerator(seed: 1)
  private var parts: [[UInt8]] = []
  private var processes: [TestProcess] = []
  private var nextID: UInt32 = 1000
  private let containerCount: Int
  private(set) var setUpCount = 0

  init(containerCount: Int) { self.containerCount = containerCount }

  private static let programs = [
    "/usr/bin/bash", "/usr/sbin/nginx", "/usr/bin/python3.11", "/usr/bin/make", "/usr/bin/gcc", "/usr/bin/ld",
    "/usr/bin/cat", "/usr/bin/grep", "/usr/bin/find", "/usr/sbin/cron", "/usr/bin/node", "/usr/bin/java",
    "/usr/sbin/sshd", "/usr/bin/git", "/usr/bin/tar", "/usr/bin/perl", "/usr/bin/sed", "/usr/lib/postgresql/postgres",
    "/usr/bin/curl", "/usr/bin/ls",
  ]
  private static let folders = [
    "/usr/lib/x86_64-linux-gnu", "/usr/lib/python3.11", "/usr/include/linux", "/proc/self", "/etc", "/etc/ssl/certs",
    "/var/lib/dpkg/info", "/srv/www/static", "/tmp/build/objects", "/home/user/project/src", "/usr/share/zoneinfo",
    "/sys/fs/cgroup",
  ]

  mutating func records(eventCount: Int, processCount: Int) -> [[UInt8]] {
    add(Event.host("bench", realtimeOffset: 1_700_000_000_000_000_000))
    add(Event.cgroup(1, "/system.slice"))
    for index in 0..<containerCount {
      let number = String(index)
      let containerID = String(String(repeating: "0123456789abcdef", count: 4).dropLast(number.count)) + number
      add(
        Event.container(
          cgroup: UInt64(2 + index), containerID: containerID, podUID: "12345678-1234-1234-1234-123456789012"))
    }
    let roots = [TestProcess(1, "/usr/lib/systemd/systemd"), TestProcess(2, "/usr/bin/containerd-shim")]
    for root in roots { add(Event.seed(root)) }
    for index in 0..<processCount {
      var process = (index < 20 ? pick(roots) : pick(processes)).child(newID(), pick(Self.programs), arguments: ["-x"])
      process.cgroupID = UInt64(1 + index % (1 + containerCount))
      add(Event.seed(process))
      processes.append(process)
    }
    setUpCount = parts.count
    for index in 0..<eventCount {
      switch index % 50 {
      case 7, 32: exec()
      case 3, 19, 41: connect()
      default: open()
      }
    }
    return parts
  }

  private mutating func open() {
    // A few names are opened again and again, many a few times.
    let spread = Int.random(in: 0..<100, using: &generator)
    let number = Int.random(in: 0..<(spread < 70 ? 12 : 230), using: &generator)
    let folder = Self.folders[number % Self.folders.count]
    let isWrite = Int.random(in: 0..<8, using: &generator) == 0
    add(Event.open("\(folder)/file-\(number).so", by: pick(processes), flags: isWrite ? 0o1101 : 0))
  }

  private mutating func connect() {
    let address = pick(["10.96.0.10", "192.168.7.20", "93.184.216.34", "127.0.0.1"])
    add(Event.connect(to: address, port: pick([53, 80, 443, 5432, 6379]), by: pick(processes)))
  }

  private mutating func exec() {
    let parent = pick(processes)
    var child = parent.child(newID(), pick(Self.programs), arguments: ["--option", "value-\(nextID)"])
    child.cgroupID = parent.cgroupID
    add(Event.fork(child, by: parent))
    add(Event.exec(child))
    let place = Int.random(in: 20..<processes.count, using: &generator)
    add(Event.exit(processes[place]))
    processes[place] = child
  }

  private mutating func newID() -> UInt32 {
    nextID += 1
    return nextID
  }

  private mutating func add(_ record: TestRecord) { parts.append(Array(record.bytes)) }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &generator)]
  }
}
