// SPDX-License-Identifier: Apache-2.0

/// Writes the files below `folder` whose names end in `suffix`, but for those below `excluded`, as one table of paths and
/// texts. They have to be UTF-8; every byte of them comes back as it was.
///
/// The folder is read here and not in the plugin: the build re-runs this when a folder changes, but asks the plugin
/// only when the package does.
func embedTexts(name: String, folder: String, suffix: String, excluded: String, output: String) throws {
  let root = folder.hasSuffix("/") ? folder : folder + "/"
  var source = """
    // SPDX-License-Identifier: Apache-2.0
    // Made by martlet-embed.

    /// Files by path.
    let \(name): [(path: StaticString, text: StaticString)] = [

    """
  for path in try files(below: root) where path.hasSuffix(suffix) && !path.hasPrefix(excluded + "/") {
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
