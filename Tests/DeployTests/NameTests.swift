// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The agent as a process beside a containerd of its own that goes and comes back, and pods in which things happen.
@Suite(
  "names from containerd", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: Deployment.missingForContainerd == nil, Comment(rawValue: Deployment.missingForContainerd ?? "")))
struct NameTests {
  @Test(
    "an event of a pod bears its names, whichever came first: pod, agent or runtime",
    arguments: [("there before", "there-before"), ("came later", "came-later"), ("runtime back", "after-restart")])
  func names(step: String, pod: String) throws {
    let alert = try Names.told.get().alert(step)
    #expect(alert.name == "main" && alert.type == "containerd")
    #expect(alert.image == "registry.example:5000/shop/busybox:1.36")
    #expect(alert.repository == "registry.example:5000/shop/busybox" && alert.tag == "1.36")
    #expect(alert.digest?.hasPrefix("sha256:") == true && alert.digest?.utf8.count == 71)
    #expect(alert.pod == pod && alert.namespace == "shop")
    #expect(alert.app == "web" && alert.team == "blue \"\n☃")
    #expect(alert.labels?.contains("io.kubernetes.pod.namespace:shop") == true)
    #expect(alert.address == "198.51.100.2")
    #expect(alert.sandbox?.count == 12 && alert.sandbox != alert.container)
    #expect(alert.privileged == (pod == "came-later"))
    #expect(try #require(alert.duration) > 0 && #require(alert.start) > 1_600_000_000_000_000_000)
    #expect(alert.mounts?.contains("/etc:/node::false:private") == true && alert.mount == "/node")
    #expect(alert.user == "keeper" && alert.group == "keepers")
  }

  @Test("a container's start is told once, with what the runtime says, of those that start while the agent watches")
  func starts() throws {
    let starts = try Names.told.get().starts
    #expect(starts["early"]?.count == 0 && starts["early, without"]?.count == 0)
    for (pod, name) in [("late", "came-later"), ("after", "after-restart"), ("late, without socket", "no-socket")] {
      let told = try #require(starts[pod])
      #expect(told.count == 1, "\(pod)")
      let start = try #require(told.first)
      #expect(start.eventType == "container" && start.name == "main" && start.pod == name && start.namespace == "shop")
      #expect(start.image == "registry.example:5000/shop/busybox:1.36")
      // Runtimes say that it has started a moment before the container's program runs.
      #expect(["sleep", "runc:[2:INIT]"].contains(start.process) && start.user == "keeper")
    }
    #expect(starts["late"]?.first?.privileged == true)
  }

  @Test(
    "where no socket may be used, the runtime's folders tell what they can",
    arguments: [("no socket", "there-before"), ("no socket, later", "no-socket")])
  func noSocket(step: String, pod: String) throws {
    let alert = try Names.told.get().alert(step)
    #expect(alert.name == "main" && alert.type == "containerd" && alert.pod == pod && alert.namespace == "shop")
    #expect(alert.repository == "registry.example:5000/shop/busybox" && alert.tag == "1.36" && alert.digest == nil)
    #expect(alert.mount == "/node" && alert.sandbox?.count == 12 && alert.privileged == nil && alert.start == nil)
  }

  @Test("the first events of containers that start after the agent bear their names: 20 of 20")
  func firsts() throws {
    let firsts = try Names.told.get().firsts
    for (rule, alerts) in firsts {
      #expect(alerts.count == 20)
      for (number, alert) in alerts.enumerated() {
        #expect(alert.name == "brief-\(number)" && alert.enrichment == "complete", "\(rule)")
        #expect(alert.repository == "registry.example:5000/shop/busybox" && alert.tag == "1.36")
        #expect(alert.pod == "came-later" && alert.namespace == "shop")
      }
    }
    #expect(firsts.keys.sorted() == ["Passwords read", "Program run"])
    #expect(firsts["Passwords read"]?.allSatisfy { $0.user == "keeper" && $0.group == "keepers" } == true)
    #expect(firsts["Passwords read"]?.allSatisfy { $0.digest?.hasPrefix("sha256:") == true } == true)
  }

  @Test("a shell that is run in a pod is told with all names")
  func shell() throws {
    let alert = try Names.told.get().alert("shell")
    #expect(alert.name == "main" && alert.pod == "came-later" && alert.namespace == "shop")
    #expect(alert.repository == "registry.example:5000/shop/busybox" && alert.tag == "1.36")
    #expect(alert.digest?.utf8.count == 71 && alert.enrichment == "complete")
  }

