// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletSignatures

/// What `martlet verify` prints.
struct VerifyReport {
  let path: String
  let outcome: VerifyCommand.Outcome

  /// Paths of one kind that are shown to people; JSON has them all.
  private static let pathsMax = 50

  private func findings(_ kind: ModelReport.Finding.Kind) -> [ExactText] {
    outcome.report?.findings.filter { $0.kind == kind }.map(\.path) ?? []
  }

  private var state: ModelState { outcome.refusal?.state ?? .verified }

  // MARK: - For people

  var text: String {
    var lines: [String]
    if let refusal = outcome.refusal {
      lines = ["not verified: \(Self.visible(path)): \(refusal.state)", "  \(Self.visible(refusal.description))"]
    } else {
      lines = ["verified: \(Self.visible(path))"]
    }
    if let bundle = outcome.bundle { lines += signerLines(bundle) }
    for kind in ModelReport.Finding.Kind.allCases {
      let paths = findings(kind)
      lines += paths.prefix(Self.pathsMax).map { Self.row(kind.rawValue, Self.visible("\($0)")) }
      if paths.count > Self.pathsMax { lines.append(Self.row("", "and \(paths.count - Self.pathsMax) more")) }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func signerLines(_ bundle: VerifiedBundle) -> [String] {
    var lines = [Self.row("signer", Self.visible("\(bundle.signer.name)"))]
    if bundle.signer.isExpired(at: TrustOptions.now) && bundle.signer.signedAt == nil {
      lines.append(Self.row("", "its certificate has expired since"))
    }
    if !bundle.model.name.bytes.isEmpty { lines.append(Self.row("model", Self.visible("\(bundle.model.name)"))) }
    if let report = outcome.report {
      let noun = report.verifiedFileCount == 1 ? "file" : "files"
      lines.append(
        Self.row("checked", "\(report.verifiedFileCount) \(noun) as signed, \(Self.size(report.byteCount)) read"))
      if report.isVerified, report.resourceMatches == false {
        lines.append(Self.row("note", "the signer called this file otherwise"))
      }
    }
    return lines
  }

  private static func row(_ name: String, _ value: String) -> String {
    "  " + name + String(repeating: " ", count: max(0, 10 - name.count)) + " " + value
  }

  /// Names come from whoever made the model: nothing in them may steer a terminal.
  static func visible(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { shown, scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
        shown += "\\u{\(String(scalar.value, radix: 16))}"
      default: shown.unicodeScalars.append(scalar)
      }
    }
  }

  /// `4.3 GB`.
  static func size(_ bytes: Int64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
    guard bytes >= 1000 else { return "\(bytes) B" }
    var tenths = bytes / 100
    var unit = 0
    while tenths >= 10_000, unit < units.count - 1 {
      tenths /= 1000
      unit += 1
    }
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }

  // MARK: - For programs

  var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("model", path)
    json.member("verified", outcome.refusal == nil)
    json.member("state", "\(state)")
    json.member("reason", outcome.refusal.map(\.reason.rawValue))
    json.member("message", outcome.refusal?.description)
    writeSigner(to: &json)
    json.member("files", Int64(outcome.report?.verifiedFileCount ?? 0))
    json.member("bytes", outcome.report?.byteCount ?? 0)
    json.member("resource_match", outcome.report?.resourceMatches)
    for kind in ModelReport.Finding.Kind.allCases {
      json.key(Array(kind.rawValue.utf8))
      json.beginArray()
      for path in findings(kind) { json.value(path.bytes) }
      json.endArray()
    }
    json.endObject()
    return json.text
  }

  private func writeSigner(to json: inout JSONWriter) {
    let bundle = outcome.bundle
    json.member("signer", bundle.map { "\($0.signer.name)" })
    json.member("signer_expired", bundle.map { $0.signer.isExpired(at: TrustOptions.now) })
    json.member("signed_at", bundle?.signer.signedAt)
    json.member("method", bundle?.method.rawValue)
    json.member("name", bundle.map { "\($0.model.name)" })
    json.member("root_digest", bundle?.model.rootDigest?.description)
  }
}
