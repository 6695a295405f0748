// SPDX-License-Identifier: Apache-2.0

import MartletCapture
public import MartletEnrichment
import MartletEvents

/// Finds out what this node supports: loads and attaches the probe beside what runs already, acts once for each hook, looks
/// whether it was seen, and takes everything away again.
public struct Doctor {
  /// How long hooks may take to answer: two rounds of canaries, the second for what the first did not prove.
  private static let patienceNanoseconds: UInt64 = 12_000_000_000

  let facts = NodeFacts()
  /// What has to be there before anything can be tried.
  let missing = CaptureRequirements.check()
  /// The agent's settings that were taken from the environment.
  let cgroup: String
  private(set) var hooks: [CaptureHook] = []
  private(set) var warnings: [CaptureWarning] = []
  private(set) var hasTypedLoads = false
  /// Why the probe could not be started.
  private(set) var failure: CaptureError?

  /// Sockets and folders of container runtimes that are there, of those that the agent asks.
  let runtimes: [String]

  /// Takes a second where all is well, and some ten where something does not answer.
  ///
  /// - Parameter runtimes: whom the agent asks for the names of containers.
  public init(runtimes: [RuntimeSocket]) {
    self.runtimes = runtimes.filter(\.isThere).map(\.path)
    cgroup = Agent.setting("MARTLET_CGROUP") ?? "root"
    guard missing.isEmpty else { return }
    do throws(CaptureError) { try examine() } catch { failure = error }
  }

  /// Whether everything is seen that the agent cannot do without, and nothing is attached that does not work.
  public var isWell: Bool {
    missing.isEmpty && failure == nil && !hooks.isEmpty
      && hooks.allSatisfy { hook in
        guard hook.isAttached else { return hook.isOptional || !hook.isWanted }
        return hook.proof == .proven || hook.isOptional && hook.proof != .failed
      }
  }

  private mutating func examine() throws(CaptureError) {
    var configuration = CaptureConfiguration()
    configuration.ringBytes = CaptureConfiguration.ringBytesMin
    configuration.cgroup = CgroupChoice(text: cgroup)
    configuration.canary = .ownProgram
    configuration.models = .usual
    configuration.includesNames = true
    let source = try KernelSource(configuration: configuration)
    try source.start()
    let deadline = Clock.monotonicNanoseconds + Self.patienceNanoseconds
    repeat {
      source.release(source.nextBatch(timeoutMilliseconds: 50))
      hooks = source.hooks
    } while hooks.contains { $0.isAttached && $0.proof == .untried } && Clock.monotonicNanoseconds < deadline
    warnings = source.warnings
    hasTypedLoads = source.hasTypedLoads
  }
}
