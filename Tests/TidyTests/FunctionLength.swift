// SPDX-License-Identifier: Apache-2.0

/// A function with a body, as far as counting its lines needs to know it.
struct MeasuredFunction: Equatable {
  let name: String
  let line: Int
  let lineCount: Int
}

/// Finds functions by their braces, in code whose comments and literals were blanked.
struct FunctionMeasure {
  private static let openers: [Character: Character] = ["(": ")", "[": "]", "{": "}"]

  private let code: [Character]
  private let lineOf: [Int]

  init(_ code: String) {
    self.code = Array(code)
    var line = 1
    lineOf = self.code.map { character in
      defer { if character == "\n" { line += 1 } }
      return line
    }
  }

  /// Swift: `func`, `init`, `deinit`, `subscript`, and properties with a body.
  func swiftFunctions() -> [MeasuredFunction] {
    words().compactMap { word in
      guard ["func", "init", "deinit", "subscript", "var"].contains(word.text), !isMember(at: word.range.lowerBound),
        let body = swiftBody(after: word.range.upperBound, isProperty: word.text == "var")
      else { return nil }
      let name = word.text == "func" || word.text == "var" ? nextWord(after: word.range.upperBound) : word.text
      return measured(name, from: word.range.lowerBound, body: body)
    }
  }

  /// C: a brace outside all others that follows a closing parenthesis.
  func cFunctions() -> [MeasuredFunction] {
    var functions: [MeasuredFunction] = []
    var index = 0
    var declarationStart = 0
    while index < code.count {
      switch code[index] {
      case "{":
        let body = index...matching(index)
        if let parenthesis = lastVisible(before: index), code[parenthesis] == ")" {
          let start = firstVisible(from: declarationStart)
          functions.append(measured(nameOfC(declarationStart..<index), from: start, body: body))
        }
        index = body.upperBound + 1
        declarationStart = index
      case ";":
        index += 1
        declarationStart = index
      default:
        index += 1
      }
    }
    return functions
  }

  private func measured(_ name: String, from start: Int, body: ClosedRange<Int>) -> MeasuredFunction {
    MeasuredFunction(name: name, line: lineOf[start], lineCount: lineOf[body.upperBound] - lineOf[start] + 1)
  }

  /// The braces that belong to the declaration, or nil: a requirement without a body, a stored property.
  private func swiftBody(after start: Int, isProperty: Bool) -> ClosedRange<Int>? {
    var index = start
    while index < code.count {
      switch code[index] {
      case "{": return index...matching(index)
      case "(", "[": index = matching(index)
      case "}", ";": return nil
      case "=" where isProperty: return nil
      case "\n" where isProperty || startsDeclaration(after: index): return nil
      default: break
      }
      index += 1
    }
    return nil
  }

  /// True when the next line begins something new, so that what came before had no body.
  private func startsDeclaration(after newline: Int) -> Bool {
    let word = nextWord(after: newline)
    return [
      "func", "init", "deinit", "subscript", "var", "let", "case", "public", "private", "static", "mutating",
      "typealias",
      "associatedtype", "internal", "package", "override", "struct", "enum", "class", "extension", "protocol",
    ].contains(word)
  }

  private func matching(_ open: Int) -> Int {
    guard let close = Self.openers[code[open]] else { return open }
    var depth = 0
    for index in open..<code.count {
      if code[index] == code[open] { depth += 1 }
      if code[index] == close { depth -= 1 }
      if depth == 0 { return index }
    }
    return code.count - 1
  }

  private func words() -> [(text: String, range: Range<Int>)] {
    var words: [(String, Range<Int>)] = []
    var start: Int?
    for index in 0...code.count {
      let isPart = index < code.count && isWordPart(code[index])
      if isPart, start == nil { start = index }
      if !isPart, let first = start {
        words.append((String(code[first..<index]), first..<index))
        start = nil
      }
    }
    return words
  }

  private func nextWord(after index: Int) -> String {
    let start = code[index...].firstIndex(where: isWordPart) ?? code.endIndex
    // An operator's name has no letters; it is called by its sign.
    guard start - index < 40, !code[index..<start].contains("(") else { return "operator" }
    return String(code[start...].prefix(while: isWordPart))
  }

  private func nameOfC(_ declaration: Range<Int>) -> String {
    let text = String(code[declaration].prefix { $0 != "(" })
    let name = text.split { !isWordPart($0) }.last.map(String.init) ?? "?"
    // Macros that declare a BPF program take the name as their first argument.
    guard name.hasPrefix("BPF_") else { return name }
    return String(code[declaration].drop { $0 != "(" }.dropFirst().prefix(while: isWordPart))
  }

  private func isWordPart(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }

  /// `.init` and `self.init` are uses, and so is a backquoted name.
  private func isMember(at index: Int) -> Bool {
    guard let before = lastVisible(before: index) else { return false }
    return code[before] == "." || code[before] == "`"
  }

  private func lastVisible(before index: Int) -> Int? {
    code[..<index].lastIndex { !$0.isWhitespace }
  }

  private func firstVisible(from index: Int) -> Int {
    // Preprocessor lines before a function are not part of it.
    var start = index
    while let visible = code[start...].firstIndex(where: { !$0.isWhitespace }) {
      guard code[visible] == "#", let lineEnd = code[visible...].firstIndex(of: "\n") else { return visible }
      start = lineEnd + 1
    }
    return min(index, code.count - 1)
  }
}
