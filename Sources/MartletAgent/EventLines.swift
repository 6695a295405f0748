// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletCapture
import MartletEvents
import MartletRules
import MartletState

/// Why an event line could not be used.
public struct EventLineError: Error, CustomStringConvertible {
  public let path: String
  /// From 1.
  public let line: Int
  public let reason: String

  public var description: String { "\(RecordingError.name(ofFile: path)), line \(line): \(reason)" }
}

/// Events as people write them: one JSON object a line, field names to values.
///
///     {"evt.type": "openat", "fd.name": "/etc/shadow", "proc.name": "cat", "proc.aname[2]": "sshd"}
///
/// Every field can be given, with an index or key too, captured or not, and any `evt.type` that rules can name.
/// `evt.time` may be a number as alerts have it, nanoseconds since 1970, and then stands for `evt.rawtime` too. A field
/// that is not given is missing, and so is one that is null; of a key that stands twice, the last counts.
/// `{"$hex": "00ff"}` are bytes, `{"$pending": true}` stands for a value that is still on its way. What follows from what
/// stands in `GivenEvent`.
/// Empty lines and lines that begin with `#` are skipped.
final class EventLines {
  private let path: String
  private let file: UnsafeMutablePointer<FILE>
  /// What was read before, to see what it is.
  private var beginning: ArraySlice<UInt8>
  private var lineNumber = 0

  /// Far more than an event needs.
  static let lineByteCountMax = 1 << 20
  private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

  /// Takes over `file`, from which `beginning` was read already.
  init(_ file: UnsafeMutablePointer<FILE>, beginning: [UInt8] = [], path: String) {
    self.file = file
    // A byte order mark is no part of the text.
    self.beginning = beginning.starts(with: Self.byteOrderMark) ? beginning.dropFirst(3) : beginning[...]
    self.path = path
  }

  deinit { fclose(file) }

  /// The next event; nil after the last.
  func next() throws -> GivenEvent? {
    while let text = try nextLine() {
      let start = text.first { !$0.isWhitespaceByte }
      if start == nil || start == UInt8(ascii: "#") { continue }
      do {
        return try Self.event(from: text, number: UInt64(lineNumber))
      } catch {
        throw problem(error.reason)
      }
    }
    return nil
  }

  private func nextLine() throws -> [UInt8]? {
    var line: [UInt8] = []
    while line.last != UInt8(ascii: "\n") {
      let byte = beginning.popFirst().map { Int32($0) } ?? getc_unlocked(file)
      guard byte != EOF else {
        if ferror(file) != 0 { throw RecordingError.reading(path, errno: errno) }
        if line.isEmpty { return nil }
        break
      }
      line.append(UInt8(truncatingIfNeeded: byte))
      // Before all of it is read: it may have no end.
      if line.count > Self.lineByteCountMax {
        lineNumber += 1
        throw problem("longer than \(Self.lineByteCountMax) bytes")
      }
    }
    lineNumber += 1
    return line
  }

