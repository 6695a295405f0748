// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Testing

/// Recordings keep these numbers, and the kernel side is built against them.
@Suite("Record layout")
struct LayoutTests {
  static let sizes: [(name: String, size: Int, expected: Int)] = [
    ("martlet_text", MemoryLayout<martlet_text>.size, 8),
    ("martlet_record", MemoryLayout<martlet_record>.size, 80),
    ("martlet_process", MemoryLayout<martlet_process>.size, 240),
    ("martlet_process_environment", MemoryLayout<martlet_process_environment>.size, 248),
    ("martlet_fork", MemoryLayout<martlet_fork>.size, 112),
    ("martlet_exit", MemoryLayout<martlet_exit>.size, 88),
    ("martlet_open", MemoryLayout<martlet_open>.size, 160),
    ("martlet_file_state", MemoryLayout<martlet_file_state>.size, 40),
    ("martlet_open_state", MemoryLayout<martlet_open_state>.size, 200),
    ("martlet_file", MemoryLayout<martlet_file>.size, 168),
    ("martlet_connect", MemoryLayout<martlet_connect>.size, 144),
    ("martlet_unix", MemoryLayout<martlet_unix>.size, 136),
    ("martlet_ends", MemoryLayout<martlet_ends>.size, 40),
    ("martlet_syscall", MemoryLayout<martlet_syscall>.size, 272),
    ("martlet_cgroup", MemoryLayout<martlet_cgroup>.size, 104),
    ("martlet_host", MemoryLayout<martlet_host>.size, 104),
    ("martlet_dns", MemoryLayout<martlet_dns>.size, 128),
    ("martlet_resolvers", MemoryLayout<martlet_resolvers>.size, 88),
    ("martlet_end", MemoryLayout<martlet_end>.size, 96),
    ("martlet_notice", MemoryLayout<martlet_notice>.size, 104),
    ("martlet_container", MemoryLayout<martlet_container>.size, 208),
    ("martlet_model", MemoryLayout<martlet_model>.size, 240),
    ("martlet_inquiry", MemoryLayout<martlet_inquiry>.size, 104),
    ("martlet_hook_counters", MemoryLayout<martlet_hook_counters>.size, 56),
    ("martlet_canary", MemoryLayout<martlet_canary>.size, 88),
    ("martlet_tamper", MemoryLayout<martlet_tamper>.size, 96),
  ]

  @Test("a struct is as large in Swift as in C", arguments: sizes.indices)
  func size(_ index: Int) {
    let (name, size, expected) = Self.sizes[index]
    #expect(size == expected, "\(name)")
  }

  @Test("the thread's name ends the common part")
  func name() {
    #expect(MemoryLayout<martlet_record>.offset(of: \.comm) == 64)
    #expect(MARTLET_COMM_BYTES == 16)
  }
}
