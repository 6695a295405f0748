// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletRules
import Testing

/// Against lists of Falco's own, where somebody put them beside the tree: they are no part of it.
@Suite("Fields of Falco's")
struct UpstreamFieldTests {
  private static let lists = ["../../../shared", "../../../../shared"]
    .map { TestFiles.directory($0 + "/upstream/falco-names") }
    .filter { TestFiles.names(in: $0).contains("fields.tsv") }

  @Test(
    "each is known, with its type, its argument and where it may stand",
    .enabled(if: !lists.isEmpty, "no shared/upstream/falco-names beside the package"), arguments: lists)
  func fields(folder: String) throws {
    for line in TestFiles.bytes(folder + "/fields.tsv").text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "\t").map(String.init)
      let field = try #require(FieldRegistry.field(named: parts[0]), "\(parts[0])").description
      let flags = Set(parts.count > 2 ? parts[2].split(separator: ",").map(String.init) : [])
      #expect(Self.types[parts[1]]?.contains(field.type) == true, "\(parts[0])")
      #expect(field.isFilterOnly == flags.contains("filter_only"), "\(parts[0])")
      #expect((field.multiplicity == .list) == flags.contains("is_list"), "\(parts[0])")
      #expect(field.takesTransformers == !flags.contains("no_transformer"), "\(parts[0])")
      #expect(field.takesOtherSide == !flags.contains("no_rhs"), "\(parts[0])")
      // evt.abspath says that it needs an argument, and does not.
      guard field.argument != .pathSide else { continue }
      #expect(field.argument.isRequired == flags.contains("arg_required"), "\(parts[0])")
      #expect((field.argument == .none) == flags.isDisjoint(with: ["arg_required", "arg_allowed"]), "\(parts[0])")
    }
  }

  private static let types: [String: Set<FieldType>] = [
    "PT_CHARBUF": [.string, .path], "PT_BYTEBUF": [.bytes], "PT_BOOL": [.boolean], "PT_UINT32": [.uint32],
    "PT_UINT64": [.uint64], "PT_INT16": [.int16], "PT_INT32": [.int32], "PT_INT64": [.int64],
    "PT_DOUBLE": [.double], "PT_PORT": [.port], "PT_IPADDR": [.address], "PT_IPNET": [.network],
    "PT_RELTIME": [.relativeTime], "PT_ABSTIME": [.absoluteTime], "PT_DYN": [.dynamic],
  ]

  @Test(
    "rules of Falco's name no field and no argument that is unknown", TestFiles.needsUpstream,
    arguments: TestFiles.upstreamRules)
  func rules(path: String) throws {
    let about: Set<DiagnosticCode> = [
      .unknownField, .unexpectedIndex, .invalidIndex, .unknownArgument, .missingArgument, .filterOnlyField,
    ]
    let diagnostics = Ruleset.compile([SourceFile(path: path, bytes: TestFiles.bytes(path))]).diagnostics
    #expect(!diagnostics.contains { about.contains($0.code) })
  }
}
