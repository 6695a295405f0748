// SPDX-License-Identifier: Apache-2.0

/// What came of checking a model on disk.
public struct ModelReport: Sendable {
  /// A file about which there is something to say.
  public struct Finding: Hashable, Sendable {
    /// What there is to say.
    public enum Kind: String, CaseIterable, Sendable {
      /// Signed, and not there.
      case missing
      /// There, and not signed.
      case extra
      /// There with other bytes than those signed.
      case mismatch
      /// A symbolic link where the signature allows none.
      case link
      /// A FIFO, a device, a socket or a folder where a file is signed.
      case special
      /// There, and not readable.
      case unreadable
      /// Changed while it was read.
      case changed
      /// Not covered by the signature, and not asked for.
      case ignored
    }

    /// What there is to say.
    public let kind: Kind
    /// Relative to the model.
    public let path: ExactText
  }

  /// Why the model is not verified; nothing where it is.
  public internal(set) var refusal: Refusal?
  /// In order of kind, then path.
  public internal(set) var findings: [Finding]
  /// Files whose bytes are the signed ones.
  public internal(set) var verifiedFileCount: Int
  /// Bytes that were read.
  public internal(set) var byteCount: Int64
  /// For a single file, whether it is called as the signer called it; nothing where the signer gave no name.
  public internal(set) var resourceMatches: Bool?

  /// Whether all of the model is what was signed.
  public var isVerified: Bool { refusal == nil }

  /// What `model.state` says.
  public var state: ModelState { refusal?.state ?? .verified }
}
