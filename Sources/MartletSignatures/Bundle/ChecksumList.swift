// SPDX-License-Identifier: Apache-2.0

/// A list of checksums as `sha256sum` writes it: the operator's own, or signed like any other file.
public struct ChecksumList: Sendable {
  /// Larger files are refused unread.
  public static let bytesMax = 16 << 20

  /// What the list says.
  public let model: SignedModel
  /// Of the list itself: what a signature of it must be over.
  public let digest: Digest256

  /// The list that `bytes` spell; `name` is what it is called.
  public init(_ bytes: [UInt8], name: String) throws(Refusal) {
    guard bytes.count <= Self.bytesMax else { throw Refusal(.checksumMalformed, "larger than \(Self.bytesMax) bytes") }
    var resources: [SignedModel.Resource] = []
    var seen: Set<ExactText> = []
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      guard !line.isEmpty, line.first != UInt8(ascii: "#") else { continue }
      guard let resource = Self.resource(line) else { throw Refusal(.checksumMalformed, "line \(index + 1)") }
      guard seen.insert(resource.name).inserted else { throw Refusal(.resourceDuplicate, "'\(resource.name)'") }
      resources.append(resource)
      guard resources.count <= SignedModel.resourcesMax else { throw Refusal(.resourceCount) }
    }
    guard !resources.isEmpty else { throw Refusal(.resourceCount, "0") }
    digest = Digest256(of: bytes)
    model = SignedModel(
      name: ExactText(name), rootDigest: nil, resources: resources, ignoredPaths: [], allowsSymbolicLinks: false)
  }

  /// `DIGEST  name`; a `*` for binary instead of the second blank; a backslash in front where the name holds escapes.
  private static func resource(_ line: ArraySlice<UInt8>) -> SignedModel.Resource? {
    let isEscaped = line.first == UInt8(ascii: "\\")
    let text = isEscaped ? line.dropFirst() : line
    let rest = text.dropFirst(64)
    guard let digest = Digest256(hexadecimal: text.prefix(64)), rest.first == 0x20,
      let mode = rest.dropFirst().first, mode == 0x20 || mode == UInt8(ascii: "*")
    else { return nil }
    var name = rest.dropFirst(2)
    if name.starts(with: "./".utf8) { name = name.dropFirst(2) }
    guard let bytes = isEscaped ? unescaped(name) : Array(name), let plain = ResourceName.plain(bytes) else {
      return nil
    }
    return SignedModel.Resource(name: plain, digest: .whole(digest))
  }

  private static func unescaped(_ name: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var isEscape = false
    for byte in name {
      switch (isEscape, byte) {
      case (false, UInt8(ascii: "\\")):
        isEscape = true
        continue
      case (true, UInt8(ascii: "n")): bytes.append(0x0A)
      case (true, UInt8(ascii: "r")): bytes.append(0x0D)
      case (true, UInt8(ascii: "\\")), (false, _): bytes.append(byte)
      default: return nil
      }
      isEscape = false
    }
    return isEscape ? nil : bytes
  }

  /// The list as the operator's own word: whoever may write the configuration may write it.
  public func trusted(by policy: TrustPolicy) throws(Refusal) -> VerifiedBundle {
    try policy.revocations.check(model)
    return VerifiedBundle(
      signer: Signer(name: ExactText("allowlist:\(model.name)"), keyFingerprint: nil), method: .manifest, model: model)
  }

  /// The list as the word of whoever signed it. `signature` is verified already, and must be over this list.
  public func signed(_ signature: VerifiedBundle, policy: TrustPolicy) throws(Refusal) -> VerifiedBundle {
    guard signature.model.isSingleFile, signature.model.resources[0].digest == .whole(digest) else {
      throw Refusal(.signatureInvalid, "it is over something else than this list")
    }
    try policy.revocations.check(model)
    return VerifiedBundle(signer: signature.signer, method: .manifest, model: model)
  }
}
