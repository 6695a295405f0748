// SPDX-License-Identifier: Apache-2.0

/// What a model file is, by its name and by its first bytes. Bytes decide where both speak.
public enum ModelFormat: String, CaseIterable, Sendable {
  case safetensors, gguf, ggml, onnx, torch, pickle, keras, hdf5, numpy, tflite, tensorflow, tensorrt, coreml, zip

  /// As rules see it in `model.format`.
  public var name: StaticString {
    switch self {
    case .safetensors: "safetensors"
    case .gguf: "gguf"
    case .ggml: "ggml"
    case .onnx: "onnx"
    case .torch: "torch"
    case .pickle: "pickle"
    case .keras: "keras"
    case .hdf5: "hdf5"
    case .numpy: "numpy"
    case .tflite: "tflite"
    case .tensorflow: "tensorflow"
    case .tensorrt: "tensorrt"
    case .coreml: "coreml"
    case .zip: "zip"
    }
  }

  /// Whether the usual loader of such a file may be made to run code that the file brings along.
  public var isPickleCapable: Bool { self == .torch || self == .pickle }

  /// How much of a file tells its format.
  public static let magicByteCount = 16
  private static let safetensorsHeaderMax: UInt64 = 100_000_000

  /// What the first `magicByteCount` bytes say, as far as they say anything. A zip may hold a model of torch's or Keras',
  /// or anything else.
  public init?(magic: [UInt8]) {
    func begins(_ text: String, at offset: Int = 0) -> Bool { magic.dropFirst(offset).starts(with: text.utf8) }
    if begins("GGUF") {
      self = .gguf
    } else if begins("ggml") || begins("lmgg") || begins("tjgg") || begins("fmgg") || begins("algg") {
      self = .ggml
    } else if begins("PK\u{3}\u{4}") {
      self = .zip
    } else if magic.count >= 2, magic[0] == 0x80, (2...5).contains(magic[1]) {
      self = .pickle
    } else if magic.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .hdf5
    } else if magic.first == 0x93, begins("NUMPY", at: 1) {
      self = .numpy
    } else if begins("TFL3", at: 4) {
      self = .tflite
    } else if magic.count >= 10, magic[8] == UInt8(ascii: "{"),
      magic[9] == UInt8(ascii: "\"") || magic[9] == UInt8(ascii: "}"),
      magic[..<8].reversed().reduce(UInt64(0), { $0 << 8 | UInt64($1) }) < Self.safetensorsHeaderMax
    {
      self = .safetensors
    } else {
      return nil
    }
  }

  /// What a path says: of the files that Python reads of its own whenever it starts, nothing.
  public init?(path: ByteView) {
    guard let format = Self.endings.first(where: { path.hasSuffix(ByteView($0.ending)) })?.format else { return nil }
    let folder = path.slice(from: 0, to: path.lastIndex(of: UInt8(ascii: "/")) ?? 0)
    if path.ends(".pth"), folder.ends("-packages") { return nil }
    if path.ends(".pickle"), folder.ends("/lib2to3") { return nil }
    if format == .torch, path.ends(".bin") {
      let name = path.slice(from: folder.count, to: path.count)
      guard name.holds("model") else { return nil }
    }
    self = format
  }

  private static let endings: [(ending: StaticString, format: ModelFormat)] = [
    (".safetensors", .safetensors), (".gguf", .gguf), (".ggml", .ggml), (".onnx", .onnx), (".onnx.data", .onnx),
    (".pt", .torch), (".pth", .torch), (".ckpt", .torch), (".bin", .torch), (".pkl", .pickle), (".pickle", .pickle),
    (".joblib", .pickle), (".dill", .pickle), (".keras", .keras), (".h5", .hdf5), (".hdf5", .hdf5), (".npz", .numpy),
    (".npy", .numpy), (".tflite", .tflite), (".pb", .tensorflow), (".mlmodel", .coreml), (".engine", .tensorrt),
  ]

  /// Both together: a zip is what its name says, anything else what it begins with.
  public static func of(_ named: ModelFormat?, _ magic: ModelFormat?) -> ModelFormat? {
    guard let magic else { return named }
    return magic == .zip ? named ?? .zip : magic
  }

  /// Whether files called so hold other things as often: whether they are models only their bytes tell.
  public var isAmbiguousByName: Bool {
    switch self {
    case .hdf5, .numpy, .tensorflow, .tensorrt: true
    default: false
    }
  }
}

extension ByteView {
  fileprivate func ends(_ text: StaticString) -> Bool { hasSuffix(ByteView(text)) }
  fileprivate func holds(_ text: StaticString) -> Bool { contains(ByteView(text)) }
}

/// The digest that a file's name says it has, as the stores of Hugging Face (64 digits) and Ollama (`sha256-` before them)
/// name their files.
public enum ClaimedDigest {
  /// The 64 hexadecimal digits at the end of a path; nil where its last component is anything else.
  public static func digits(in path: ByteView) -> ByteView? {
    var name = path.slice(from: (path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1, to: path.count)
    let prefix: StaticString = "sha256-"
    if name.hasPrefix(ByteView(prefix)) { name = name.slice(from: prefix.utf8CodeUnitCount, to: name.count) }
    guard name.count == 64 else { return nil }
    for index in 0..<64 {
      switch name[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): continue
      default: return nil
      }
    }
    return name
  }
}
