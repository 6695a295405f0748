// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The agent's own image as a pod of containerd, with what the DaemonSet gives it, beside pods in which things happen.
@Suite(
  "the agent in a pod", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: Deployment.missingForPods == nil, Comment(rawValue: Deployment.missingForPods ?? "")))
struct PodTests {
  @Test("a shell and a read of passwords in other pods are reported from there, with their container and pod")
  func alerts() throws {
    let watch = try Watch.asDeployed.get()
    // One was there before the agent, one came later, and one after the runtime had made a new socket.
    #expect(watch.neighbours.map(\.name) == ["there-before", "came-later", "after-restart"])
    for neighbour in watch.neighbours {
      #expect(neighbour.container.count == 64)
      #expect(neighbour.alerts.map(\.rule) == ["Shell in container", "Password file read in container"])
      for alert in neighbour.alerts {
        #expect(alert.outputFields.containerID == String(neighbour.container.prefix(12)))
        #expect(alert.outputFields.podUID == neighbour.pod)
        // From the node's runtime, by the socket in the folder that the manifest mounts.
        #expect(alert.outputFields.podName == neighbour.name && alert.outputFields.containerName == "main")
        #expect(alert.outputFields.repository == "localhost/busybox" && alert.enrichment == "complete")
      }
      #expect(neighbour.alerts.last?.outputFields.fileName == "/etc/shadow")
    }
    // The client may say there, before or after, that the shell ended before it was told its terminal's size.
    #expect(watch.terminal.allSatisfy { $0.contains("root:*:") }, "the shell did run: \(watch.terminal)")
  }

  @Test("it runs with what the manifest gives it, as the kernel sees it, and no more")
  func privileges() throws {
    let agent = try Watch.asDeployed.get().agent
    // DAC_READ_SEARCH, SYS_PTRACE, LEASE, PERFMON, BPF and CHECKPOINT_RESTORE, by their numbers.
    let capabilities = [2, 19, 28, 38, 39, 40].reduce(UInt64(0)) { $0 | 1 << $1 }
    #expect(UInt64(agent.capabilities, radix: 16) == capabilities)
    #expect(agent.seccomp == "2" && agent.noNewPrivileges == "1" && agent.user == "0")
    #expect(agent.rootOptions.split(separator: ",").contains("ro"))
    #expect(agent.sharedWithNode == ["pid": true, "net": false, "mnt": false, "uts": false])
  }

  @Test("it says when it watches, and ends when it is asked to with a summary")
  func life() throws {
    let watch = try Watch.asDeployed.get()
    print("in a pod of containerd \(watch.containerd): ready \(watch.readySeconds) s after the request to start it")
    #expect(watch.exitCode == 0)
    #expect(watch.log.contains { $0.contains("watching this node") })
    // What the capabilities of the manifest leave unseen is said first.
    #expect(watch.log.first?.contains(" warning ") == true && watch.log.first?.contains("not watched") == true)
    #expect(watch.log.last?.hasPrefix("martlet: saw ") == true)
  }

  @Test("its probes succeed while it watches, and its alerts name the node and not the pod")
  func probes() throws {
    let watch = try Watch.asDeployed.get()
    #expect(watch.probes["watching"] == ["startup": 0, "liveness": 0])
    #expect(watch.neighbours.flatMap(\.alerts).allSatisfy { $0.hostname == watch.nodeName })
  }

  @Test("with a capability less it does not start, and says which", arguments: ["BPF", "PERFMON"])
  func capability(name: String) throws {
    let folder = try TestFolder()
    let manifests = try folder.manifests(changing: "daemonset.yaml", "                - \(name)\n", to: "")
    let error = #expect(throws: HarnessError.self) { try Watch.run(manifests) }
    #expect(error?.description.contains("this process lacks the capability CAP_\(name)") == true, "\(error as Any)")
  }

  @Test("what the manifest says and these tests cannot give it is an error, not something left out")
  func untranslated() throws {
    let folder = try TestFolder()
    let manifests = try folder.manifests(changing: "daemonset.yaml", "hostNetwork: false", to: "hostIPC: true")
    let error = #expect(throws: HarnessError.self) { try Watch.run(manifests) }
    #expect(error?.description.contains("hostIPC") == true)
  }
}

/// What `watch.py` tells of one run.
private struct Watch: Decodable {
  struct Agent: Decodable {
    let capabilities, seccomp, noNewPrivileges, user, rootOptions: String
    let sharedWithNode: [String: Bool]
  }

  struct Alert: Decodable {
    struct Fields: Decodable {
      let containerID, containerName, repository, podUID, podName, fileName: String?

      enum CodingKeys: String, CodingKey {
        case containerID = "container.id"
        case containerName = "container.name"
        case repository = "container.image.repository"
        case podUID = "k8s.pod.uid"
        case podName = "k8s.pod.name"
        case fileName = "fd.name"
      }
    }

    let rule, hostname, enrichment: String
    let outputFields: Fields
  }

  struct Neighbour: Decodable {
    let container, pod, name: String
    let alerts: [Alert]
  }

  let containerd: String
  let readySeconds: Double
  let agent: Agent
  let exitCode: Int
  let probes: [String: [String: Int]]
  let nodeName: String
  let log, terminal: [String]
  let neighbours: [Neighbour]

  /// One run that several tests look at.
  static let asDeployed = Result { try run(Deployment.manifests) }

  /// Nothing of it may be left: neither files nor cgroups.
  static func run(_ manifests: String) throws -> Watch {
    let image = try Deployment.image.get()
    let node = "/run/martlet-node-\(UUID().uuidString)"
    let result = try Deployment.python(
      "watch.py", [manifests, image.archive, node],
      behind: ["unshare", "--net", "--mount", "--propagation", "private"], within: .untilHung * 2)
    let cgroups = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory"].map {
      $0 + "/" + URL(fileURLWithPath: node).lastPathComponent
    }
    for path in [node] + cgroups where FileManager.default.fileExists(atPath: path) {
      throw HarnessError("'\(path)' was left behind")
    }
    guard result.succeeded else { throw HarnessError(result.errors) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Watch.self, from: Data(result.output.utf8))
  }
}
