// SPDX-License-Identifier: Apache-2.0

/// The text of an alert, with places for fields.
public struct OutputTemplate: Hashable, Sendable {
  public enum Piece: Hashable, Sendable {
    case literal([UInt8])
    /// `width`: pad with blanks on the right, or cut, to so many bytes.
    case field(FieldReference, width: Int?)
  }

  public let pieces: [Piece]

  /// As a rule would write it.
  public var text: String {
    pieces.map { piece in
      switch piece {
      case .literal(let bytes): bytes.string
      case .field(let reference, let width): "%\(width.map(String.init) ?? "")\(reference.text)"
      }
    }.joined()
  }

  /// Every field that is named, once, in order.
  public let fields: [FieldReference]

  public init(pieces: [Piece]) {
    self.pieces = pieces
    var seen: Set<FieldReference> = []
    fields = pieces.compactMap { piece in
      guard case .field(let reference, _) = piece, seen.insert(reference).inserted else { return nil }
      return reference
    }
  }
}
