// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletEvents

/// `martlet fields`: every field that rules can name.
struct FieldsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fields", abstract: "List every field with its type and meaning.")

  func run() {
    let lines = FieldRegistry.descriptions.map { field in
      let argument = field.argument.takesIndex ? "[n]" : ""
      let kinds = field.kinds.map { "\($0.name)" }.joined(separator: ", ")
      let conditionOnly = field.isFilterOnly ? " (conditions only)" : ""
      return "\(field.name)\(argument)  \(field.type.name)\(conditionOnly), on \(kinds)\n    \(field.documentation)"
    }
    write(lines.joined(separator: "\n") + "\n", to: STDOUT_FILENO)
  }
}
