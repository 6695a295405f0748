// SPDX-License-Identifier: Apache-2.0

/// The text of an alert, with places for fields.
public struct OutputTemplate: Hashable, Sendable {
  public enum Piece: Hashable, Sendable {
    case literal([UInt8])
    /// `width`: pad with blanks on the right, or cut, to so many bytes.
    case field(FieldReference, width: Int?)
    /// `text`: how it is written, canonically; alerts key it so.
    case transformed(Operand, text: String, width: Int?)
  }

  public let pieces: [Piece]
  /// Every field that is named, also inside a transformer, once, in order.
  public let fields: [FieldReference]
  /// Every transformer with what is in it, once, in order.
  public let transformed: [Transformed]

  /// A transformed value, and its key in alerts.
  public struct Transformed: Hashable, Sendable {
    public let text: String
    public let operand: Operand
  }

  /// As a rule would write it.
  public var text: String {
    pieces.map { piece in
      switch piece {
      case .literal(let bytes): bytes.string
      case .field(let reference, let width): "%\(width.map(String.init) ?? "")\(reference.text)"
      case .transformed(_, let text, let width): "%\(width.map(String.init) ?? "")\(text)"
      }
    }.joined()
  }

  public init(pieces: [Piece]) {
    self.pieces = pieces
    var seenFields: Set<FieldReference> = []
    var seenTexts: Set<String> = []
    var fields: [FieldReference] = []
    var transformed: [Transformed] = []
    for piece in pieces {
      switch piece {
      case .literal: continue
      case .field(let reference, _):
        if seenFields.insert(reference).inserted { fields.append(reference) }
      case .transformed(let operand, let text, _):
        fields += operand.fields.filter { seenFields.insert($0).inserted }
        if seenTexts.insert(text).inserted { transformed.append(Transformed(text: text, operand: operand)) }
      }
    }
    self.fields = fields
    self.transformed = transformed
  }
}
