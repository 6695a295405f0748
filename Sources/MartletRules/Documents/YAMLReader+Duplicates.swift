// SPDX-License-Identifier: Apache-2.0

/// Keys that stand twice in one mapping. Yams refuses them, Falco takes the first: so the second is spelled otherwise,
/// by as many bytes, until Yams has nothing against it.
extension YAMLReader {
  /// More than a few in one file are not looked for one by one.
  static let duplicatesMax = 32
  /// What a key begins with that only its double is to be told apart by. No key of a rule file does.
  private static let marker = UInt8(ascii: "0")

  /// Spells a key otherwise; false for one that cannot be.
  static func rename(_ key: Range<Int>, number: Int, in bytes: inout [UInt8]) -> Bool {
    let digits = Array(String(number, radix: 36).utf8)
    guard key.count > digits.count, bytes[key].allSatisfy({ $0.isWord || $0 == .dash }) else { return false }
    bytes.replaceSubrange(key.prefix(digits.count + 1), with: [marker] + digits)
    return true
  }
}
