// SPDX-License-Identifier: Apache-2.0

/// One `-----BEGIN …-----` block of a PEM file. What stands around the blocks is commentary, as tools write it.
struct PEMBlock {
  let label: String
  let der: [UInt8]

  /// The block as OpenSSL writes it: lines of 64 characters, and a line feed at the end.
  var text: String {
    let base64 = Array(Base64.encode(der).utf8)
    let lines = stride(from: 0, to: base64.count, by: 64).map { start in
      String(decoding: base64[start..<min(start + 64, base64.count)], as: UTF8.self) + "\n"
    }
    return "-----BEGIN \(label)-----\n\(lines.joined())-----END \(label)-----\n"
  }

  static let fileBytesMax = 1 << 20
  static let blocksMax = 256

  /// All blocks of a file, in order. A block that is not closed or not base 64 makes the file worthless.
  static func read(_ bytes: [UInt8]) throws(Refusal) -> [PEMBlock] {
    guard bytes.count <= fileBytesMax else { throw Refusal(.pemMalformed, "larger than \(fileBytesMax) bytes") }
    var blocks: [PEMBlock] = []
    var open: (label: ArraySlice<UInt8>, base64: [UInt8])?
    for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
      let line = trimmed(line)
      if let label = label(line, "-----BEGIN ") {
        guard open == nil else { throw Refusal(.pemMalformed, "a block begins inside another") }
        open = (label, [])
      } else if let label = label(line, "-----END ") {
        guard let block = open, block.label.elementsEqual(label), let der = Base64.decode(block.base64) else {
          throw Refusal(.pemMalformed, "a block is not base 64 or not closed by its own name")
        }
        guard blocks.count < blocksMax else { throw Refusal(.pemMalformed, "more than \(blocksMax) blocks") }
        blocks.append(PEMBlock(label: String(decoding: label, as: UTF8.self), der: der))
        open = nil
      } else {
        open?.base64.append(contentsOf: line)
      }
    }
    guard open == nil else { throw Refusal(.pemMalformed, "a block does not end") }
    return blocks
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    let start = line.drop(while: isSpace)
    return start.prefix((start.lastIndex { !isSpace($0) }.map { $0 + 1 - start.startIndex }) ?? 0)
  }

  private static func label(_ line: ArraySlice<UInt8>, _ opening: StaticString) -> ArraySlice<UInt8>? {
    let prefix = ExactText(stringLiteral: opening).bytes
    guard line.starts(with: prefix), line.suffix(5).elementsEqual("-----".utf8), line.count >= prefix.count + 5 else {
      return nil
    }
    return line.dropFirst(prefix.count).dropLast(5)
  }
}
