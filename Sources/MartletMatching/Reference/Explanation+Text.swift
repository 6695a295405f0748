// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules

extension Explanation {
  /// One line for each part, operands indented below what joins them. `*` marks the parts that decide; what a
  /// predicate found stands behind it, and the macros through which the rule came to it.
  ///
  ///     * false  and
  ///         true   evt.type = openat       evt.type is openat
  ///       * false  fd.name = /etc/shadow   fd.name is /etc/hosts, in macro 'sensitive'
  public var text: String {
    var lines: [Line] = []
    collect(into: &lines, depth: 0)
    let width = min(lines.map(\.left.count).max() ?? 0, Line.leftWidthMax)
    return lines.map { $0.text(width: width) + "\n" }.joined()
  }

  private struct Line {
    var left: String
    var right: String

    static let leftWidthMax = 72

    func text(width: Int) -> String {
      guard !right.isEmpty else { return left }
      return left + String(repeating: " ", count: max(0, width - left.count)) + "   " + right
    }
  }

  private func collect(into lines: inout [Line], depth: Int) {
    // Beyond this the indentation alone would fill screens; a condition may be a thousand deep.
    let indentation = String(repeating: "  ", count: min(depth, 40))
    let head = indentation + (isDeciding ? "* " : "  ") + truth.paddedName
    switch part {
    case .all(let parts), .any(let parts):
      var word = "or"
      if case .all = part { word = "and" }
      lines.append(Line(left: head + word, right: ""))
      for part in parts { part.collect(into: &lines, depth: depth + 1) }
    case .not(let inner):
      lines.append(Line(left: head + "not", right: ""))
      inner.collect(into: &lines, depth: depth + 1)
    case .predicate(let predicate, let readings):
      let found = readings.map(\.text) + predicate.macros.suffix(1).map { "in macro '\($0.name)'" }
      lines.append(Line(left: head + "\(predicate)".shortened(to: 64), right: found.joined(separator: ", ")))
    }
  }
}

extension FieldReading {
  /// `proc.name is cat`.
  public var text: String {
    switch content {
    case .missing: "\(reference.text) is missing"
    case .pending: "\(reference.text) is pending"
    case .values(let values):
      "\(reference.text) is \(values.map { $0.shown.shortened(to: 100) }.joined(separator: ", "))"
    }
  }
}

extension Constant {
  /// What a field had, for people: control characters escaped, so that no terminal obeys them.
  fileprivate var shown: String {
    switch self {
    case .text(let bytes): bytes.isEmpty ? "empty" : String(decoding: bytes, as: UTF8.self).visible
    case .signed(let number): "\(number)"
    case .unsigned(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    case .double(let number): "\(number)"
    case .address(let address): "\(address)"
    case .network(let network): "\(network)"
    }
  }
}

extension Truth {
  fileprivate var paddedName: String {
    switch self {
    case .isFalse: "false    "
    case .isTrue: "true     "
    case .isUnknown: "unknown  "
    }
  }
}

extension String {
  fileprivate var visible: String {
    unicodeScalars.map { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? $0.escaped(asASCII: true) : String($0) }
      .joined()
  }

  /// Lists of names can be pages long.
  fileprivate func shortened(to length: Int) -> String { count <= length ? self : prefix(length - 1) + "…" }
}
