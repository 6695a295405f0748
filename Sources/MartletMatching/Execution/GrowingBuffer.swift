// SPDX-License-Identifier: Apache-2.0

/// An array of trivial elements that is read without reference counts and checks of uniqueness.
struct GrowingBuffer<Element: BitwiseCopyable>: ~Copyable {
  private var storage: UnsafeMutableBufferPointer<Element>
  private(set) var count = 0

  init() { storage = UnsafeMutableBufferPointer(start: nil, count: 0) }

  deinit { storage.deallocate() }

  /// Those that were appended; void after the next `append`.
  var elements: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(rebasing: storage[0..<count]) }

  /// Bytes of memory that it takes.
  var byteCount: Int { storage.count * MemoryLayout<Element>.stride }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < count, "index out of a growing buffer")
      return storage[index]
    }
    @inline(__always) set {
      precondition(index >= 0 && index < count, "index out of a growing buffer")
      storage[index] = newValue
    }
  }

  @inline(__always)
  mutating func append(_ element: Element) {
    if count == storage.count { grow() }
    storage[count] = element
    count += 1
  }

  mutating func removeAll() { count = 0 }

  mutating func removeLast(_ removed: Int) {
    precondition(removed >= 0 && removed <= count, "more is removed from a growing buffer than is in it")
    count -= removed
  }

  private mutating func grow() {
    let larger = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(16, storage.count * 2))
    _ = larger.initialize(from: storage[0..<count])
    storage.deallocate()
    storage = larger
  }
}
