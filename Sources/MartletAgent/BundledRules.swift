// SPDX-License-Identifier: Apache-2.0

public import MartletRules

/// The rules that the binary carries: everything under `rules/`, for when no other rules are named.
public enum BundledRules {
  /// Diagnostics show their paths as `rules/FOLDER/FILE.yaml`.
  public static var sources: [SourceFile] {
    embeddedRules.map { file in
      SourceFile(
        path: "rules/\(file.path)",
        bytes: Array(UnsafeBufferPointer(start: file.text.utf8Start, count: file.text.utf8CodeUnitCount)))
    }
  }
}
