/// A map from 64-bit keys to small numbers: open addressing, linear probing, no removal.
///
/// It answers "which function is at this address" and "what is this task called" once per event.
struct IntegerMap {
  private var keys: [UInt64]
  /// Value + 1; 0 is a free slot.
  private var values: [UInt32]
  private var count = 0

  init() {
    keys = Array(repeating: 0, count: 256)
    values = Array(repeating: 0, count: 256)
  }

  /// Fibonacci hashing: addresses differ in their low bits, pids too, and the product spreads them to the high ones.
  @inline(__always)
  private func slot(_ key: UInt64) -> Int {
    let hash = key &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: hash >> 32) & (keys.count - 1)
  }

  @inline(__always)
  subscript(key: UInt64) -> UInt32? {
    var index = slot(key)
    while values[index] != 0 {
      if keys[index] == key { return values[index] - 1 }
      index = (index + 1) & (keys.count - 1)
    }
    return nil
  }

  /// Adds `key`, which must not be there, with a value below `UInt32.max`.
  mutating func insert(_ key: UInt64, _ value: UInt32) {
    if count * 2 >= keys.count { grow() }
    var index = slot(key)
    while values[index] != 0 { index = (index + 1) & (keys.count - 1) }
    keys[index] = key
    values[index] = value + 1
    count += 1
  }

  /// Every key with its value.
  func visit(_ body: (UInt64, UInt32) -> Void) {
    for index in keys.indices where values[index] != 0 { body(keys[index], values[index] - 1) }
  }

  private mutating func grow() {
    let oldKeys = keys
    let oldValues = values
    keys = Array(repeating: 0, count: oldKeys.count * 4)
    values = Array(repeating: 0, count: oldKeys.count * 4)
    count = 0
    for index in oldKeys.indices where oldValues[index] != 0 {
      insert(oldKeys[index], oldValues[index] - 1)
    }
  }
}
