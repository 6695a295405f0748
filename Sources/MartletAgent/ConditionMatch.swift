// SPDX-License-Identifier: Apache-2.0

import MartletCapture
public import MartletEvents
import MartletMatching
public import MartletRules
import MartletState

/// Tries one condition on saved events, as if it were a rule's.
public struct ConditionMatch: ~Copyable {
  /// What one event made of the condition.
  public struct Outcome {
    public let truth: Truth
    /// The tree with its values as text, in the view under which it holds, or else as the program spelled the name. Nil
    /// unless asked for.
    public let explanation: String?
  }

  private let condition: Condition
  private let explains: Bool
  private let reference: ReferenceEvaluator
  private var matcher: Matcher
  private var state = SystemState(limits: StateLimits())

  public init(_ condition: Condition, explains: Bool = false) {
    let location = SourceLocation(path: "", line: 1, column: 1, offset: 0)
    let rule = Rule(
      id: RuleID(rawValue: 0), name: "", description: "", condition: condition, output: OutputTemplate(pieces: []),
      priority: .debug, tags: [], source: "syscall", isEnabled: true, eventTypes: .all, location: location)
    let ruleset = Ruleset(rules: [rule])
    self.condition = condition
    self.explains = explains
    reference = ReferenceEvaluator(ruleset)
    matcher = Matcher(MatchPlanner.plan(ruleset))
  }

  /// Hands over the outcome on each event of a recording or of event lines (`-` is standard input), until
  /// `body` returns false; an empty file has none. Throws what stands in the way, in words for users.
  public mutating func run(_ path: String, _ body: (Outcome) -> Bool) throws {
    do {
      switch try EventInput.open(path) {
      case .lines(let lines): try run(lines, body)
      case .recording(let source): try run(source, body)
      }
    } catch let error as RecordingError where error.code == .empty {
      // No events, no outcomes: scripts try nothing but the condition so.
    }
  }

  private mutating func run(_ lines: EventLines, _ body: (Outcome) -> Bool) throws {
    while let event = try lines.next() {
      let found: Outcome? = withExtendedLifetime(event) {
        var context = EventContext(event)
        let outcome = outcome(&context)
        // Both engines: what one of them gets wrong must not stay unseen.
        return reference.match(&context) == matcher.match(&context) ? outcome : nil
      }
      guard let found else {
        throw lines.problem("the matcher and the reference evaluator disagree; this is a bug, please report the line")
      }
      guard body(found) else { return }
    }
  }

  private mutating func run(_ source: RecordingSource, _ body: (Outcome) -> Bool) throws {
    var isWanted = true
    while isWanted,
      try source.next({ batch in
        for bytes in batch.records {
          guard let record = EventRecord(bytes), var context = state.apply(record) else { continue }
          isWanted = body(outcome(&context))
          if !isWanted { return }
        }
      })
    {}
  }

  private mutating func outcome(_ context: inout EventContext) -> Outcome {
    let result = matcher.match(&context)
    var truth = Truth.isFalse
    switch result {
    case .none: break
    case .undecided: truth = .isUnknown
    case .matched(_, let view):
      truth = .isTrue
      context.pathView = view
    }
    defer { context.pathView = .spelled }
    return Outcome(truth: truth, explanation: explains ? reference.explain(condition, &context).text : nil)
  }
}
