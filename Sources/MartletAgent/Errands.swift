// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What others want done by the thread that takes events, between two batches.
final class Errands<Owner>: Sendable {
  /// Done by the thread, with what belongs to it.
  typealias Errand = @Sendable (Owner) -> Void

  private struct State {
    var isOpen = false
    var isClosed = false
    /// Those who wait for it to be opened.
    var early: [CheckedContinuation<Bool, Never>] = []
    var waiting: [(errand: Errand, giver: CheckedContinuation<Bool, Never>)] = []
  }

  private let state = Mutex(State())
  private let isAnyWaiting = Atomic<Bool>(false)

  /// False when it is closed before it was opened.
  func untilOpen() async -> Bool {
    await withCheckedContinuation { continuation in
      let isOpen: Bool? = state.withLock { state in
        if state.isOpen || state.isClosed { return state.isOpen }
        state.early.append(continuation)
        return nil
      }
      if let isOpen { continuation.resume(returning: isOpen) }
    }
  }

  /// Returns when it has been done, or false when nobody will do it any more. `wake` ends the thread's wait for events.
  func give(_ errand: @escaping Errand, wake: () -> Void) async -> Bool {
    await withCheckedContinuation { continuation in
      let isClosed = state.withLock { state in
        if !state.isClosed { state.waiting.append((errand, continuation)) }
        return state.isClosed
      }
      guard !isClosed else { return continuation.resume(returning: false) }
      isAnyWaiting.store(true, ordering: .releasing)
      wake()
    }
  }

  // MARK: - For the thread that does them

  func open() {
    let early = state.withLock { state in
      state.isOpen = true
      defer { state.early = [] }
      return state.early
    }
    for waiter in early { waiter.resume(returning: true) }
  }

  /// Costs one look, if there is nothing to do.
  func perform(for owner: Owner) {
    guard isAnyWaiting.exchange(false, ordering: .acquiring) else { return }
    let waiting = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
    for (errand, giver) in waiting {
      errand(owner)
      giver.resume(returning: true)
    }
  }

  func close() {
    let waiting = state.withLock { state in
      defer { state = State(isClosed: true) }
      return state.early + state.waiting.map(\.giver)
    }
    for waiter in waiting { waiter.resume(returning: false) }
  }
}
