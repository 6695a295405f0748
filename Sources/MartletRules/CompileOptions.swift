// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// What a rule set is compiled with, beside its files.
public struct CompileOptions: Sendable {
  public var limits = Limits()
  /// Says what is wrong with the patterns of `regex`; by default they are taken as they are.
  public var regexProblem: RegexProblem = { _ in nil }
  /// Rules that are less urgent are checked, and then left out.
  public var leastPriority = Priority.debug
  public var matching = RuleMatching.first
  /// In the order in which they are applied.
  public var selections: [RuleSelection] = []
  /// In the order in which they are appended.
  public var outputAmendments: [OutputAmendment] = []

  public init() {}
}

/// Switches rules on or off, whatever their files say; later ones override earlier ones.
public struct RuleSelection: Hashable, Sendable {
  public enum Subject: Hashable, Sendable {
    /// A rule's name, in which `*` stands for anything.
    case rules(named: String)
    /// Rules with exactly this tag.
    case tagged(String)
  }

  public let subject: Subject
  public let isEnabled: Bool

  public init(_ subject: Subject, isEnabled: Bool) {
    self.subject = subject
    self.isEnabled = isEnabled
  }

  /// As the command line spells it: `tag:NAME`, or a rule's name with `*` for anything.
  public init(_ text: String, isEnabled: Bool) {
    let prefix = "tag:"
    subject = text.hasPrefix(prefix) ? .tagged(String(text.dropFirst(prefix.count))) : .rules(named: text)
    self.isEnabled = isEnabled
  }

  func fits(_ rule: Rule) -> Bool { fits(rule.name, rule.tags) }

  func fits(_ name: String, _ tags: [String]) -> Bool {
    switch subject {
    case .rules(let pattern): Wildcard.matches(Array(pattern.utf8), Array(name.utf8))
    case .tagged(let tag): tags.contains(tag)
    }
  }

  /// As the command line spells it.
  var text: String {
    switch subject {
    case .rules(let pattern): pattern
    case .tagged(let tag): "tag:\(tag)"
    }
  }
}

/// Texts in which `*` stands for any number of bytes.
enum Wildcard {
  /// Linear in the product of both lengths at most: no recursion, one place to go back to.
  static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    var (inPattern, inText) = (0, 0)
    var retry: (pattern: Int, text: Int)?
    while inText < text.count {
      if inPattern < pattern.count, pattern[inPattern] == .star {
        inPattern += 1
        retry = (inPattern, inText)
      } else if inPattern < pattern.count, pattern[inPattern] == text[inText] {
        inPattern += 1
        inText += 1
      } else if let last = retry {
        (inPattern, inText) = (last.pattern, last.text + 1)
        retry = (last.pattern, last.text + 1)
      } else {
        return false
      }
    }
    return pattern[inPattern...].allSatisfy { $0 == .star }
  }
}

/// Adds to the outputs of rules, whatever their files say.
public struct OutputAmendment: Hashable, Sendable {
  /// Rules of this source only; nil for all.
  public var source: String?
  /// Rules with all of these tags only.
  public var tags: Set<String> = []
  /// The rule of this name only; nil for all.
  public var rule: String?
  /// Appended to the output behind a blank; may name fields.
  public var extraOutput: String?
  /// Appends the fields that tell containers and pods apart, each with its name.
  public var isSuggestedOutput = false
  /// More for an alert's `output_fields`, whatever its text says. Of two with one key the later counts.
  public var extraFields: [ExtraField] = []

  public enum ExtraField: Hashable, Sendable {
    /// A field or a transformer, as it is, under its own name.
    case field(String)
    /// A text with fields in it, under a name of its own.
    case text(key: String, template: String)

    var key: String {
      switch self {
      case .field(let name): name
      case .text(let key, _): key
      }
    }

    var template: String {
      switch self {
      case .field(let name): "%\(name)"
      case .text(_, let template): template
      }
    }
  }

  public init(extraOutput: String? = nil) { self.extraOutput = extraOutput }

  private static let suggestedFields = [
    "container.id", "container.name", "container.image.repository", "container.image.tag", "k8s.pod.name",
    "k8s.ns.name",
  ]

  /// What is appended; nil for nothing.
  var template: String? {
    let suggested = Self.suggestedFields.filter { FieldRegistry.field(named: $0) != nil }
      .map { "\($0.map { $0 == "." ? "_" : String($0) }.joined())=%\($0)" }
    let parts = (extraOutput.map { [$0] } ?? []) + (isSuggestedOutput ? suggested : [])
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }

  func fits(_ rule: RuleDefinition) -> Bool {
    (source ?? rule.sourceName) == rule.sourceName && tags.isSubset(of: rule.tags)
      && (self.rule ?? rule.name.string) == rule.name.string
  }
}
