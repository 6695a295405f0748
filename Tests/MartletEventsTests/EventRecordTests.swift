// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import MartletEvents
import MartletTesting
import Testing

@Suite("Reading records")
struct EventRecordTests {
  @Test("a whole record is read, texts and name included")
  func whole() throws {
    let bytes = Event.open("shadow", resolved: "/etc/shadow", below: "/etc", by: TestProcess(7))
    defer { withExtendedLifetime(bytes) {} }
    let record = try #require(bytes.record)
    #expect(record.kind == .open)
    #expect(record.type == .openat)
    #expect(record.bytes(record.open.pointee.path).string == "/etc/shadow")
    #expect(record.bytes(record.open.pointee.name).string == "shadow")
    #expect(record.comm.string == "true")
  }

  @Test("kinds and calls have the numbers of the header")
  func numbers() {
    #expect(EventKind.exec.rawValue == UInt16(MARTLET_KIND_EXEC.rawValue))
    #expect(EventKind.process.rawValue == UInt16(MARTLET_KIND_PROCESS.rawValue))
    #expect(EventKind.fork.rawValue == UInt16(MARTLET_KIND_FORK.rawValue))
    #expect(EventKind.exit.rawValue == UInt16(MARTLET_KIND_EXIT.rawValue))
    #expect(EventKind.open.rawValue == UInt16(MARTLET_KIND_OPEN.rawValue))
    #expect(EventKind.connect.rawValue == UInt16(MARTLET_KIND_CONNECT.rawValue))
    #expect(EventKind.cgroup.rawValue == UInt16(MARTLET_KIND_CGROUP.rawValue))
    #expect(EventKind.unix.rawValue == UInt16(MARTLET_KIND_UNIX.rawValue))
    #expect(EventKind.dns.rawValue == UInt16(MARTLET_KIND_DNS.rawValue))
    #expect(EventKind.resolvers.rawValue == UInt16(MARTLET_KIND_RESOLVERS.rawValue))
    #expect(EventKind.file.rawValue == UInt16(MARTLET_KIND_FILE.rawValue))
    #expect(EventKind.host.rawValue == UInt16(MARTLET_KIND_HOST.rawValue))
    #expect(EventKind.tick.rawValue == UInt16(MARTLET_KIND_TICK.rawValue))
    #expect(EventType.execve.rawValue == UInt8(MARTLET_CALL_EXECVE.rawValue))
    #expect(EventType.connect.rawValue == UInt8(MARTLET_CALL_CONNECT.rawValue))
    #expect(EventType.accept.rawValue == UInt8(MARTLET_CALL_ACCEPT.rawValue))
    #expect(EventType.bind.rawValue == UInt8(MARTLET_CALL_BIND.rawValue))
    #expect(EventType.sendto.rawValue == UInt8(MARTLET_CALL_SENDTO.rawValue))
    #expect(EventType.recvmmsg.rawValue == UInt8(MARTLET_CALL_RECVMMSG.rawValue))
    #expect(EventKind.call.rawValue == UInt16(MARTLET_KIND_CALL.rawValue))
    #expect(EventType.dup.rawValue == UInt8(MARTLET_CALL_DUP.rawValue))
    #expect(EventType.ptrace.rawValue == UInt8(MARTLET_CALL_PTRACE.rawValue))
    #expect(EventType.ioUringSetup.rawValue == UInt8(MARTLET_CALL_IO_URING_SETUP.rawValue))
    #expect(EventType.fchmodat2.rawValue == UInt8(MARTLET_CALL_FCHMODAT2.rawValue))
    #expect(EventType.allCases.allSatisfy { UInt32($0.rawValue) < MARTLET_CALL_COUNT.rawValue })
    let names = Set(EventType.allCases.map { "\($0.name)" })
    #expect(names.count == EventType.allCases.count && !names.contains(""))
  }

  @Test("every way to cut a record short is refused", arguments: [0, 4, 79, 80, 159, 175])
  func cut(length: Int) {
    let whole = Event.open("/etc/shadow", by: TestProcess(7))
    #expect(whole.bytes.count > length)
    #expect(EventRecord(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(whole.bytes)[..<length])) == nil)
  }

  @Test("damage to any four bytes of the fixed part never leads outside the record")
  func damage() {
    let values: [UInt32] = [0, 1, 79, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff]
    var acceptedCount = 0
    for offset in stride(from: 0, to: MemoryLayout<martlet_open>.size, by: 4) {
      for value in values {
        let damaged = Event.open("/etc/shadow", by: TestProcess(7))
        damaged.bytes.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
        guard let record = damaged.record, record.kind == .open else { continue }
        acceptedCount += 1
        for text in [record.open.pointee.path, record.open.pointee.name, record.open.pointee.directory] {
          let view = record.bytes(text)
          let start = UnsafeRawPointer(view.start) - UnsafeRawPointer(damaged.bytes.baseAddress!)
          #expect(start >= 0 && start + view.count <= damaged.bytes.count)
        }
      }
    }
    #expect(acceptedCount > 100)
  }

