// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import CMartletBPF
import Glibc

/// Acts of the agent's own, and the answers to them taken out of the stream.
///
/// A round starts with acts on this thread (some 50 system calls and one short-lived child) and ends when all have come
/// back through the rings, or when they no longer can. Belongs to the source's thread.
final class CanaryWatch {
  private let probe: OpaquePointer
  private let program: CanaryProgram
  private let hookCount: Int
  private var rounds: CanaryRounds
  /// Whose records up to `until` are no events; its id is not given to others before it is waited for.
  private var child: (id: UInt32, until: UInt64)?
  private var isChildRunning = false
  private var began: UInt64 = 0

  /// The probe has been started.
  init(probe: OpaquePointer, program: CanaryProgram, hookCount: Int, intervalNanoseconds: UInt64) {
    self.probe = probe
    self.program = program
    self.hookCount = hookCount
    rounds = CanaryRounds(places: Self.places(of: probe, hookCount), intervalNanoseconds: intervalNanoseconds)
  }

  private static func places(of probe: OpaquePointer, _ hookCount: Int) -> [UInt32] {
    (0..<hookCount).map { martlet_probe_canaries_of_hook(probe, $0) }
  }

  /// The probe goes by other programs: these have to be proven.
  func followPrograms() { rounds.restart(places: Self.places(of: probe, hookCount)) }

  deinit {
    if isChildRunning, let child { end(child.id) }
  }

  func proof(ofHook hook: Int) -> CaptureProof { rounds.proofs[hook] }

  /// Goes on with the round, or begins one when it is due. `streamTime`: everything up to it has been delivered.
  func step(streamTime: UInt64) -> [CanaryRounds.Change] {
    let now = Clock.bootTime()
    guard rounds.isWaiting else {
      if now >= rounds.due { begin(at: now) }
      return []
    }
    waitForChild(at: now)
    let isPatienceOver = now > began + CanaryRounds.patienceNanoseconds
    guard !isChildRunning, rounds.isComplete || streamTime > child?.until ?? began || isPatienceOver else { return [] }
    if streamTime > child?.until ?? 0 { child = nil }
    return rounds.end(at: now)
  }

  /// True for a record that is an answer, or one of the child's: no event.
  func takes(_ record: UnsafePointer<martlet_record>) -> Bool {
    if record.pointee.kind == MARTLET_KIND_CANARY.rawValue {
      rounds.note(
        place: UnsafeRawPointer(record).loadUnaligned(
          fromByteOffset: MemoryLayout<martlet_record>.size, as: UInt32.self))
      return true
    }
    guard let child, record.pointee.process_id == child.id, record.pointee.time_ns <= child.until else { return false }
    switch UInt32(record.pointee.kind) {
    // Announced once: others are going to need it.
    case MARTLET_KIND_CGROUP.rawValue: return false
    case MARTLET_KIND_FORK.rawValue: rounds.note(place: MARTLET_CANARY_FORK.rawValue)
    case MARTLET_KIND_EXEC.rawValue: rounds.note(place: MARTLET_CANARY_EXEC.rawValue)
    case MARTLET_KIND_EXIT.rawValue: rounds.note(place: MARTLET_CANARY_EXIT.rawValue)
    default: break
    }
    return true
  }

  private func begin(at now: UInt64) {
    var id: Int32 = 0
    let awaited = martlet_probe_canaries_begin(probe, program.path, program.argument, &id)
    isChildRunning = id > 0
    child = id > 0 ? (UInt32(id), .max) : nil
    began = Clock.bootTime()
    rounds.begin(awaiting: awaited)
  }

  /// One that does not end by itself is ended, and the hook of its end is proven by that.
  private func waitForChild(at now: UInt64) {
    guard isChildRunning, let id = child?.id else { return }
    if waitpid(pid_t(id), nil, WNOHANG) == 0 {
      guard now > began + CanaryRounds.patienceNanoseconds else { return }
      end(id)
    }
    isChildRunning = false
    child?.until = Clock.bootTime()
  }

  private func end(_ id: UInt32) {
    kill(pid_t(id), SIGKILL)
    while waitpid(pid_t(id), nil, 0) < 0 && errno == EINTR {}
  }
}

/// A program that does nothing and ends: run to prove that starts and ends of processes are seen.
public struct CanaryProgram: Sendable {
  public var path: String
  public var argument: String

  public init(path: String, argument: String) {
    self.path = path
    self.argument = argument
  }

  /// This program itself, which ends at once when it sees the argument.
  public static let ownProgram = CanaryProgram(path: "/proc/self/exe", argument: "canary")
}
