// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MartletEvents
import MartletRules

/// `martlet fields`: every field that rules can name.
struct FieldsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fields", abstract: "List every field with its type and meaning.")

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, markdown, json
  }

  @Argument(
    help: "Only fields whose name begins so, such as 'proc.a'.", completion: .list(FieldRegistry.names))
  var prefix: String = ""

  @Option(help: "The form of the list: text, markdown or json.")
  var format = Format.text

  /// Here and not in `run`, so that it is this command's usage that is shown.
  func validate() throws {
    guard !FieldRegistry.names.contains(where: { $0.hasPrefix(prefix) }) else { return }
    let nearest = Spelling.nearest(to: prefix, among: FieldRegistry.names)
    throw ValidationError("no field begins with '\(prefix)'" + (nearest.map { ": did you mean '\($0)'?" } ?? ""))
  }

  func run() throws {
    let list = FieldList(FieldRegistry.descriptions.filter { "\($0.name)".hasPrefix(prefix) })
    switch format {
    case .text: write(list.text(width: Self.width), to: STDOUT_FILENO)
    case .markdown: write(list.markdown, to: STDOUT_FILENO)
    case .json: write(list.json, to: STDOUT_FILENO)
    }
  }

  /// Of the terminal; a hundred columns where the list goes elsewhere.
  private static var width: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
    return max(Int(size.ws_col), 60)
  }
}