  @Test("events go on while the runtime is away: with the names that are known, and else without")
  func away() throws {
    let names = try Names.told.get()
    let known = try names.alert("runtime away")
    #expect(known.name == "main" && known.enrichment == "complete")
    let nameless = try names.alert("nobody to ask")
    #expect(nameless.name == nil && nameless.repository == nil && nameless.pod == nil && nameless.privileged == nil)
    #expect(nameless.podUID == names.pods["early"] && nameless.enrichment == "partial")
    let again = try names.alert("asked again")
    #expect(again.name == "main" && again.enrichment == "complete")
  }

  @Test("the agents end well, know what became of their questions, and a recording gives the same alerts")
  func end() throws {
    for agent in try Names.told.get().agents {
      #expect(agent.status == 0 && agent.replays)
      let runtimes = agent.statistics.runtimes
      #expect(runtimes.answered >= 2 && runtimes.dropped == 0)
      #expect(runtimes.asked == runtimes.answered + runtimes.unknown + runtimes.open)
      let waits = agent.statistics.waits
      #expect(waits.held == waits.released + waits.timedOut + waits.pushedOut + waits.cutOff)
    }
    let agents = try Names.told.get().agents
    #expect(try #require(agents.first).statistics.waits.released > 0)
    #expect(agents[1].statistics.waits.timedOut > 0)
    // The one that started without a runtime kept asking.
    #expect(try Names.told.get().agents[1].statistics.runtimes.failed > 0)
  }
}

/// The same by Docker's interface, from a podman of its own.
@Suite(
  "names from podman", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: Deployment.missingForPodman == nil, Comment(rawValue: Deployment.missingForPodman ?? "")))
struct PodmanNameTests {
  @Test(
    "an event of a container bears its names, whichever came first: container, agent or runtime",
    arguments: [("there before", "early"), ("came later", "late"), ("runtime back", "away")])
  func names(step: String, name: String) throws {
    let alert = try Names.toldByPodman.get().alert(step)
    #expect(alert.name == name && alert.type == "podman")
    #expect(alert.image == "localhost/shop/busybox:test")
    #expect(alert.repository == "localhost/shop/busybox" && alert.tag == "test")
    #expect(alert.privileged == (name == "late") && alert.pod == nil && alert.namespace == nil)
    #expect(alert.labels == (name == "early" ? "app:web" : nil))
    #expect(alert.user == "keeper" && alert.group == "keepers")
    #expect(alert.mount == (name == "late" ? "/node" : nil))
    let starts = try #require(Names.toldByPodman.get().starts[name])
    #expect(
      starts.count == (name == "early" ? 0 : 1) && starts.allSatisfy { $0.name == name && $0.process?.isEmpty == false }
    )
    #expect(try #require(alert.duration) > 0 && #require(alert.start) > 1_600_000_000_000_000_000)
  }

  @Test("events go on while the service is away, without names")
  func away() throws {
    let told = try Names.toldByPodman.get()
    let alert = try told.alert("runtime away")
    #expect(alert.name == nil && alert.repository == nil && alert.container?.count == 12)
    #expect(alert.enrichment == "partial")
    for agent in told.agents {
      #expect(agent.status == 0 && agent.replays && agent.statistics.runtimes.failed > 0)
      #expect(agent.statistics.runtimes.answered >= 3)
    }
  }
}

/// The same from docker's own engine.
@Suite(
  "names from docker", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: Deployment.missingForDocker == nil, Comment(rawValue: Deployment.missingForDocker ?? "")))
struct DockerNameTests {
  @Test(
    "an event of a container bears its names: of one that was there before, that came later, and that started again",
    arguments: [("there before", "early"), ("came later", "late"), ("started again", "late")])
  func names(step: String, name: String) throws {
    let alert = try Names.toldByDocker.get().alert(step)
    #expect(alert.name == name && alert.type == "docker" && alert.privileged == false)
    #expect(alert.image == "shop/busybox:test" && alert.repository == "shop/busybox" && alert.tag == "test")
    #expect(alert.labels == (name == "early" ? "app:web" : nil) && alert.pod == nil)
    #expect(alert.mount == (name == "late" ? "/node" : nil))
    #expect(alert.user == "keeper" && alert.group == "keepers")
    #expect(try #require(alert.duration) > 0 && #require(alert.start) > 1_600_000_000_000_000_000)
  }

