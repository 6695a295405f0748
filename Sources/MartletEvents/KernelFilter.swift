// SPDX-License-Identifier: Apache-2.0

/// Which events the probe need not send, because no rule can match them.
///
/// A sound over-approximation of a rule set: what it drops no rule matches; what it lets through may still match none.
/// Planned by MartletMatching, installed by MartletCapture. Everything here is small enough to be tested in the kernel
/// before a record is made.
public struct KernelFilter: Hashable, Sendable {
  /// Who may cause an event of each type that some rule matches; types that are not in it cause none. Of calls on
  /// sockets, those of internet sockets.
  public var actors: [EventType: Actors]
  /// The same of calls on Unix sockets.
  public var unixActors: [EventType: Actors]
  /// Of connects and sends of internet sockets, besides.
  public var connections: ConnectionFilter
  public var opens: OpenFilter

  /// Between the bounds of all users that it names lie at most twice as many ranges of ids: those of opens and those of
  /// connections.
  public static let userRangesMax = 16

  /// Lets everything through.
  public static let none: KernelFilter = {
    let everyone = Dictionary(uniqueKeysWithValues: EventType.allCases.map { ($0, Actors.all) })
    return KernelFilter(actors: everyone, unixActors: everyone, connections: .none, opens: .none)
  }()

  public init(
    actors: [EventType: Actors], unixActors: [EventType: Actors], connections: ConnectionFilter, opens: OpenFilter
  ) {
    self.actors = actors
    self.unixActors = unixActors
    self.connections = connections
    self.opens = opens
  }

  /// Processes by where they run.
  public struct Actors: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let host = Actors(rawValue: 1)
    public static let containers = Actors(rawValue: 2)
    public static let all: Actors = [.host, .containers]
  }
}

/// What is known of an open without looking at a name: the filter's first question.
public struct OpenClass: Hashable, Sendable, CaseIterable {
  /// From 0 to `count` - 1; the probe computes the same number.
  public let rawValue: Int

  public static let count = 32
  public static let allCases: [OpenClass] = (0..<count).map(OpenClass.init)

  private init(_ rawValue: Int) { self.rawValue = rawValue }

  /// `access`: the call's O_ACCMODE, 0 to 3.
  public init(isContainer: Bool, isOpened: Bool, isDirectory: Bool, access: Int) {
    rawValue = access & 3 | (isDirectory ? 4 : 0) | (isOpened ? 8 : 0) | (isContainer ? 16 : 0)
  }

  public var access: Int { rawValue & 3 }
  /// Of an open that failed it is not known.
  public var isDirectory: Bool { rawValue & 4 != 0 }
  public var isOpened: Bool { rawValue & 8 != 0 }
  public var isContainer: Bool { rawValue & 16 != 0 }
}

/// The filter of opens.
public struct OpenFilter: Hashable, Sendable {
  public enum Verdict: UInt8, Sendable {
    case drop = 0
    case pass = 1
    /// It depends on the names and on who acts: one of `names` has to be found.
    case testNames = 2
  }

  /// By `OpenClass.rawValue`.
  public var verdicts: [Verdict]
  /// What to look for in a name or an actor, and for which classes (bit n: the class n).
  public var names: [NameTest: UInt32]

  public static let none = OpenFilter(verdicts: Array(repeating: .pass, count: OpenClass.count), names: [:])

  public init(verdicts: [Verdict], names: [NameTest: UInt32]) {
    precondition(verdicts.count == OpenClass.count, "a class has no verdict")
    self.verdicts = verdicts
    self.names = names
  }

  /// Whether an open has to be sent. `names`: its path as resolved and as spelled, each absolute and normalised;
  /// `program`: what the acting process is called; `user`: its effective id.
  public func passes(_ kind: OpenClass, names: [[UInt8]], program: [UInt8], user: UInt32) -> Bool {
    switch verdicts[kind.rawValue] {
    case .drop: return false
    case .pass: return true
    case .testNames:
      return self.names.contains { test, classes in
        classes & (1 << UInt32(kind.rawValue)) != 0
          && (test.holds(program: program, user: user) || names.contains { test.holds($0) })
      }
    }
  }
}

/// Something that a name has to have in it: that of the file, chosen so that the kernel can look for it while it walks
/// the components, or that of the program. Or who acts.
public enum NameTest: Hashable, Sendable {
  /// One component is this.
  case component([UInt8])
  /// The last component ends with this: `.pem`. At most `suffixBytesMax` bytes.
  case suffix([UInt8])
  /// Some component has these `infixBytes` bytes in it.
  case infix([UInt8])
  /// Some component ends with `..`. What climbs does, and hardly anything else.
  case dots
  /// There is one component at most: the file lies in the root.
  case inRoot
  /// The acting process is called this: at most `programBytesMax` bytes.
  case program([UInt8])
  /// The effective user id of the acting process is one of these.
  case user(ClosedRange<UInt32>)

  public static let suffixBytesMax = 8
  public static let infixBytes = 8
  public static let programBytesMax = 15

  /// Whether a path has it.
  public func holds(_ path: [UInt8]) -> Bool {
    let components = path.split(separator: UInt8(ascii: "/"))
    switch self {
    case .component(let component): return components.contains { $0.elementsEqual(component) }
    case .suffix(let suffix):
      guard let last = components.last else { return false }
      return last.suffix(suffix.count).elementsEqual(suffix)
    case .infix(let infix):
      return components.contains { component in
        component.indices.contains { component[$0...].starts(with: infix) }
      }
    case .dots: return components.contains { $0.suffix(2).elementsEqual("..".utf8) }
    case .inRoot: return components.count <= 1
    case .program, .user: return false
    }
  }

  func holds(program: [UInt8], user: UInt32) -> Bool {
    switch self {
    case .program(let name): name == program
    case .user(let users): users.contains(user)
    case .component, .suffix, .infix, .dots, .inRoot: false
    }
  }

  /// Whether it speaks of the file's name, and not of who acts.
  public var isOfPath: Bool {
    switch self {
    case .program, .user: false
    case .component, .suffix, .infix, .dots, .inRoot: true
    }
  }
}