  /// What is wrong with one line.
  struct Mistake: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
  }

  /// The event of one line; `number` tells it apart from others.
  static func event(from text: [UInt8], number: UInt64) throws(Mistake) -> GivenEvent {
    guard let members = try? EventLineReader.members(of: text) else {
      throw Mistake(reason: "not a JSON object of field names and values")
    }
    var values: [GivenEvent.Key: GivenEvent.Value] = [:]
    // In the order of the alphabet, so that the same line always gives the same event, or the same error.
    for (name, value) in members.sorted(by: { $0.key < $1.key }) where value != .null {
      let key = try key(named: name)
      guard let given = value.given(as: key) else {
        throw Mistake(reason: "'\(name)' takes \(key.field.expectation)")
      }
      if key.field == .eventType { try Self.checkType(value) }
      values.merge(given) { $1 }
      if key.field == .eventTime, let moment = value.nanoseconds, values[.init(.eventRawTime)] == nil {
        values[.init(.eventRawTime)] = .unsigned(UInt64(bitPattern: moment))
        values[key] = .text(Self.timeOfDay(moment))
      }
    }
    return GivenEvent(values, place: number)
  }

  /// What no event is called matches nothing: a slip of the pen would look like a rule that does not work.
  private static func checkType(_ value: EventLineValue) throws(Mistake) {
    guard case .text(let bytes) = value else { return }
    let name = String(decoding: bytes, as: UTF8.self)
    guard !EventName.isKnown(name) else { return }
    let help = EventName.nearest(to: name).map { "; did you mean '\($0)'?" } ?? ""
    throw Mistake(reason: "unknown event type '\(name)'\(help)")
  }

  private static func timeOfDay(_ nanoseconds: Int64) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: TimeText.timeOfDayByteCount) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      TimeText.writeTimeOfDay(nanoseconds: nanoseconds, at: start)
      count = TimeText.timeOfDayByteCount
    }
  }

  /// `proc.name`, `proc.aname[2]`, `evt.arg.flags`: as rules write fields.
  private static func key(named name: String) throws(Mistake) -> GivenEvent.Key {
    var fieldName = name
    var brackets: [UInt8]?
    if name.hasSuffix("]"), let open = name.firstIndex(of: "[") {
      fieldName = String(name[..<open])
      brackets = Self.unquoted(Array(name[name.index(after: open)...].utf8.dropLast()))
    }
    let reason: String
    switch FieldRegistry.resolve(fieldName, brackets: brackets) {
    case .success(let (field, argument)): return GivenEvent.Key(field, argument)
    case .failure(.unknownField): reason = "unknown field '\(fieldName)'"
    case .failure(.unexpectedArgument): reason = "'\(fieldName)' takes nothing in brackets"
    case .failure(.argumentNeedsDot): reason = "'\(fieldName)': the argument stands behind a dot"
    case .failure(.missingArgument): reason = "'\(fieldName)' needs an argument"
    case .failure(.invalidIndex): reason = "'\(name)': a number has to stand in the brackets"
    case .failure(.unknownKey): reason = "unknown argument in '\(name)'"
    }
    throw Mistake(reason: reason)
  }

  private static func unquoted(_ text: [UInt8]) -> [UInt8] {
    guard text.count >= 2, let mark = text.first, mark == text.last,
      mark == UInt8(ascii: "\"") || mark == UInt8(ascii: "'")
    else { return text }
    return Array(text.dropFirst().dropLast())
  }

  /// Something wrong with the line that was read last.
  func problem(_ reason: String) -> EventLineError {
    EventLineError(path: path, line: lineNumber, reason: reason)
  }
}

extension UInt8 {
  fileprivate var isWhitespaceByte: Bool { self == 0x20 || self == 0x09 || self == 0x0a || self == 0x0d }
}

/// Tells the two kinds of input of a replay apart.
enum EventInput {
  case recording(RecordingSource)
  case lines(EventLines)

  /// `-` is standard input, where whatever is no recording is taken for event lines: it has no name to be mistaken in.
  static func open(_ path: String) throws -> EventInput {
    let descriptor = path == "-" ? dup(STDIN_FILENO) : Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw RecordingError.reading(path, errno: errno) }
    let beginning: [UInt8]
    do {
      beginning = try read(descriptor, path)
    } catch {
      close(descriptor)
      throw error
    }
    let isText = path == "-" && !RecordingSource.isLikely(beginning) || EventLines.areLikely(beginning)
    guard isText else {
      return .recording(try RecordingSource(descriptor: descriptor, beginning: beginning, path: path))
    }
    guard let file = fdopen(descriptor, "r") else {
      close(descriptor)
      throw RecordingError.reading(path, errno: errno)
    }
    return .lines(EventLines(file, beginning: beginning, path: path))
  }

  /// The first bytes: enough to tell, or all there are.
  private static func read(_ descriptor: Int32, _ path: String) throws(RecordingError) -> [UInt8] {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while bytes.count < RecordingSource.magicByteCount {
      let count = Glibc.read(descriptor, &byte, 1)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .reading(path, errno: errno) }
      if count == 0 { break }
      bytes.append(byte)
      // One byte is enough of text, and a person who types it should not have to wait for more.
      if bytes.count == 1, EventLines.areLikely(bytes) { break }
    }
    guard !bytes.isEmpty else { throw .empty(path) }
    return bytes
  }
}

extension EventLines {
  /// Whether a file that begins so means to be event lines.
  fileprivate static func areLikely(_ beginning: [UInt8]) -> Bool {
    guard let first = beginning.first else { return false }
    return first.isWhitespaceByte || first == UInt8(ascii: "{") || first == UInt8(ascii: "#")
      || beginning.starts(with: byteOrderMark)
  }
}
