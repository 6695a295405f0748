// SPDX-License-Identifier: Apache-2.0

public import Logging
public import MartletEvents
import NIOCore
import NIOPosix
import Synchronization

/// MartletEnrichment asks container runtimes for names and turns the answers into events.
///
/// - In: ids of containers, as the names of their cgroups tell them, each when its cgroup is first seen.
/// - Out: a `ContainerAnswer` for each, and another one when more is known, which the watch puts into the stream.
/// - The way: `ask` (never waits) → a few workers → `Runtime/` (one client for each socket) → `takeAnswers`.
/// - What it refuses to know: processes, rules, what becomes of a report, what the runtime's words are good for.
///
/// A runtime that is away, slow or hostile costs a bounded number of open questions and nothing else: each keeps asking,
/// less and less often, until some runtime has spoken of the container or all deny that there is such a one.
public final class ContainerInquiry: Sendable {
  /// What became of the questions: asked = answered + unknown + open. One about a container that has not started yet is
  /// open until it has.
  public struct Statistics: Equatable, Sendable {
    public var asked: UInt64 = 0
    public var answered: UInt64 = 0
    /// No runtime that could be asked knows the container.
    public var unknown: UInt64 = 0
    public var open: UInt64 = 0
    /// Attempts that failed: nobody listened, or the answer was none.
    public var failed: UInt64 = 0
    /// Attempts that took too long.
    public var timedOut: UInt64 = 0
    /// Questions for which there was no room: nobody asked.
    public var dropped: UInt64 = 0

    public init() {}
  }

  private struct Question: Sendable {
    var id: String
    var runtime: ContainerRuntime?
    /// Attempts at which a runtime could not be asked, and at which none knew the container.
    var failureCount = 0
    var denialCount = 0
    /// Answers about a container that had not started yet.
    var earlyCount = 0
  }

  private struct Desk {
    /// Asked and not answered for good, or answered and not taken.
    var open: Set<String> = []
    /// Answered a short while ago, and whether anybody knew it.
    var recent: [String: (time: ContinuousClock.Instant, isKnown: Bool)] = [:]
    var answers: [(answer: ContainerAnswer, isFinal: Bool)] = []
    /// Where somebody answered once.
    var reached: Set<RuntimeSocket> = []
    var statistics = Statistics()
  }

  private typealias Member = (socket: RuntimeSocket, client: any RuntimeClient)

  private let sockets: [RuntimeSocket]
  private let logger: Logger
  private let onAnswer: @Sendable () -> Void
  private let desk = Mutex(Desk())
  private let hasAnswers = Atomic<Bool>(false)
  private let questions: AsyncStream<Question>
  private let entrance: AsyncStream<Question>.Continuation

  public static let openCountMax = 1024
  /// How many answers wait to be taken. That nobody knows a container is left out when there is no room.
  static let answerCountMax = 2 * openCountMax
  /// How many questions are on their way to runtimes at once.
  private static let workerCount = 4
  /// A container that is announced again within this time is not asked for again.
  private static let recentSeconds: Int64 = 30
  private static let recentCountMax = 4096
  /// A runtime may know a container a moment later than the kernel.
  private static let denialCountMax = 5
  private static let earlyCountMax = 5

