// SPDX-License-Identifier: Apache-2.0

import CMartletRE2
import MartletEvents

/// A pattern of the operator `regex`: RE2 in POSIX syntax, matched against the whole text.
///
/// RE2 takes time linear in the text, whatever the pattern. It makes states as it needs them, so that a first match
/// allocates. Immutable but for that cache, which RE2 guards itself.
public final class RegularExpression: @unchecked Sendable {
  fileprivate let compiled: OpaquePointer

  private static let errorBytes = 256

  /// Fails on a bad pattern.
  init?(_ pattern: [UInt8]) {
    guard case .success(let compiled) = Self.compile(pattern) else { return nil }
    self.compiled = compiled
  }

  deinit { martlet_re2_free(compiled) }

  /// What is wrong with a pattern, in RE2's words; nil if nothing is.
  @Sendable
  public static func problem(in pattern: [UInt8]) -> String? {
    switch compile(pattern) {
    case .success(let compiled):
      martlet_re2_free(compiled)
      return nil
    case .failure(let mistake): return mistake.text
    }
  }

  func matches(_ text: ByteView) -> Bool {
    text.withValidCharacters { martlet_re2_full_match(compiled, $0.baseAddress, $0.count) }
  }

  private struct Mistake: Error {
    let text: String
  }

  private static func compile(_ pattern: [UInt8]) -> Result<OpaquePointer, Mistake> {
    var error = [CChar](repeating: 0, count: errorBytes)
    let compiled = pattern.withUnsafeBufferPointer { pattern in
      pattern.withMemoryRebound(to: CChar.self) {
        martlet_re2_compile($0.baseAddress, $0.count, &error, error.count)
      }
    }
    if let compiled { return .success(compiled) }
    let bytes = error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return .failure(Mistake(text: String(decoding: bytes, as: UTF8.self)))
  }
}

/// Several patterns, asked at once whether any of them may match.
final class RegularExpressionSet: @unchecked Sendable {
  private let compiled: OpaquePointer

  /// Nil where they are too many for the memory that RE2 allows itself.
  init?(_ expressions: [RegularExpression]) {
    let patterns = expressions.map { Optional($0.compiled) }
    let compiled = withExtendedLifetime(expressions) { martlet_re2_set_create(patterns, patterns.count) }
    guard let compiled else { return nil }
    self.compiled = compiled
  }

  deinit { martlet_re2_set_free(compiled) }

  /// False only if none of them matches.
  func mayMatch(_ text: ByteView) -> Bool {
    text.withValidCharacters { martlet_re2_set_may_match(compiled, $0.baseAddress, $0.count) }
  }
}

extension ByteView {
  /// As in Falco a text is made valid UTF-8 first; only one that is not ASCII has to be copied for that.
  @inline(__always)
  fileprivate func withValidCharacters(_ body: (UnsafeBufferPointer<CChar>) -> Bool) -> Bool {
    for index in 0..<count where self[index] >= 0x80 {
      var repaired = String(decoding: array, as: UTF8.self)
      return repaired.withUTF8 { $0.withMemoryRebound(to: CChar.self, body) }
    }
    return UnsafeBufferPointer(start: start, count: count).withMemoryRebound(to: CChar.self, body)
  }
}
