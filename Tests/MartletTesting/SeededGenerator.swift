// SPDX-License-Identifier: Apache-2.0

/// Random numbers that are the same on every machine, so that what a test finds can be found again (xorshift64*).
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed &* 2_685_821_657_736_338_717 | 1 }

  public mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 2_685_821_657_736_338_717
  }
}
