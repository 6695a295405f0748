// SPDX-License-Identifier: Apache-2.0

/// Reads the texts of small mappings inside an item: the name of an exception, a plugin and its version.
enum YAMLTextReader {
  /// A text that has to be there and not empty; nil, which is reported, if it is not. `owner`: in a user's words;
  /// `code`: what is wrong then.
  static func text(
    _ key: String, in value: YAMLNode?, of mapping: YAMLNode, _ owner: String, _ code: DiagnosticCode,
    _ log: inout DiagnosticLog
  ) -> MappedText? {
    guard let value else {
      log.report(
        code, "\(owner) needs '\(key)'", at: mapping.firstByte, "has none", upstream: .yamlValidate,
        words: "Item has no mapping for key '\(key)'")
      return nil
    }
    guard !value.isNull else {
      log.report(
        code, "\(owner) needs '\(key)'", at: value.file.range.isEmpty ? mapping.firstByte : value.file,
        "has none", upstream: .yamlValidate, words: "Mapping for key '\(key)' is empty")
      return nil
    }
    guard let text = value.scalar?.text, !text.isEmpty else {
      log.report(
        code, "'\(key)' takes a text", at: value.firstByte, value.scalar == nil ? value.kindName : "empty",
        upstream: .yamlValidate, words: value.scalar == nil ? "Value is not a scalar value" : "Value must be non-empty",
        detail: LoadLocation(.value, key, value.file))
      return nil
    }
    return text
  }
}