  @Test("damage to a call's fixed part never leads outside the record")
  func damagedCall() {
    var acceptedCount = 0
    for offset in stride(from: 0, to: MemoryLayout<martlet_syscall>.size, by: 4) {
      for value: UInt32 in [0, 1, 271, 272, 300, 1 << 16, .max] {
        let damaged = Event.call(
          .renameat, by: TestProcess(7), names: ["old", "new"], below: ["/a", "/b"], path: "/a/file")
        damaged.bytes.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
        guard let record = damaged.record, record.kind == .call else { continue }
        acceptedCount += 1
        let part = record.call.pointee
        for text in [part.path, part.names.0, part.names.1, part.names.2, part.directories.0, part.directories.1] {
          let view = record.bytes(text)
          let start = UnsafeRawPointer(view.start) - UnsafeRawPointer(damaged.bytes.baseAddress!)
          #expect(start >= 0 && start + view.count <= damaged.bytes.count)
        }
      }
    }
    #expect(acceptedCount > 100)
  }

  @Test("an exec that failed is a call, an open is none")
  func failedExec() {
    let failed = Event.call(.execve, by: TestProcess(7), result: -13, names: ["/x"])
    defer { withExtendedLifetime(failed) {} }
    #expect(failed.record?.kind == .call && failed.record?.type == .execve)
    #expect(Event.call(.openat, by: TestProcess(7)).record == nil)
  }

  @Test("a record that claims an environment has to have room for it")
  func environment() throws {
    let exec = Event.exec(TestProcess(7))
    let flags = try #require(MemoryLayout<martlet_record>.offset(of: \.flags))
    #expect(exec.record?.environment == nil)
    exec.bytes.storeBytes(of: UInt32(MARTLET_FLAG_ENVIRONMENT), toByteOffset: flags, as: UInt32.self)
    // Where its place would stand there is a text.
    #expect(exec.record == nil)
  }

  @Test("a change of a file has one of the kinds that there are, and no text outside")
  func change() throws {
    let change = Event.change(of: "/models/a.gguf", to: "b.gguf", below: "/models", by: TestProcess(7))
    let part = try #require(change.record?.file.pointee)
    #expect(change.record?.bytes(part.name).string == "b.gguf")
    #expect(change.record?.type == nil && change.record?.kind.isMatched == false)
    for what in [martlet_change(0), MARTLET_CHANGE_COUNT] {
      #expect(Event.change(of: "/a", to: "b", by: TestProcess(7), what).record == nil)
    }
    let path = try #require(MemoryLayout<martlet_file>.offset(of: \.path))
    change.bytes.storeBytes(of: UInt32(change.bytes.count), toByteOffset: path, as: UInt32.self)
    #expect(change.record == nil)
  }

  @Test("an open that claims a file's state has to have room for it")
  func fileState() throws {
    let flags = try #require(MemoryLayout<martlet_record>.offset(of: \.flags))
    for (name, hasRoom) in [("/a", false), ("/models/a-name-that-is-long-enough.gguf", true)] {
      let open = Event.open(name, by: TestProcess(7))
      #expect(open.record?.fileState == nil)
      open.bytes.storeBytes(of: UInt32(MARTLET_FLAG_FILE_STATE), toByteOffset: flags, as: UInt32.self)
      #expect((open.record?.fileState != nil) == hasRoom)
    }
  }

  @Test("a record longer than the kernel side makes is refused")
  func tooLong() {
    let longest = Int(MARTLET_RECORD_BYTES_MAX) - MemoryLayout<martlet_open>.size
    let name = String(repeating: "n", count: longest)
    let fits = Event.open(name, by: TestProcess(7), result: -2)
    #expect(fits.bytes.count == Int(MARTLET_RECORD_BYTES_MAX) && fits.record != nil)
    #expect(Event.open(name + "n", by: TestProcess(7), result: -2).record == nil)
  }

  @Test("a record at an odd address is refused")
  func misaligned() {
    let whole = Event.tick()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: whole.bytes.count + 8, alignment: 8)
    defer { buffer.deallocate() }
    let moved = UnsafeMutableRawBufferPointer(rebasing: buffer[1..<(1 + whole.bytes.count)])
    moved.copyMemory(from: UnsafeRawBufferPointer(whole.bytes))
    #expect(EventRecord(UnsafeRawBufferPointer(moved)) == nil)
    #expect(whole.record != nil)
  }

  @Test("a call that does not belong to the record's kind is refused")
  func foreignCall() {
    #expect(Event.open("/x", by: TestProcess(7), call: .connect).record == nil)
  }
}
