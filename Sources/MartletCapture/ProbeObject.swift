// SPDX-License-Identifier: Apache-2.0

import CMartletBPF

/// The compiled probe, once for each way to read kernel memory.
enum ProbeObject {
  /// By instructions, in kernels since 6.2.
  case typedLoads
  /// Through a helper.
  case helperLoads

  /// An object file.
  var programs: [UInt8] {
    switch self {
    case .typedLoads: decodeBase64(typedProbeBase64)
    case .helperLoads: decodeBase64(helperProbeBase64)
    }
  }

  /// The object file with the maps alone, the same for both.
  static var maps: [UInt8] { decodeBase64(probeMapsBase64) }

  /// Both files, for the time of the call.
  func withImage<Result>(_ body: (UnsafePointer<martlet_probe_image>) -> Result) -> Result {
    Self.maps.withUnsafeBytes { maps in
      programs.withUnsafeBytes { programs in
        var image = martlet_probe_image(
          maps: maps.baseAddress, maps_length: maps.count,
          programs: programs.baseAddress, programs_length: programs.count)
        return body(&image)
      }
    }
  }
}
