// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Work that descends deeper than the caller's stack may allow.
enum Stack {
  private final class Job {
    let work: () -> Void
    init(_ work: @escaping () -> Void) { self.work = work }
  }

  /// Runs `work` on a stack of its own of so many bytes and waits for it; on the caller's where there is no thread to
  /// be had.
  static func run<Value>(bytes: Int, _ work: () -> Value) -> Value {
    var value: Value?
    withoutActuallyEscaping(work) { work in
      let job = Unmanaged.passRetained(Job { value = work() })
      var attributes = pthread_attr_t()
      pthread_attr_init(&attributes)
      pthread_attr_setstacksize(&attributes, bytes)
      defer { pthread_attr_destroy(&attributes) }
      var thread = pthread_t()
      let status = pthread_create(&thread, &attributes, start, job.toOpaque())
      if status == 0 { pthread_join(thread, nil) } else { job.takeRetainedValue().work() }
    }
    guard let value else { preconditionFailure("the work has run") }
    return value
  }

  private static let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
    if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work() }
    return nil
  }
}
