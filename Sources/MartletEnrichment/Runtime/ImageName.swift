// SPDX-License-Identifier: Apache-2.0

/// The parts of an image's name: `registry.example:5000/shop/web:1.2@sha256:…`.
struct ImageName: Equatable {
  var repository: ArraySlice<UInt8>
  /// Empty where there is none.
  var tag: ArraySlice<UInt8> = []
  /// Empty where there is none.
  var digest: ArraySlice<UInt8> = []

  /// Of any bytes: what does not look like a name is a repository.
  init(_ name: ArraySlice<UInt8>) {
    repository = name
    if let at = repository.firstIndex(of: UInt8(ascii: "@")) {
      digest = repository[(at + 1)...]
      repository = repository[..<at]
    }
    // A colon before the last slash is that of a port.
    let start = repository.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? repository.startIndex
    if let colon = repository[start...].firstIndex(of: UInt8(ascii: ":")) {
      tag = repository[(colon + 1)...]
      repository = repository[..<colon]
    }
  }

  private static let digestPrefix = Array("sha256:".utf8)

  /// Whether this is no name but the id of an image.
  static func isID(_ name: ArraySlice<UInt8>) -> Bool {
    let digits = withoutPrefix(name)
    return digits.count == 64 && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// An id without `sha256:`.
  static func withoutPrefix(_ id: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    id.starts(with: digestPrefix) ? id.dropFirst(digestPrefix.count) : id
  }
}

/// What a runtime knows of an image.
struct ImageFacts {
  /// Without `sha256:`.
  var id: ArraySlice<UInt8> = []
  var tags: [ArraySlice<UInt8>] = []
  /// `REPOSITORY@sha256:…`.
  var digests: [ArraySlice<UInt8>] = []
}

extension ImageName {
  /// The name under which a container's image was asked for, and the digest that its registry has for it.
  ///
  /// Where it was asked for by its id, as Kubernetes does, the first name that the image has is taken.
  static func resolve(asked: ArraySlice<UInt8>, facts: ImageFacts) -> (text: ArraySlice<UInt8>, name: ImageName)? {
    let text = asked.isEmpty || isID(asked) ? facts.tags.first ?? facts.digests.first ?? [] : asked
    guard !text.isEmpty else { return nil }
    var name = ImageName(text)
    // Asked for without a tag: what that led to.
    if name.tag.isEmpty, name.digest.isEmpty,
      let tagged = facts.tags.map({ ImageName($0) }).first(where: {
        $0.repository == name.repository
      })
    {
      name.tag = tagged.tag
    }
    let known = facts.digests.map { ImageName($0) }
    if name.digest.isEmpty {
      name.digest = (known.first { $0.repository == name.repository } ?? known.first)?.digest ?? []
    }
    return (text, name)
  }
}
