// SPDX-License-Identifier: Apache-2.0

/// Writes files as one table of paths and texts. They have to be UTF-8; every byte of them comes back as it was.
func embedTexts(name: String, folder: String, output: String, paths: [String]) throws {
  let root = folder.hasSuffix("/") ? folder : folder + "/"
  var source = """
    // SPDX-License-Identifier: Apache-2.0
    // Made by martlet-embed.

    /// Files by path.
    let \(name): [(path: StaticString, text: StaticString)] = [

    """
  for path in paths {
    guard let text = String(validating: try readFile(root + path), as: UTF8.self) else {
      throw EmbedError("'\(root + path)' is not UTF-8")
    }
    source += "  (path: \(literal(path)), text: \(literal(text))),\n"
  }
  try writeFile(output, source + "]\n")
}

/// A Swift string literal on one line. Control characters are escaped, as the compiler would normalise some of them.
private func literal(_ text: String) -> String {
  var literal = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\\": literal += "\\\\"
    case "\"": literal += "\\\""
    case "\n": literal += "\\n"
    case _ where scalar.value < 0x20 || scalar.value == 0x7f || scalar.value == 0xfeff:
      literal += "\\u{\(String(scalar.value, radix: 16))}"
    default: literal.unicodeScalars.append(scalar)
    }
  }
  return literal + "\""
}
