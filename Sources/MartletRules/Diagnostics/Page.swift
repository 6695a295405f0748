// SPDX-License-Identifier: Apache-2.0

/// The lines of one rendered diagnostic.
struct Page {
  enum Style: String {
    case error = "1;31"
    case warning = "1;33"
    case note = "1;36"
    case help = "1;32"
    case frame = "34"
    case strong = "1"
  }

  private(set) var text = ""
  let isColored: Bool
  /// Characters that line numbers take.
  var gutter = 2

  init(isColored: Bool) { self.isColored = isColored }

  mutating func line(_ line: String) { text += line + "\n" }

  /// A line of the file, or one without a number beside it.
  mutating func framed(_ number: Int?, _ content: String) {
    let digits = number.map(String.init) ?? ""
    let padding = String(repeating: " ", count: max(0, gutter - digits.utf8.count))
    line(styled("\(padding)\(digits) |", .frame) + (content.isEmpty ? "" : " \(content)"))
  }

  mutating func note(_ text: String) { line(styled("note", .note) + ": \(text)") }

  mutating func help(_ text: String) { line(styled("help", .help) + ": \(text)") }

  func styled(_ text: String, _ style: Style) -> String {
    isColored ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }
}
