// SPDX-License-Identifier: Apache-2.0

import MartletCapture
public import MartletEvents
import MartletMatching
import MartletRules
import ServiceLifecycle

/// Tells whether models are the ones that trusted signers published. The agent brings it records and puts what it says into
/// the stream; whom to trust it does not know.
public protocol ModelVerifier: Sendable {
  /// An open with the file's state, what became of a file, or a cgroup. On the thread that takes events; must not wait.
  func note(_ record: EventRecord)
  /// What is known since, at most `countMax` of it. On the same thread.
  func takeReports(_ countMax: Int) -> [ModelEvent]
  /// Works until the task is cancelled.
  func run() async
  /// For `--stats FILE`.
  var counters: [(name: StaticString, count: UInt64)] { get }
}

extension Agent {
  /// Which models to verify, and how.
  public struct ModelVerification: Sendable {
    /// What the agent does for a verifier.
    public struct Node: Sendable {
      /// Tells from now on what becomes of a file; false where there is no room. On the thread that takes events.
      public let watch: @Sendable (_ device: UInt32, _ inode: UInt64) -> Bool
      /// Forgets a file. On the thread that takes events.
      public let unwatch: @Sendable (_ device: UInt32, _ inode: UInt64) -> Void
      /// Says which process of the verifier's own is in a place, 0 for none, before it does anything: what it does is no
      /// event. Two places, from 0; on any thread.
      public let setHelper: @Sendable (_ place: Int, _ process: UInt32) -> Void
      /// There is something to take. On any thread.
      public let wake: @Sendable () -> Void
    }

    /// Names that end so are models, beside the usual ones.
    public var endings: Set<String>
    /// Folders of these names hold models.
    public var folders: Set<String>
    public var makeVerifier: @Sendable (Node) -> any ModelVerifier

    public init(
      endings: Set<String> = [], folders: Set<String> = [],
      makeVerifier: @escaping @Sendable (Node) -> any ModelVerifier
    ) {
      self.endings = endings
      self.folders = folders
      self.makeVerifier = makeVerifier
    }

    func verifier(on source: KernelSource) -> any ModelVerifier {
      makeVerifier(
        Node(
          watch: { source.watch(device: $0, inode: $1) }, unwatch: { source.unwatch(device: $0, inode: $1) },
          setHelper: { source.helpers.set($0, to: $1) }, wake: { source.interrupt() }))
    }
  }

  /// What the kernel has to tell of models: nothing, unless they are verified, rules ask for them or all is recorded.
  func modelNames(for ruleset: Ruleset?, isRecorded: Bool) -> ModelNames? {
    let asked = ruleset.map { KernelFilterPlanner.modelReaders($0) } ?? []
    guard isRecorded || models != nil || !asked.isEmpty else { return nil }
    var names = ModelNames.usual
    names.endings.formUnion(models?.endings ?? [])
    names.folders.formUnion(models?.folders ?? [])
    // Where no rule asks, whoever has models verified all the same wants to see them counted.
    if !isRecorded, !asked.isEmpty { names.readers = asked }
    return names
  }
}

/// Reads models as long as the watch goes on, and is ended after it.
struct VerifierService: Service {
  let verifier: any ModelVerifier

  func run() async throws {
    await cancelWhenGracefulShutdown { await verifier.run() }
  }
}
