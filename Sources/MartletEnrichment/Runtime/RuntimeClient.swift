// SPDX-License-Identifier: Apache-2.0

import Glibc
import MartletEvents

/// Asks one container runtime over its socket.
protocol RuntimeClient: Sendable {
  /// What the runtime says about the container with this id; nil where it knows none.
  ///
  /// Returns within `RuntimeLimits.answerSeconds` for each question that it takes. Connects when it is asked, and no more
  /// often than its back-off allows.
  func describe(_ id: String) async throws -> ContainerReport?

  /// Whether others know more: it has the word where these have nothing to say, and seldom knows when a container started.
  var isSecondary: Bool { get }
}

extension RuntimeClient {
  var isSecondary: Bool { false }
}

/// Why a runtime did not answer. Errors of other kinds come from the connection.
enum RuntimeFailure: Error, Equatable {
  /// Nobody listens at the socket, or nobody did a moment ago.
  case unreachable
  case timedOut
  /// The answer is longer than anybody reads, or no answer to what was asked.
  case unreadable
  /// The runtime refuses: the status of gRPC or HTTP.
  case refused(Int)

  /// Of an exchange that ended with this error: one that was cut off at its deadline came too late.
  static func cause(of error: any Error, isLate: Bool) -> any Error {
    let failure = error as? RuntimeFailure
    return isLate && (failure == nil || failure == .unreachable) ? RuntimeFailure.timedOut : error
  }
}

/// How far a runtime is trusted with this process's time and memory.
enum RuntimeLimits {
  static let connectSeconds: Int64 = 1
  static let answerSeconds: Int64 = 2
  /// Of an answer. One about a container with as many labels and mounts as anybody has takes a tenth of a mebibyte.
  static let answerByteCountMax = 1 << 20
  /// Of frames that carry nothing, in half a minute.
  static let controlFrameCountMax = 20_000
}

/// When a socket may be tried again after nobody listened there.
struct Backoff {
  private var failures = 0
  private var end = ContinuousClock.now

  private static let first = Duration.milliseconds(100)
  private static let doublingsMax = 5

  var isOver: Bool { ContinuousClock.now >= end }

  mutating func fail() {
    end = .now + Self.first * (1 << min(failures, Self.doublingsMax))
    failures += 1
  }

  mutating func succeed() { failures = 0 }
}

/// A socket at which a container runtime is asked, or the folder in which it keeps its containers.
public struct RuntimeSocket: Hashable, Sendable {
  public enum Interface: String, CaseIterable, Sendable {
    /// The runtime interface of Kubernetes: containerd, CRI-O.
    case cri
    /// The interface of Docker's engine: docker, podman.
    case docker
    /// No socket: a folder for each container below the path.
    case folder
  }

  public var interface: Interface
  public var path: String
  /// Whether somebody has to listen there, sooner or later.
  public var isExpected: Bool

  public init(_ interface: Interface, _ path: String, isExpected: Bool = true) {
    self.interface = interface
    self.path = path
    self.isExpected = isExpected
  }

  /// Whether there is a socket, or a folder, at the path.
  public var isThere: Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == (interface == .folder ? S_IFDIR : S_IFSOCK)
  }

  /// What `isThere` looks for, in words.
  var noun: String { interface == .folder ? "folder" : "socket" }

  /// `cri:PATH`, `docker:PATH` or `folder:PATH`; nil for anything else.
  public init?(text: String) {
    guard let colon = text.firstIndex(of: ":"), let interface = Interface(rawValue: String(text[..<colon])) else {
      return nil
    }
    path = String(text[text.index(after: colon)...])
    // What fits the address of a Unix socket.
    guard path.hasPrefix("/"), path.utf8.count < 108 else { return nil }
    self.interface = interface
    isExpected = true
  }

  /// Where runtimes listen when nobody told them otherwise. Each may be missing, and may come later.
  public static let usual: [RuntimeSocket] = [
    RuntimeSocket(.cri, "/run/containerd/containerd.sock", isExpected: false),
    RuntimeSocket(.cri, "/run/crio/crio.sock", isExpected: false),
    RuntimeSocket(.cri, "/run/k3s/containerd/containerd.sock", isExpected: false),
    RuntimeSocket(.docker, "/run/docker.sock", isExpected: false),
    RuntimeSocket(.docker, "/run/podman/podman.sock", isExpected: false),
    RuntimeSocket(.folder, "/run/containerd/io.containerd.runtime.v2.task/k8s.io", isExpected: false),
    RuntimeSocket(.folder, "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io", isExpected: false),
    RuntimeSocket(.folder, "/var/lib/docker/containers", isExpected: false),
    RuntimeSocket(.folder, "/run/containerd/io.containerd.runtime.v2.task/default", isExpected: false),
    RuntimeSocket(.folder, "/run/containers/storage/overlay-containers", isExpected: false),
    RuntimeSocket(.folder, "/var/lib/containers/storage/overlay-containers", isExpected: false),
  ]
}

extension ContainerReport {
  static let namespaceLabel = Array("io.kubernetes.pod.namespace".utf8)
  static let podLabel = Array("io.kubernetes.pod.name".utf8)
  static let podUIDLabel = Array("io.kubernetes.pod.uid".utf8)
  static let containerLabel = Array("io.kubernetes.container.name".utf8)

  mutating func setImage(asked: ArraySlice<UInt8>, facts: ImageFacts) {
    imageID = Array(ImageName.withoutPrefix(facts.id))
    guard let (text, name) = ImageName.resolve(asked: asked, facts: facts) else { return }
    image = Array(text)
    imageRepository = Array(name.repository)
    imageTag = Array(name.tag)
    imageDigest = Array(name.digest)
  }
}
