// SPDX-License-Identifier: Apache-2.0

public import MartletEvents

/// Which files are taken for models by their names.
public struct ModelPatterns: Hashable, Sendable {
  /// Whether a file is a model.
  public enum Likelihood: Sendable {
    case yes
    /// If it begins like one.
    case byItsBytes
    case no
  }

  /// Endings that name a model beside those of `ModelFormat`.
  public var endings: Set<String>
  /// What folders are called in which whatever begins like a model is one.
  public var folders: Set<String>
  /// Programs, by the name of the acting thread, of which everything that is called like a model is one.
  public var loaders: Set<String>

  /// Servers of models, and what they are mostly written in.
  public static let usualLoaders: Set<String> = [
    "ollama", "llama-server", "llama-cli", "vllm", "tritonserver", "tensorflow_mode", "torchserve", "lemonade-server",
    "text-generation", "sglang", "mlserver", "localai", "pt_main_thread",
  ]

  public init(endings: Set<String> = [], folders: Set<String> = [], loaders: Set<String> = usualLoaders) {
    self.endings = endings
    self.folders = folders
    self.loaders = loaders
  }

  /// `path`: as resolved; `name`: as the program spelled it; `comm`: what the program is called.
  public func likelihood(path: ByteView, name: ByteView, comm: ByteView) -> Likelihood {
    for text in [path, name] where endings.contains(where: { text.ends(with: $0) }) { return .yes }
    // Whoever names a file by its digest can be taken at his word.
    if ClaimedDigest.digits(in: path) != nil { return .yes }
    if let format = ModelFormat(path: path) ?? ModelFormat(path: name) {
      return format.isAmbiguousByName && !isLoader(comm) ? .byItsBytes : .yes
    }
    guard path.ends(with: ".bin") || name.ends(with: ".bin") else { return isInFolder(path) ? .byItsBytes : .no }
    return isLoader(comm) ? .yes : .byItsBytes
  }

  private func isInFolder(_ path: ByteView) -> Bool {
    guard !folders.isEmpty, let end = path.lastIndex(of: UInt8(ascii: "/")) else { return false }
    let folder = path.slice(from: 0, to: end)
    return folders.contains { folder.ends(with: "/" + $0) }
  }

  private func isLoader(_ comm: ByteView) -> Bool {
    loaders.contains { $0.utf8.count == comm.count && comm.ends(with: $0) }
  }
}

extension ByteView {
  fileprivate func ends(with text: String) -> Bool {
    let bytes = text.utf8
    guard count >= bytes.count else { return false }
    var index = count - bytes.count
    for byte in bytes {
      guard self[index] == byte else { return false }
      index += 1
    }
    return true
  }
}
