// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import MartletCapture
import MartletEvents
import MartletState

/// Why an event line could not be used.
public struct EventLineError: Error, CustomStringConvertible {
  public let path: String
  /// From 1.
  public let line: Int
  public let reason: String

  public var description: String { "'\(path)', line \(line): \(reason)" }
}

/// Events as people write them: one JSON object a line, field names to values.
///
///     {"evt.type": "openat", "fd.name": "/etc/shadow", "proc.name": "cat", "proc.aname[2]": "sshd"}
///
/// A field that is not given is missing; `{"$pending": true}` stands for a value that is still on its way. Empty lines
/// and lines that begin with `#` are skipped.
final class EventLines {
  private let path: String
  private let file: UnsafeMutablePointer<FILE>
  private var lineNumber = 0
  private var buffer: UnsafeMutablePointer<CChar>?
  private var bufferByteCount = 0

  /// Far more than an event needs.
  static let lineByteCountMax = 1 << 20

  /// Takes over `file`.
  init(_ file: UnsafeMutablePointer<FILE>, path: String) {
    self.file = file
    self.path = path
  }

  deinit {
    free(buffer)
    fclose(file)
  }

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
    let count = getline(&buffer, &bufferByteCount, file)
    guard count >= 0, let buffer else {
      if ferror(file) != 0 { throw RecordingError.reading(path, errno: errno) }
      return nil
    }
    lineNumber += 1
    guard count <= Self.lineByteCountMax else { throw problem("longer than \(Self.lineByteCountMax) bytes") }
    return buffer.withMemoryRebound(to: UInt8.self, capacity: count) {
      Array(UnsafeBufferPointer(start: $0, count: count))
    }
  }

  /// What is wrong with one line.
  struct Mistake: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
  }

  /// The event of one line; `number` becomes its `evt.num`.
  static func event(from text: [UInt8], number: UInt64) throws(Mistake) -> GivenEvent {
    guard let members = try? JSONDecoder().decode([String: EventLineValue].self, from: Data(text)) else {
      throw Mistake(reason: "not a JSON object of field names and values")
    }
    guard case .text(let typeName)? = members["evt.type"],
      let type = EventType.allCases.first(where: { "\($0.name)" == typeName })
    else {
      throw Mistake(
        reason: "'evt.type' has to be one of \(EventType.allCases.map { "\($0.name)" }.joined(separator: ", "))")
    }
    var values: [GivenEvent.Key: GivenEvent.Value] = [.init(.eventNumber): .unsigned(number)]
    for (name, value) in members where value != .null {
      let key = try key(named: name)
      guard let given = value.given(as: key.field.description.type) else {
        throw Mistake(reason: "'\(name)' takes a value of type \(key.field.description.type.name)")
      }
      values[key] = given
    }
    return GivenEvent(type, values)
  }

  /// `proc.name`, or `proc.aname[2]` where the field takes an index.
  private static func key(named name: String) throws(Mistake) -> GivenEvent.Key {
    if let field = FieldRegistry.field(named: name) { return GivenEvent.Key(field) }
    if let match = name.wholeMatch(of: #/([a-z._]+)\[(\d{1,3})\]/#), let index = Int(match.2),
      let field = FieldRegistry.field(named: String(match.1)), field.description.argument == .optionalIndex
    {
      return GivenEvent.Key(field, .index(index))
    }
    throw Mistake(reason: "unknown field '\(name)'")
  }

  /// Something wrong with the line that was read last.
  func problem(_ reason: String) -> EventLineError {
    EventLineError(path: path, line: lineNumber, reason: reason)
  }
}

/// A value on an event line.
enum EventLineValue: Decodable, Equatable {
  case null
  case boolean(Bool)
  case signed(Int64)
  case unsigned(UInt64)
  case text(String)
  case pending

  private struct Pending: Decodable {
    private enum CodingKeys: String, CodingKey { case isPending = "$pending" }
    var isPending: Bool
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .boolean(flag)
    } else if let number = try? container.decode(Int64.self) {
      self = .signed(number)
    } else if let number = try? container.decode(UInt64.self) {
      self = .unsigned(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if try container.decode(Pending.self).isPending {
      self = .pending
    } else {
      self = .null
    }
  }

  /// Nil where it does not fit the type.
  fileprivate func given(as type: FieldType) -> GivenEvent.Value? {
    switch (type, self) {
    case (_, .pending): .pending
    case (.string, .text(let text)), (.path, .text(let text)): .text(Array(text.utf8))
    case (.boolean, .boolean(let flag)): .boolean(flag)
    case (.int64, .signed(let number)): .signed(number)
    case (.uint32, .signed(let number)), (.uint64, .signed(let number)), (.port, .signed(let number)),
      (.absoluteTime, .signed(let number)), (.relativeTime, .signed(let number)):
      number >= 0 ? .unsigned(UInt64(number)) : nil
    case (.uint64, .unsigned(let number)), (.absoluteTime, .unsigned(let number)): .unsigned(number)
    case (.address, .text(let text)), (.network, .text(let text)): IPAddress(text: text).map { .address($0) }
    default: nil
    }
  }
}

extension EventLineValue: CustomStringConvertible {
  var description: String {
    switch self {
    case .null: "missing"
    case .pending: "pending"
    case .boolean(let flag): "\(flag)"
    case .signed(let number): "\(number)"
    case .unsigned(let number): "\(number)"
    case .text(let text): "'\(text)'"
    }
  }
}

extension UInt8 {
  fileprivate var isWhitespaceByte: Bool { self == 0x20 || self == 0x09 || self == 0x0a || self == 0x0d }
}

/// Tells the two kinds of input of a replay apart.
enum EventInput {
  case recording
  case lines(EventLines)

  /// `-` is standard input, for event lines.
  static func open(_ path: String) throws -> EventInput {
    guard let file = path == "-" ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "re") else {
      throw RecordingError.reading(path, errno: errno)
    }
    let first = getc(file)
    if first == EOF {
      let code = ferror(file) != 0 ? errno : 0
      fclose(file)
      throw code == 0 ? RecordingError.empty(path) : RecordingError.reading(path, errno: code)
    }
    ungetc(first, file)
    if let byte = UInt8(exactly: first), byte.isWhitespaceByte || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "#")
    {
      return .lines(EventLines(file, path: path))
    }
    fclose(file)
    return .recording
  }
}
