// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Logging
import MartletAlerts
import MartletCapture
public import MartletEnrichment
import MartletEvents
import MartletMatching
public import MartletRules
import MartletState
import ServiceLifecycle
import UnixSignals

/// The agent on a node: starts what runs side by side, and ends it in order.
public struct Agent: Sendable {
  /// The least severe log messages to show on stderr.
  public enum LogLevel: String, CaseIterable, Sendable {
    case debug, info, notice, warning, error
  }

  /// Where to save the stream of events.
  public struct Recording: Sendable {
    public var path: String
    /// The recording ends before its file grows beyond this.
    public var byteCountMax: UInt64

    public init(path: String, byteCountMax: UInt64) {
      self.path = path
      self.byteCountMax = byteCountMax
    }
  }

  /// How rules are had again while they are in force.
  public struct RuleReload: Sendable {
    /// Why there are no other rules, in words for a log and an alert.
    public struct Refusal: Error {
      public let reason: String

      public init(_ reason: String) { self.reason = reason }
    }

    /// Reads and compiles them. Has reported what is wrong with them, which it throws in short. Called on any thread,
    /// one at a time.
    public var compile: @Sendable () throws(Refusal) -> Ruleset
    /// Files and folders that are looked at for changes.
    public let watchedPaths: [String]
    /// What is there before any rule is read: what is different later has changed since.
    let traces: [RuleFiles.Trace]

    /// To be made before the rules that are to be in force first are read.
    public init(watchedPaths: [String] = [], compile: @escaping @Sendable () throws(Refusal) -> Ruleset) {
      self.compile = compile
      self.watchedPaths = watchedPaths
      traces = RuleFiles.traces(of: watchedPaths)
    }
  }

  /// Why it cannot go on, and what to do about it.
  public struct Failure: Error {
    public let messages: [String]
    /// Remedies, each a sentence for the person who started the agent.
    public let help: [String]

    public init(_ messages: [String], help: [String] = []) {
      self.messages = messages
      self.help = help
    }

    init(_ error: CaptureError) {
      self.init(["\(error)"], help: error.remedy.map { [$0] } ?? [])
    }
  }

  private let logger: Logger
  private let ringBudgetBytes: UInt64?
  private let runtimes: [RuntimeSocket]
  /// Nil where models are not verified.
  let models: ModelVerification?
  private let nameWaitNanoseconds: UInt64
  /// How long a component may take to end before it is left behind.
  private static let shutdownSecondsMax: Int64 = 5

  /// `ringBudgetBytes`: what the rings of all CPUs may take together; nil for the default. `runtimes`: whom to ask for the
  /// names of containers. `nameWaitSeconds`: how long events of a container may wait for these, and for those of its
  /// users, from when it came to be. `models`: which models to verify, and by what; nil for none.
  public init(
    logLevel: LogLevel = .info, ringBudgetBytes: UInt64? = nil, runtimes: [RuntimeSocket] = RuntimeSocket.usual,
    nameWaitSeconds: Double = 2, models: ModelVerification? = nil
  ) {
    nameWaitNanoseconds = UInt64(nameWaitSeconds * 1e9)
    self.models = models
    self.ringBudgetBytes = ringBudgetBytes
    self.runtimes = runtimes
    logger = Self.logger(logLevel)
  }

  /// Writes to stderr.
  public static func logger(_ level: LogLevel) -> Logger {
    var logger = Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
    return logger
  }

  /// What to capture: what rules ask for, or everything for a recording, which later rules may be tried on.
  ///
  /// With rules the kernel drops what none of them can match; a recording is for other rules, too.
  ///
  /// The environment names the node where the agent cannot see its name, in a pod, and may keep the agent to a cgroup:
  /// `MARTLET_CGROUP` is a path, `none` or, as without it, `root`.
  private func captureConfiguration(
    for ruleset: Ruleset?, isRecorded: Bool
  ) -> CaptureConfiguration {
    var configuration = CaptureConfiguration()
    configuration.hostname = Self.setting("MARTLET_HOSTNAME")
    configuration.cgroup = Self.setting("MARTLET_CGROUP").map { CgroupChoice(text: $0) } ?? .root
    if let ruleset, !isRecorded {
      configuration.eventTypes = ruleset.eventTypes
      configuration.filter = KernelFilterPlanner.plan(ruleset)
    }
    configuration.includesNames = isRecorded || ruleset?.names(Self.addressNames.contains) ?? false
    configuration.canary = .ownProgram
    if let ringBudgetBytes { configuration.setRingBudget(ringBudgetBytes) }
    configuration.models = modelNames(for: ruleset, isRecorded: isRecorded)
    configuration.inquiries = [.usersBegun(waitNanoseconds: nameWaitNanoseconds)]
    if !runtimes.isEmpty { configuration.inquiries.append(.begun(waitNanoseconds: nameWaitNanoseconds)) }
    configuration.includesEnvironment = ruleset?.names { $0 == .processEnvironment } ?? false
    return configuration
  }

  private static let addressNames: [Field] = [.fdClientName, .fdServerName, .fdLocalName, .fdRemoteName]

