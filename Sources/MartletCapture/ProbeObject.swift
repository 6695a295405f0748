// SPDX-License-Identifier: Apache-2.0

/// The compiled probe, once for each way to read kernel memory.
enum ProbeObject {
  /// By instructions, in kernels since 6.2.
  case typedLoads
  /// Through a helper.
  case helperLoads

  /// The object file.
  var bytes: [UInt8] {
    switch self {
    case .typedLoads: decodeBase64(typedProbeBase64)
    case .helperLoads: decodeBase64(helperProbeBase64)
    }
  }
}
