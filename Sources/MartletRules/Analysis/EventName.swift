// SPDX-License-Identifier: Apache-2.0

/// What events are called in rules, captured or not: for those who take such names from elsewhere.
public enum EventName {
  /// Whether rules may name it.
  public static func isKnown(_ name: String) -> Bool { EventTypeNames.isKnown(name) }

  /// The name that is spelled most alike.
  public static func nearest(to name: String) -> String? {
    Spelling.nearest(to: name, among: EventTypeNames.all)
  }
}
