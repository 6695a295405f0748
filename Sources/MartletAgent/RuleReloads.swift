// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Logging
import MartletCapture
import MartletEvents
import MartletRules
import ServiceLifecycle
import UnixSignals

/// Changes the rules of a watch that goes on: on SIGHUP and, where asked for, when their files change.
///
/// Everything that takes time happens beside the watch: reading, compiling, loading. Rules that cannot be used change
/// nothing.
final class RuleReloads: Service {
  private let request: Agent.RuleReload
  private let hangups: UnixSignalsSequence
  private let watch: NodeWatch
  private let prepare: @Sendable (Ruleset) throws(CaptureError) -> RuleChange
  private let logger: Logger

  /// How often files are looked at. Rules are read once they were found the same twice, so at least this long after
  /// the last change: not while someone is writing them.
  private static let lookEvery = Duration.seconds(2)

  /// `prepare` makes a change for the watch of compiled rules.
  init(
    _ request: Agent.RuleReload, on hangups: UnixSignalsSequence, of watch: NodeWatch, logger: Logger,
    prepare: @escaping @Sendable (Ruleset) throws(CaptureError) -> RuleChange
  ) {
    self.request = request
    self.hangups = hangups
    self.watch = watch
    self.prepare = prepare
    self.logger = logger
  }

  func run() async throws {
    // One more is enough, however often it is asked for during a reload.
    let (wishes, wish) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { for await _ in self.hangups { wish.yield() } }
        if !self.request.watchedPaths.isEmpty { group.addTask { await self.followFiles { wish.yield() } } }
        guard await self.watch.untilWatching() else { return group.cancelAll() }
        for await _ in wishes where !Task.isCancelled { await self.reload() }
        group.cancelAll()
      }
    }
  }

  private func followFiles(_ haveChanged: () -> Void) async {
    var loaded = request.traces
    var last = loaded
    while (try? await Task.sleep(for: Self.lookEvery)) != nil {
      let now = RuleFiles.traces(of: request.watchedPaths)
      if now == last, now != loaded {
        loaded = now
        haveChanged()
      }
      last = now
    }
  }

  private func reload() async {
    let began = Clock.monotonicNanoseconds
    let change: RuleChange
    switch await aside({ self.prepareChange() }) {
    case .success(let prepared): change = prepared
    case .failure(let refusal): return await say(refusal.reason)
    }
    guard await watch.adopt(change) else { return }
    if let refusal = change.refusal { return await say("\(refusal)") }
    let milliseconds = (Clock.monotonicNanoseconds - began) / 1_000_000
    let capture =
      switch change.extent {
      case .nothing: "the kernel captures for them already"
      case .filter: "the kernel filters by other data"
      case .programs: "the probe was loaded anew"
      }
    logger.notice(
      """
      the rules were reloaded: \(change.ruleCount) rules; \(capture); prepared in \(milliseconds) ms, switched in \
      \(change.switchNanoseconds / 1000) µs
      """)
    await aside { change.letGo() }
  }

  private func say(_ reason: String) async {
    logger.error("the rules were not reloaded: \(reason); the ones before stay in force")
    await watch.raise(CaptureNotice(.rules, detail: reason))
  }

  /// On a thread of its own: compiling, loading and unloading would hold up all else that runs side by side.
  private func aside<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async { continuation.resume(returning: body()) }
    }
  }

  private typealias Refusal = Agent.RuleReload.Refusal

  private func prepareChange() -> Result<RuleChange, Refusal> {
    do {
      return .success(try prepare(try request.compile()))
    } catch let refusal as Refusal {
      return .failure(refusal)
    } catch {
      return .failure(Refusal("\(error)"))
    }
  }
}
