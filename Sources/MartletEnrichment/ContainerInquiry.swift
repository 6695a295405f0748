// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Logging
public import MartletEvents
import NIOCore
import NIOPosix
import Synchronization

/// MartletEnrichment asks container runtimes for names and turns the answers into events.
///
/// - In: ids of containers, as the names of their cgroups tell them, each when its cgroup is first seen.
/// - Out: a `ContainerAnswer` for each, and another one when more is known, and a `ContainerStart` for each that has
///   started, which the watch puts into the stream; likewise, from `AccountInquiry`, what the users of each are called.
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
    /// Containers of which it was told that they have started.
    public var starts: UInt64 = 0

    public init() {}
  }

  private struct Question: Sendable {
    var cgroup: ContainerCgroup
    /// It ran before the agent did.
    var wasThere: Bool
    /// When it was last known to have started, where it was asked for before: it may not have started again yet.
    var lastStart: UInt64
    /// Attempts at which a runtime could not be asked, and at which none knew the container.
    var failureCount = 0
    var denialCount = 0
    /// Answers about a container that had not started yet, and the last of them.
    var earlyCount = 0
    var early: ContainerReport?

    var id: String { cgroup.id }
  }

  /// What became of a question.
  private struct Outcome {
    var time: ContinuousClock.Instant
    var cgroup: ContainerCgroup
    /// The start of the container that was told of, or that was before the agent's; 0 where its time is not known.
    var start: UInt64?
  }

  private struct Desk {
    /// Asked and not answered for good, or answered and not taken.
    var open: Set<String> = []
    var outcomes = FixedTable<String, Outcome>(countMax: ContainerInquiry.outcomeCountMax)
    var answers: [(answer: any StreamReport, finishes: String?)] = []
    /// To be asked again, each at its time.
    var delayed: [(due: ContinuousClock.Instant, question: Question)] = []
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
  /// Something has been delayed.
  private let delays: AsyncStream<Void>
  private let delayed: AsyncStream<Void>.Continuation

  public static let openCountMax = 1024
  /// How many answers wait to be taken. That nobody knows a container is left out when there is no room.
  static let answerCountMax = 2 * openCountMax
  /// How many questions are on their way to runtimes at once.
  private static let workerCount = 4
  /// A container that is announced again within this time is not asked for again.
  private static let recentSeconds: Int64 = 30
  private static let outcomeCountMax = 2048
  /// A container that has run for longer than this has not just started.
  private static let startSeconds: UInt64 = 60
  /// A runtime may know a container a moment later than the kernel.
  private static let denialCountMax = 5
  private static let earlyCountMax = 5
  /// A runtime's folder tells nothing of the start: by then the container has started.
  private static let folderCountMax = 3

  /// `onAnswer` is called, on any thread, when there is something to take.
  public init(sockets: [RuntimeSocket], logger: Logger, onAnswer: @escaping @Sendable () -> Void) {
    self.sockets = sockets
    self.logger = logger
    self.onAnswer = onAnswer
    // The desk refuses before the stream does.
    (questions, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.openCountMax))
    (delays, delayed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Asks for a container, if nobody did a moment ago. Never waits. `wasThere`: it ran before the agent did.
  ///
  /// Whoever waits for names gets an answer also where nobody is asked: that nobody knows them.
  public func ask(_ cgroup: ContainerCgroup, wasThere: Bool = false) {
    guard !sockets.isEmpty else { return }
    enum Fate { case known, unanswered, asked(Question) }
    let fate = desk.withLock { desk -> Fate in
      guard !desk.open.contains(cgroup.id) else { return .known }
      var lastStart: UInt64 = 0
      if let last = desk.outcomes[cgroup.id] {
        // One that is started again gets a new cgroup.
        let isAgain =
          !cgroup.isInner && last.cgroup.hierarchy == cgroup.hierarchy && last.cgroup.cgroupID != cgroup.cgroupID
        guard isAgain || last.time + .seconds(Self.recentSeconds) <= .now else {
          return last.start == nil ? .unanswered : .known
        }
        if isAgain { lastStart = last.start ?? 0 }
      }
      guard desk.open.count < Self.openCountMax else {
        desk.statistics.dropped += 1
        return .unanswered
      }
      desk.open.insert(cgroup.id)
      desk.statistics.asked += 1
      return .asked(Question(cgroup: cgroup, wasThere: wasThere, lastStart: lastStart))
    }
    switch fate {
    case .known: break
    case .unanswered: tellUnanswered(cgroup.id)
    case .asked(let question): entrance.yield(question)
    }
  }

  /// What came of questions since, at most `countMax` of it; the rest next time. Costs one look where there is nothing.
  public func takeAnswers(_ countMax: Int) -> [any StreamReport] {
    guard hasAnswers.load(ordering: .acquiring) else { return [] }
    return desk.withLock { desk in
      let taken = Array(desk.answers.prefix(countMax))
      desk.answers.removeFirst(taken.count)
      for case (_, let id?) in taken { desk.open.remove(id) }
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
    for socket in sockets where socket.isExpected && !socket.isThere {
      logger.warning(
        "there is no \(socket.noun) at '\(socket.path)': until there is, alerts lack the names of its containers")
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let members: [Member] = sockets.map { socket in
      switch socket.interface {
      case .cri: (socket, CRIClient(path: socket.path, group: group))
      case .docker: (socket, DockerClient(path: socket.path, group: group))
      case .folder: (socket, FolderClient(path: socket.path))
      }
    }
    // Who works holds a token.
    let (tokens, giveBack) = AsyncStream<Void>.makeStream()
    for _ in 0..<Self.workerCount { giveBack.yield() }
    await withDiscardingTaskGroup { tasks in
      tasks.addTask { await self.returnDelayed() }
      var free = tokens.makeAsyncIterator()
      for await question in questions {
        guard await free.next() != nil else { break }
        tasks.addTask {
          if let (next, pause) = await self.attempt(question, members) { self.delay(next, by: pause) }
          giveBack.yield()
        }
      }
      tasks.cancelAll()
    }
    try? await group.shutdownGracefully()
  }

  // MARK: - Pauses

  /// A question that waits is a value: a thousand may.
  private func delay(_ question: Question, by pause: Duration) {
    desk.withLock { $0.delayed.append((.now + pause, question)) }
    delayed.yield()
  }

  private func returnDelayed() async {
    for await _ in delays {
      while let next = desk.withLock({ $0.delayed.map(\.due).min() }) {
        // One that is due before it may come meanwhile, and nobody interrupts the sleep.
        let wake = min(next, .now + Self.pauseMin)
        guard (try? await Task.sleep(until: wake, clock: .continuous)) != nil else { return }
        let now = ContinuousClock.now
        let due = desk.withLock { desk in
          let due = desk.delayed.filter { $0.due <= now }
          desk.delayed.removeAll { $0.due <= now }
          return due
        }
        for (_, question) in due { entrance.yield(question) }
      }
    }
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
        isAnybodyThere = true
        noteReached(member.socket)
        guard let report else { continue }
        if member.client.isSecondary, !isDenied {
          // Somebody who is away knows more.
          if question.early == nil { tell(report) }
          question.early = report
          break
        }
        let hasStarted = report.startedNanoseconds > question.lastStart
        guard !hasStarted, question.earlyCount < (member.client.isSecondary ? Self.folderCountMax : Self.earlyCountMax)
        else {
          close(question, with: report)
          return nil
        }
        // Its names are known, and its start will be: asked for again, and told at once.
        if question.earlyCount == 0 { tell(report) }
        question.earlyCount += 1
        question.early = report
        return (question, Self.pause(question.earlyCount))
      } catch {
        if note(error, of: member.socket) { isDenied = false }
        if !isDenied || error as? RuntimeFailure != .unreachable { isAnybodyThere = true }
      }
    }
    if isDenied { question.denialCount += 1 } else { question.failureCount += 1 }
    // One that was known has come and gone; or there is nobody to ask.
    let isOver = isDenied && (question.early != nil || !isAnybodyThere)
    guard question.denialCount < Self.denialCountMax, !isOver else {
      close(question, with: question.early)
      return nil
    }
    return (question, Self.pause(question.denialCount + question.failureCount))
  }

  /// 0.1 s, doubled each time, at most a few seconds: as soon after its return a runtime is asked again.
  private static let pauseMin = Duration.milliseconds(100)

  private static func pause(_ count: Int) -> Duration { pauseMin * (1 << min(max(count - 1, 0), 5)) }

  /// Those first that the container's cgroup speaks of.
  private static func rank(_ member: Member, _ question: Question) -> Int {
    if member.client.isSecondary { return 2 }
    let isDocker = question.cgroup.runtime == .docker || question.cgroup.runtime == .podman
    return isDocker == (member.socket.interface == .docker) ? 0 : 1
  }

  private func close(_ question: Question, with report: ContainerReport?) {
    guard let report else {
      desk.withLock { desk in
        desk.outcomes.insert(Outcome(time: .now, cgroup: question.cgroup), for: question.id)
        desk.statistics.unknown += 1
        desk.open.remove(question.id)
      }
      return tellUnanswered(question.id)
    }
    let isStart = desk.withLock { desk in
      let last = desk.outcomes[question.id]?.start
      let isNews = !question.wasThere && last != report.startedNanoseconds && Self.isRecent(report.startedNanoseconds)
      desk.outcomes.insert(
        Outcome(time: .now, cgroup: question.cgroup, start: report.startedNanoseconds), for: question.id)
      desk.statistics.answered += 1
      if isNews { desk.statistics.starts += 1 }
      return isNews
    }
    tell(report, finishes: isStart ? nil : question.id)
    guard isStart else { return }
    put(
      ContainerStart(cgroupID: question.cgroup.cgroupID, hierarchy: question.cgroup.hierarchy), finishes: question.id)
  }

  /// Unknown is recent.
  private static func isRecent(_ start: UInt64) -> Bool {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return start == 0 || start / 1_000_000_000 + startSeconds > UInt64(now.tv_sec)
  }

  private func tell(_ report: ContainerReport, finishes id: String? = nil) {
    var report = report
    // Before it waits to be taken: a thousand of them may.
    report.cut()
    put(ContainerAnswer.report(report), finishes: id)
  }

  private func tellUnanswered(_ id: String) {
    guard desk.withLock({ $0.answers.count < Self.answerCountMax }) else { return }
    put(ContainerAnswer.unanswered(id: Array(id.utf8)), finishes: nil)
  }

  private func put(_ answer: any StreamReport, finishes id: String?) {
    desk.withLock { desk in
      desk.answers.append((answer, id))
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