  /// `onAnswer` is called, on any thread, when there is something to take.
  public init(sockets: [RuntimeSocket], logger: Logger, onAnswer: @escaping @Sendable () -> Void) {
    self.sockets = sockets
    self.logger = logger
    self.onAnswer = onAnswer
    // The desk refuses before the stream does.
    (questions, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.openCountMax))
  }

  /// Asks for a container, if nobody did a moment ago. Never waits. `runtime`: who runs it, as its cgroup's name tells.
  ///
  /// Whoever waits for names gets an answer also where nobody is asked: that nobody knows them.
  public func ask(_ id: String, runtime: ContainerRuntime?) {
    guard !sockets.isEmpty else { return }
    enum Fate { case known, unanswered, asked }
    let fate = desk.withLock { desk -> Fate in
      guard !desk.open.contains(id) else { return .known }
      if let last = desk.recent[id], last.time + .seconds(Self.recentSeconds) > .now {
        return last.isKnown ? .known : .unanswered
      }
      guard desk.open.count < Self.openCountMax else {
        desk.statistics.dropped += 1
        return .unanswered
      }
      desk.open.insert(id)
      desk.statistics.asked += 1
      return .asked
    }
    switch fate {
    case .known: break
    case .unanswered: tell(.unanswered(id: Array(id.utf8)), isFinal: false)
    case .asked: entrance.yield(Question(id: id, runtime: runtime))
    }
  }

  /// What came of questions since, at most `countMax` of it; the rest next time. Costs one look where there is nothing.
  public func takeAnswers(_ countMax: Int) -> [ContainerAnswer] {
    guard hasAnswers.load(ordering: .acquiring) else { return [] }
    return desk.withLock { desk in
      let taken = Array(desk.answers.prefix(countMax))
      desk.answers.removeFirst(taken.count)
      for case (.report(let report), true) in taken { desk.open.remove(String(decoding: report.id, as: UTF8.self)) }
      hasAnswers.store(!desk.answers.isEmpty, ordering: .releasing)
      return taken.map(\.answer)
    }
  }

  public var statistics: Statistics {
    desk.withLock { desk in
      var statistics = desk.statistics
      statistics.open = statistics.asked - statistics.answered - statistics.unknown
      return statistics
    }
  }

  /// Asks until the task is cancelled.
  public func run() async {
    guard !sockets.isEmpty else { return }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let members: [Member] = sockets.map { socket in
      switch socket.interface {
      case .cri: (socket, CRIClient(path: socket.path, group: group))
      case .docker: (socket, DockerClient(path: socket.path, group: group))
      }
    }
    // Who works holds a token.
    let (tokens, giveBack) = AsyncStream<Void>.makeStream()
    for _ in 0..<Self.workerCount { giveBack.yield() }
    await withDiscardingTaskGroup { tasks in
      var free = tokens.makeAsyncIterator()
      for await question in questions {
        guard await free.next() != nil else { break }
        tasks.addTask {
          let delay = await self.attempt(question, members)
          giveBack.yield()
          guard let (next, pause) = delay else { return }
          guard (try? await Task.sleep(for: pause)) != nil else { return }
          self.entrance.yield(next)
        }
      }
      tasks.cancelAll()
    }
    try? await group.shutdownGracefully()
  }

  // MARK: - One attempt

  /// What to ask again, and after which pause; nil when the question is closed.
  private func attempt(_ question: Question, _ members: [Member]) async -> (Question, Duration)? {
    var question = question
    var isDenied = true
    var isAnybodyThere = false
    for member in members.sorted(by: { Self.rank($0, question) < Self.rank($1, question) }) {
      do {
        let report = try await member.client.describe(question.id)
        noteReached(member.socket)
        isAnybodyThere = true
        guard let report else { continue }
        guard report.startedNanoseconds == 0, question.earlyCount < Self.earlyCountMax else {
          close(question, with: report)
          return nil
        }
        // Its names are known, and its start will be: asked for again, and told at once.
        if question.earlyCount == 0 { tell(.report(report), isFinal: false) }
        question.earlyCount += 1
        return (question, Self.pause(question.earlyCount))
      } catch {
        if note(error, of: member.socket) { isDenied = false }
        if !isDenied || error as? RuntimeFailure != .unreachable { isAnybodyThere = true }
      }
    }
    // Nobody needs to wait where there is no runtime. One may come, so it is asked for again all the same.
    if !isAnybodyThere, question.denialCount == 0 { tell(.unanswered(id: Array(question.id.utf8)), isFinal: false) }
    if isDenied { question.denialCount += 1 } else { question.failureCount += 1 }
    guard question.denialCount < Self.denialCountMax else {
      close(question, with: nil)
      return nil
    }
    return (question, Self.pause(question.denialCount + question.failureCount))
  }

  /// 0.1 s, doubled each time, at most a few seconds: as soon after its return a runtime is asked again.
  private static func pause(_ count: Int) -> Duration { .milliseconds(100) * (1 << min(max(count - 1, 0), 5)) }

  /// Those first that the container's cgroup speaks of.
  private static func rank(_ member: Member, _ question: Question) -> Int {
    let isDocker = question.runtime == .docker || question.runtime == .podman
    return isDocker == (member.socket.interface == .docker) ? 0 : 1
  }

  private func close(_ question: Question, with report: ContainerReport?) {
    desk.withLock { desk in
      if desk.recent.count >= Self.recentCountMax {
        desk.recent = desk.recent.filter { $0.value.time + .seconds(Self.recentSeconds) > .now }
        if desk.recent.count >= Self.recentCountMax { desk.recent = [:] }
      }
      desk.recent[question.id] = (.now, isKnown: report != nil)
      if report == nil {
        desk.statistics.unknown += 1
        desk.open.remove(question.id)
      } else {
        desk.statistics.answered += 1
      }
    }
    tell(report.map { .report($0) } ?? .unanswered(id: Array(question.id.utf8)), isFinal: true)
  }

  private func tell(_ answer: ContainerAnswer, isFinal: Bool) {
    var answer = answer
    if case .report(var report) = answer {
      // Before it waits to be taken: a thousand of them may.
      report.cut()
      answer = .report(report)
    }
    desk.withLock { desk in
      if case .unanswered = answer, desk.answers.count >= Self.answerCountMax { return }
      desk.answers.append((answer, isFinal))
      hasAnswers.store(true, ordering: .releasing)
    }
    onAnswer()
  }

  private func noteReached(_ socket: RuntimeSocket) {
    let isFirst = desk.withLock { $0.reached.insert(socket).inserted }
    if isFirst { logger.info("container names come from \(socket.path)") }
  }

  /// Whether it is worth asking again until it answers: one that is away will come back, unless it was never there; one
  /// that refuses or speaks nonsense will do so again.
  private func note(_ error: any Error, of socket: RuntimeSocket) -> Bool {
    let failure = error as? RuntimeFailure
    let isExpected = desk.withLock { desk in
      guard failure != .unreachable || socket.isExpected || desk.reached.contains(socket) else { return false }
      if failure == .timedOut {
        desk.statistics.timedOut += 1
      } else {
        desk.statistics.failed += 1
      }
      return true
    }
    if isExpected { logger.debug("\(socket.path) did not answer: \(error)") }
    switch failure {
    case .refused, .unreadable: return false
    case .unreachable, .timedOut, nil: return isExpected
    }
  }
}
