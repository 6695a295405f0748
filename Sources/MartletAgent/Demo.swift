// SPDX-License-Identifier: Apache-2.0

// All of Foundation would bring its tables of languages along, 45 MB in the binary.
import FoundationEssentials

/// The recording that the binary carries: what happened in a few containers, a few seconds long.
public enum Demo {
  public static func withRecording<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    let text = Data(bytes: demoRecordingBase64.utf8Start, count: demoRecordingBase64.utf8CodeUnitCount)
    guard let bytes = Data(base64Encoded: text) else { preconditionFailure("the bundled recording is not base64") }
    return try bytes.withUnsafeBytes(body)
  }
}
