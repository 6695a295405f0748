// SPDX-License-Identifier: Apache-2.0

/// Members whose value is one call away. A name must need no escaping.
extension JSONWriter {
  public mutating func member(_ name: StaticString, _ flag: Bool) {
    key(name)
    value(flag)
  }

  public mutating func member(_ name: StaticString, _ number: UInt64) {
    key(name)
    value(number)
  }

  public mutating func member(_ name: StaticString, _ number: Int64) {
    key(name)
    value(number)
  }

  public mutating func member(_ name: StaticString, _ text: ByteView) {
    key(name)
    value(text)
  }

  public mutating func member(_ name: StaticString, _ text: [UInt8]) {
    key(name)
    value(text)
  }

  /// Null where there is no text.
  public mutating func member(_ name: StaticString, _ text: String?) {
    key(name)
    if let text { value(text) } else { null() }
  }

  public mutating func member(_ name: StaticString, _ texts: [String]) {
    key(name)
    beginArray()
    for text in texts { value(text) }
    endArray()
  }
}
