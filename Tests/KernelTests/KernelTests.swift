// SPDX-License-Identifier: Apache-2.0

import Testing

/// Tests that attach the real probe to the running kernel: one at a time, as each sees all that the machine does.
///
/// Every wait ends with the event that it waits for, or with the test's failure after `secondsUntilHung`.
@Suite("Kernel", .serialized, .enabled(if: KernelAccess.isThere, KernelAccess.reason))
enum KernelTests {}