  @Test("each start of a container is told once, also when it is started again")
  func starts() throws {
    let told = try Names.toldByDocker.get()
    #expect(told.starts["early"]?.count == 0 && told.agents.allSatisfy { $0.status == 0 && $0.replays })
    let starts = try #require(told.starts["late"])
    #expect(starts.count == 2 && starts.allSatisfy { $0.name == "late" }, "\(starts)")
    // A runtime may tell of a start before the first program of it has been seen; then the start has none.
    #expect(starts.contains { $0.process?.isEmpty == false }, "\(starts)")
    #expect(Set(starts.map(\.start)).count == 2, "each with its own time")
  }
}

/// What `names.py`, `podman.py` and `docker.py` tell of one run.
private struct Names: Decodable {
  struct Alert: Decodable {
    let container, name, type, image, repository, tag, digest, pod, podUID, namespace: String?
    let app, team, labels, address, sandbox, mounts, mount, user, group, process, eventType, enrichment: String?
    let privileged: Bool?
    let duration, start: UInt64?

    enum CodingKeys: String, CodingKey {
      case enrichment
      case container = "container.id"
      case name = "container.name"
      case type = "container.type"
      case image = "container.image"
      case repository = "container.image.repository"
      case tag = "container.image.tag"
      case digest = "container.image.digest"
      case privileged = "container.privileged"
      case duration = "container.duration"
      case start = "container.start_ts"
      case labels = "container.labels"
      case pod = "k8s.pod.name"
      case podUID = "k8s.pod.uid"
      case namespace = "k8s.ns.name"
      case app = "k8s.pod.label[app]"
      case team = "k8s.pod.label[team]"
      case address = "k8s.pod.ip"
      case sandbox = "k8s.pod.sandbox_id"
      case mounts = "container.mounts"
      case mount = "container.mount.dest[/etc*]"
      case user = "user.name"
      case group = "group.name"
      case process = "proc.name"
      case eventType = "evt.type"
    }
  }

  struct Agent: Decodable {
    struct Statistics: Decodable {
      struct Runtimes: Decodable {
        let asked, answered, unknown, open, failed, dropped: Int
      }

      struct Waits: Decodable {
        let held, released, timedOut, pushedOut, cutOff: Int

        enum CodingKeys: String, CodingKey {
          case held, released
          case timedOut = "timed_out"
          case pushedOut = "pushed_out"
          case cutOff = "cut_off"
        }
      }

      let runtimes: Runtimes
      let waits: Waits
    }

    let status: Int
    let replays: Bool
    let statistics: Statistics
  }

  let steps: [String: Alert]
  /// By rule, of each brief container its first alert.
  let firsts: [String: [Alert]]
  let pods: [String: String]
  let starts: [String: [Alert]]
  let agents: [Agent]

  func alert(_ step: String) throws -> Alert { try #require(steps[step]) }

  private static let rules = """
    - rule: Passwords read
      desc: Whoever reads them
      condition: evt.type in (open, openat) and fd.name = /etc/shadow and proc.name = cat
      output: >
        %container.image %container.image.digest %container.type %container.privileged %container.duration
        %container.start_ts %container.labels %k8s.pod.label[app] %k8s.pod.label[team] %k8s.pod.ip %k8s.pod.sandbox_id
        %container.mounts %container.mount.dest[/etc*] %user.name %group.name
      priority: WARNING
    - rule: Container started
      desc: Each once
      condition: evt.type = container and container.id != host
      output: >
        %container.name %container.image %container.privileged %container.start_ts %k8s.pod.name %k8s.ns.name %user.name
        %proc.name
      priority: NOTICE
    - rule: Program run
      desc: Whatever starts in a container
      condition: evt.type in (execve, execveat) and container.id != host and not proc.name = sh
      output: "%proc.cmdline"
      priority: NOTICE
    - rule: Shell run
      desc: Decided by what the runtime says alone
      condition: >
        evt.type in (execve, execveat) and proc.name = sh and k8s.ns.name = shop
        and container.image.repository endswith busybox
      output: "%container.image.digest"
      priority: WARNING
    """

  /// One run that several tests look at.
  static let told = Result { try run("names.py") }
  static let toldByPodman = Result { try run("podman.py") }
  static let toldByDocker = Result { try run("docker.py", [Deployment.docker]) }

  private static func run(_ script: String, _ more: [String] = []) throws -> Names {
    let folder = try TestFolder()
    // Podman takes no long names.
    let node = "/run/martlet-node-\(UUID().uuidString.prefix(8))"
    let result = try Deployment.python(
      script,
      more + [try AgentBinary.path(), try folder.write("names.yaml", rules), node],
      behind: ["unshare", "--net", "--mount", "--propagation", "private"], within: .untilHung * 2)
    guard result.succeeded else { throw HarnessError(result.errors) }
    return try JSONDecoder().decode(Names.self, from: Data(result.output.utf8))
  }
}
