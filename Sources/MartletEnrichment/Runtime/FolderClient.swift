// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import MartletEvents

/// Looks up containers where their runtime keeps them, one folder each: for nodes on which no socket may be used.
///
/// That tells less than the runtime would: no digest of the image, no address, seldom the start. Runtimes write these files
/// and users choose what stands in them: so much is read, and nothing outside of the folder.
struct FolderClient: RuntimeClient {
  let path: String
  var isSecondary: Bool { true }

  /// Where a container's folder has its configuration: of containerd, of CRI-O and podman, of docker.
  private static let bundleNames = ["config.json", "userdata/config.json"]
  private static let dockerName = "config.v2.json"

  func describe(_ id: String) async throws -> ContainerReport? {
    guard let folder = Handle(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else { throw RuntimeFailure.unreachable }
    // The id goes into a path.
    guard !id.contains("/"), !id.hasPrefix(".") else { return nil }
    if let content = Self.read("\(id)/\(Self.dockerName)", in: folder.descriptor) {
      guard let container = try? JSONDecoder().decode(DockerContainer.self, from: content) else {
        throw RuntimeFailure.unreadable
      }
      return report(id, container, in: folder.descriptor)
    }
    for name in Self.bundleNames {
      guard let content = Self.read("\(id)/\(name)", in: folder.descriptor) else { continue }
      guard let bundle = try? JSONDecoder().decode(Bundle.self, from: content) else { throw RuntimeFailure.unreadable }
      return ContainerReport(id: id, bundle, isPodman: name.contains("/"))
    }
    return nil
  }

  private func report(_ id: String, _ container: DockerContainer, in folder: Int32) -> ContainerReport {
    var report = ContainerReport(id: Array(id.utf8))
    report.runtime = .docker
    report.add(container)
    report.setImage(
      asked: Array((container.config?.image ?? "").utf8)[...],
      facts: ImageFacts(id: Array((container.image ?? "").utf8)[...]))
    if let content = Self.read("\(id)/hostconfig.json", in: folder),
      let host = try? JSONDecoder().decode(DockerContainer.HostConfiguration.self, from: content)
    {
      report.add(host)
    }
    return report
  }

  private static func read(_ name: String, in folder: Int32) -> Data? {
    let handle = BoundedFile.locate(name, inRoot: folder)
    guard handle >= 0 else { return nil }
    defer { close(handle) }
    return BoundedFile.read(handle, byteCountMax: RuntimeLimits.answerByteCountMax).map { Data($0) }
  }
}

/// What is read of the configuration of a container in the form of the Open Container Initiative.
private struct Bundle: Decodable {
  struct Mount: Decodable {
    var destination: String?
    var type: String?
    var source: String?
    var options: [String]?
  }

  var annotations: [String: String]?
  var mounts: [Mount]?
}

extension ContainerReport {
  /// Runtimes write what they know into annotations, each under names of its own.
  fileprivate init(id: String, _ bundle: Bundle, isPodman: Bool) {
    self.init(id: Array(id.utf8))
    let annotations = bundle.annotations ?? [:]
    func text(_ keys: String...) -> [UInt8] { Array((keys.compactMap { annotations[$0] }.first ?? "").utf8) }
    if annotations.keys.contains(where: { $0.hasPrefix("io.kubernetes.cri-o.") }) {
      runtime = .crio
    } else {
      runtime = isPodman ? .podman : .containerd
    }
    name = text("io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name")
    podName = text("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name")
    podNamespace = text("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace")
    podUID = text("io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid")
    sandboxID = text("io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID")
    let image = text("io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName")
    setImage(asked: image[...], facts: ImageFacts())
    mounts = bundle.mounts?.filter { $0.type == "bind" || $0.options?.contains("rbind") == true }.map { mount in
      let options = mount.options ?? []
      let propagation = ["rshared", "shared", "rslave", "slave"].first { options.contains($0) } ?? "private"
      return Mount(
        source: Array((mount.source ?? "").utf8), destination: Array((mount.destination ?? "").utf8),
        isWritable: !options.contains("ro"), propagation: Array(propagation.utf8))
    }
  }
}
