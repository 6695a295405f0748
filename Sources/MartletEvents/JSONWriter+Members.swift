// SPDX-License-Identifier: Apache-2.0

/// Members whose value is one call away; null where there is none. A name must need no escaping.
extension JSONWriter {
  public mutating func member(_ name: StaticString, _ text: ByteView) {
    key(name)
    value(text)
  }

  public mutating func member(_ name: StaticString, _ text: [UInt8]) {
    key(name)
    value(text)
  }

  public mutating func member(_ name: StaticString, _ text: String?) {
    key(name)
    if let text { value(text) } else { null() }
  }

  public mutating func member(_ name: StaticString, _ texts: [String]) {
    array(name) { json in
      for text in texts { json.value(text) }
    }
  }

  public mutating func member(_ name: StaticString, _ number: UInt64?) {
    key(name)
    if let number { value(number) } else { null() }
  }

  public mutating func member(_ name: StaticString, _ number: Int64?) {
    key(name)
    if let number { value(number) } else { null() }
  }

  public mutating func member(_ name: StaticString, _ flag: Bool?) {
    key(name)
    if let flag { value(flag) } else { null() }
  }

  /// A member that is an object; `members` writes what is in it.
  public mutating func object(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
    key(name)
    beginObject()
    members(&self)
    endObject()
  }

  /// A member that is an array; `elements` writes what is in it.
  public mutating func array(_ name: StaticString, _ elements: (inout JSONWriter) -> Void) {
    key(name)
    beginArray()
    elements(&self)
    endArray()
  }
}
