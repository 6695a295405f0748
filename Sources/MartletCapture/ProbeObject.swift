// SPDX-License-Identifier: Apache-2.0

import CMartletBPF

/// The compiled probe, once for each way to read kernel memory.
enum ProbeObject {
  /// By instructions, in kernels since 6.2.
  case typedLoads
  /// Through a helper.
  case helperLoads

  /// Object files: the maps alone, which are the same for both, and the programs in two parts.
  var files: [[UInt8]] {
    switch self {
    case .typedLoads: [probeMapsBase64, typedPart1Base64, typedPart2Base64].map(decodeBase64)
    case .helperLoads: [probeMapsBase64, helperPart1Base64, helperPart2Base64].map(decodeBase64)
    }
  }

  /// The files, for the time of the call.
  func withImage<Result>(_ body: (UnsafePointer<martlet_probe_image>) -> Result) -> Result {
    let files = files
    return files[0].withUnsafeBytes { maps in
      files[1].withUnsafeBytes { first in
        files[2].withUnsafeBytes { second in
          var image = martlet_probe_image(
            maps: martlet_object_file(maps), parts: (martlet_object_file(first), martlet_object_file(second)))
          return body(&image)
        }
      }
    }
  }
}

extension martlet_object_file {
  fileprivate init(_ bytes: UnsafeRawBufferPointer) { self.init(start: bytes.baseAddress, length: bytes.count) }
}
