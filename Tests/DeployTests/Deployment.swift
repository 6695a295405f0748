// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation

/// The files of this checkout that deploy the agent, and the programs that try them.
enum Deployment {
  static let root = Repository.root
  static let manifests = root + "/deploy/kubernetes"
  /// What goes into the image; built by `make static`.
  static let binary = root + "/.build-static/release/martlet"

  private static let python = root + "/.build-test/python/bin/python"

  /// Runs one of the Python programs beside these tests.
  static func python(
    _ script: String, _ arguments: [String], behind prefix: [String] = [], within duration: Duration = .untilHung
  ) throws -> Finished {
    let command = prefix + [python, "-B", "\(root)/Tests/DeployTests/Node/\(script)"] + arguments
    return try Child.run(command, within: duration)
  }

  /// The image that tests look at, built once.
  static let image = Result {
    let archive = root + "/.build-test/martlet-image.tar"
    let built = try buildImage(to: archive)
    guard built.succeeded else { throw HarnessError("the image could not be built: \(built.errors)") }
    return (archive: archive, digest: built.output)
  }

  /// Builds the image as `make image` does, and prints its digest.
  static func buildImage(_ binary: String = binary, to archive: String) throws -> Finished {
    try Child.run([root + "/.ci/image", binary, archive])
  }

  // MARK: - What it takes, in the words a skipped test shows; nil when it is there

  static let missingForManifests: String? =
    FileManager.default.isExecutableFile(atPath: python)
    ? nil : "needs the Python packages that '.ci/install-packages test' installs"

  static let missingForImages: String? = {
    if geteuid() != 0 { return "needs root" }
    guard isInstalled("buildah") else { return "needs buildah (Debian package buildah)" }
    return FileManager.default.isExecutableFile(atPath: binary) ? nil : "needs the binary that 'make static' builds"
  }()

  static let missingForPods: String? = missingForImages ?? missingForContainerd

  static let missingForContainerd: String? = {
    if let missing = missingForManifests ?? ContainerSupport.missing { return missing }
    guard isInstalled("containerd") && isInstalled("ctr") else { return "needs containerd (Debian package containerd)" }
    return KernelSupport.missing
  }()

  static let missingForPodman: String? =
    missingForContainerd ?? (isInstalled("podman") ? nil : "needs podman (Debian package podman)")

  /// Where `.ci/install-packages test` unpacks docker's engine.
  static let docker = root + "/.build-test/docker"

  static let missingForDocker: String? =
    missingForContainerd
    ?? (FileManager.default.isExecutableFile(atPath: docker + "/usr/sbin/dockerd")
      ? nil : "needs Debian's docker.io, which '.ci/install-packages test' unpacks")

  private static func isInstalled(_ program: String) -> Bool {
    (try? Child.run([program, "--version"]))?.succeeded ?? false
  }
}

extension TestFolder {
  /// A copy of the manifests with one text in one file replaced by another.
  func manifests(changing file: String, _ text: String, to replacement: String) throws -> String {
    let copy = "\(path)/\(UUID().uuidString)"
    try FileManager.default.copyItem(atPath: Deployment.manifests, toPath: copy)
    let changed = URL(fileURLWithPath: "\(copy)/\(file)")
    let original = try String(contentsOf: changed, encoding: .utf8)
    guard original.contains(text) else { throw HarnessError("'\(text)' is not in \(file)") }
    try Data(original.replacingOccurrences(of: text, with: replacement).utf8).write(to: changed)
    return copy
  }
}
