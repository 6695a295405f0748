// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
public import MartletEvents

/// Which files are taken for models by their names: the kernel's first look, which lets through somewhat more than this
/// says, as it sees eight bytes of each entry at most.
public struct ModelNames: Hashable, Sendable {
  /// What the last component of a path ends with: `.gguf`. From 1 to 255 bytes each, at most `countMax`.
  public var endings: Set<String>
  /// What the folder of a file is called, for stores that name files by digest. From 1 to 31 bytes each, at most
  /// `countMax`.
  public var folders: Set<String>

  /// Whose reads of models are told; opens for writing are told of everybody.
  public var readers: KernelFilter.Actors

  public static let countMax = 32
  static let endingBytesMax = 255
  static let folderBytesMax = 31

  /// What the usual loaders open, and the stores of Hugging Face and Ollama.
  public static let usual = ModelNames(
    endings: [
      ".safetensors", ".gguf", ".ggml", ".bin", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt", ".onnx",
      ".onnx.data", ".h5", ".hdf5", ".keras", ".npz", ".npy", ".tflite", ".pb", ".mlmodel", ".engine",
    ],
    folders: ["blobs"])

  public init(endings: Set<String>, folders: Set<String> = [], readers: KernelFilter.Actors = .all) {
    self.endings = endings
    self.folders = folders
    self.readers = readers
  }

  /// As the probe has them; nil when there are too many, or one is empty or too long.
  func encoded() -> martlet_model_names? {
    var names = martlet_model_names()
    names.readers = UInt32(readers.rawValue)
    guard endings.count <= Self.countMax, folders.count <= Self.countMax else { return nil }
    for ending in endings {
      let bytes = Array(ending.utf8)
      guard (1...Self.endingBytesMax).contains(bytes.count) else { return nil }
      names.end_lengths |= 1 << UInt32(min(bytes.count, Int(MARTLET_MODEL_NAME_BYTES)))
      guard Self.place(bytes, in: &names.ends) else { return nil }
    }
    let starts = Set(endings.lazy.filter { $0.utf8.count < MARTLET_MODEL_NAME_BYTES }.map(\.utf8.first))
    if starts.count == 1, case let start?? = starts.first, start < 128 { names.end_start = UInt32(start) }
    for folder in folders {
      let bytes = Array(folder.utf8)
      guard (1...Self.folderBytesMax).contains(bytes.count) else { return nil }
      names.folder_lengths |= 1 << UInt32(bytes.count)
      guard Self.place(bytes, in: &names.folders) else { return nil }
    }
    return names
  }

  /// Puts a name at its place or behind it, as near as the probe looks; false where all those are taken.
  private static func place<Table>(_ name: [UInt8], in table: inout Table) -> Bool {
    let word = name.suffix(Int(MARTLET_MODEL_NAME_BYTES)).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return withUnsafeMutableBytes(of: &table) { bytes in
      let words = bytes.assumingMemoryBound(to: UInt64.self)
      let first = Int(martlet_model_name_place(word))
      for step in 0..<Int(MARTLET_MODEL_NAME_STEPS) {
        let place = (first + step) % words.count
        guard words[place] == 0 || words[place] == word else { continue }
        words[place] = word
        return true
      }
      return false
    }
  }
}

extension UnsafeMutablePointer<martlet_model_names> {
  /// The names as the probe holds them. The caller deallocates them.
  init(encoding names: ModelNames) throws(CaptureError) {
    guard let encoded = names.encoded() else {
      throw CaptureError(
        code: .configuration, operation: "tell models by", subject: "names", errno: EINVAL,
        logLine: "at most \(ModelNames.countMax) endings of 1 to \(ModelNames.endingBytesMax) bytes and as many "
          + "folders of 1 to \(ModelNames.folderBytesMax) bytes")
    }
    self = .allocate(capacity: 1)
    initialize(to: encoded)
  }
}
