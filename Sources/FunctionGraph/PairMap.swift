/// A map from 64-bit keys to small numbers: open addressing, linear probing, no removal of single keys.
///
/// Looked up once an event, where a `Dictionary` spends most of its time on a hash that withstands chosen keys. Here a
/// start that differs from process to process does for that, as in `StringTable`.
package struct PairMap: Sendable {
  private var keys: [UInt64]
  /// Value + 1; 0 is a free slot.
  private var values: [UInt32]
  private let seed: UInt64
  package private(set) var count = 0

  private static let processSeed = UInt64.random(in: .min ... .max)

  /// An empty map takes no memory.
  package init() {
    keys = []
    values = []
    seed = Self.processSeed
  }

  @inline(__always)
  private func slot(_ key: UInt64) -> Int {
    // The finalizer of MurmurHash3 (Appleby), cut to one round: the high half of the product depends on all bits.
    let mixed = (key ^ seed) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: (mixed ^ mixed >> 29) &* 0xbf58_476d_1ce4_e5b9 >> 32) & (keys.count - 1)
  }

  package subscript(key: UInt64) -> UInt32? {
    guard !keys.isEmpty else { return nil }
    var index = slot(key)
    while values[index] != 0 {
      if keys[index] == key { return values[index] - 1 }
      index = (index + 1) & (keys.count - 1)
    }
    return nil
  }

  /// Adds `key`, which must not be there, with a value below `UInt32.max`.
  package mutating func insert(_ key: UInt64, _ value: UInt32) {
    if count * 2 >= keys.count { grow() }
    var index = slot(key)
    while values[index] != 0 { index = (index + 1) & (keys.count - 1) }
    keys[index] = key
    values[index] = value + 1
    count += 1
  }

  private mutating func grow() {
    let oldKeys = keys
    let oldValues = values
    let size = max(16, oldKeys.count * 4)
    keys = Array(repeating: 0, count: size)
    values = Array(repeating: 0, count: size)
    count = 0
    for index in oldKeys.indices where oldValues[index] != 0 { insert(oldKeys[index], oldValues[index] - 1) }
  }
}