  /// `MARTLET_RESOLVERS`, of resolvers to be believed beside the node's own: addresses with blanks or commas between.
  static func resolvers(_ text: String) throws(Failure) -> [IPAddress] {
    var addresses: [IPAddress] = []
    for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      guard let address = IPAddress(text: String(word)) else {
        throw Failure(
          ["MARTLET_RESOLVERS: '\(word)' is no address"],
          help: ["write addresses such as 10.96.0.10, with commas between"])
      }
      addresses.append(address)
    }
    guard addresses.count <= CaptureConfiguration.resolverCountMax else {
      throw Failure(["MARTLET_RESOLVERS: more than \(CaptureConfiguration.resolverCountMax) addresses"])
    }
    return addresses
  }

  /// Nil where the variable is not set, or to nothing.
  static func setting(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Watches until SIGINT, SIGTERM, the end of `durationSeconds` or of whoever reads standard output. With `reload`, SIGHUP
  /// reloads the rules.
  ///
  /// On SIGUSR1 it writes the statistics so far to `statisticsPath`.
  ///
  /// With rules it prints alerts, which say why they were raised if `explainsAlerts`; without, it only records. With
  /// `checksFilter` the kernel marks what it would drop, and the summary says how much of that rules match. A recording
  /// has nothing dropped, so there is nothing to check then.
  public func watch(
    _ ruleset: Ruleset?, explainsAlerts: Bool = false, checksFilter: Bool = false, reload: RuleReload? = nil,
    recording: Recording? = nil, durationSeconds: Double? = nil, heartbeatPath: String? = nil,
    statisticsPath: String? = nil
  ) async throws(Failure) -> RunSummary {
    StatisticsWishes.ignoreSignals()
    let missing = CaptureRequirements.check()
    guard missing.isEmpty else { throw Failure(missing.map(\.description), help: missing.map(\.remedy)) }
    do {
      let output = DescriptorOutput(descriptor: STDOUT_FILENO)
      var capture = captureConfiguration(for: ruleset, isRecorded: recording != nil)
      capture.marksUnwanted = checksFilter
      capture.resolvers = try Self.resolvers(Self.setting("MARTLET_RESOLVERS") ?? "")
      let source = try KernelSource(configuration: capture)
      let inquiry = ContainerInquiry(sockets: runtimes, logger: logger) { source.interrupt() }
      let verifier = models?.verifier(on: source)
      let watch = NodeWatch(
        source: source, verifier: verifier,
        alerts: ruleset.map { AlertDelivery($0, explainsAlerts: explainsAlerts, output: output, logger: logger) },
        inquiry: inquiry, accounts: AccountInquiry { source.interrupt() },
        recording: try recording.map { try RecordingWriter(path: $0.path, byteCountMax: $0.byteCountMax) },
        durationSeconds: durationSeconds, heartbeat: try heartbeatPath.map { try Heartbeat(path: $0) }, logger: logger)
      var configuration = ServiceGroupConfiguration(
        services: [
          .init(service: InquiryService(inquiry: inquiry), successTerminationBehavior: .ignore),
          .init(
            service: StatisticsWishes(path: statisticsPath, watch: watch, logger: logger),
            successTerminationBehavior: .ignore),
          .init(service: watch, successTerminationBehavior: .gracefullyShutdownGroup),
        ],
        gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
      if let verifier {
        configuration.services.insert(
          .init(service: VerifierService(verifier: verifier), successTerminationBehavior: .ignore), at: 0)
      }
      if let reload {
        configuration.services.append(
          .init(
            service: await reloads(of: watch, reload, explainsAlerts, isRecorded: recording != nil),
            // It ends with the watch, which may have more to say.
            successTerminationBehavior: .ignore))
      }
      configuration.maximumGracefulShutdownDuration = .seconds(Self.shutdownSecondsMax)
      try await ServiceGroup(configuration: configuration).run()
      return watch.summary ?? RunSummary()
    } catch NodeWatch.Failure.capture(let error) {
      throw Failure(error)
    } catch let error as CaptureError {
      throw Failure(error)
    } catch NodeWatch.Failure.recording(let error) {
      throw Failure(["cannot record: \(error)"])
    } catch let error as Failure {
      throw error
    } catch let error as RecordingError {
      throw Failure(["cannot record: \(error)"])
    } catch {
      throw Failure(["\(error)"])
    }
  }

  /// From here on SIGHUP does not end the program.
  private func reloads(
    of watch: NodeWatch, _ reload: RuleReload, _ explainsAlerts: Bool, isRecorded: Bool
  ) async -> RuleReloads {
    RuleReloads(reload, on: await UnixSignalsSequence(trapping: .sighup), of: watch, logger: logger) {
      (ruleset) throws(CaptureError) in
      let capture = try watch.prepareCapture(captureConfiguration(for: ruleset, isRecorded: isRecorded))
      return RuleChange(JudgingRules(ruleset, explainsAlerts: explainsAlerts), capture: capture)
    }
  }
}

/// Asks for names as long as the watch goes on, and is ended after it.
private struct InquiryService: Service {
  let inquiry: ContainerInquiry

  func run() async throws {
    await cancelWhenGracefulShutdown { await inquiry.run() }
  }
}
