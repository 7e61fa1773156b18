/// Memory of values without references that grows at its end. Access is not checked: indices are the owner's own numbers,
/// never a file's.
final class GrowingTable<Element: BitwiseCopyable> {
  /// Changes when the table grows.
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private(set) var capacity: Int

  init(capacity: Int = 16) {
    self.capacity = max(1, capacity)
    base = Self.allocate(self.capacity)
  }

  init(repeating element: Element, count: Int) {
    capacity = max(1, count)
    base = Self.allocate(capacity)
    base.initialize(repeating: element, count: count)
    self.count = count
  }

  /// From the start of a line of the cache on.
  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Element> {
    UnsafeMutableRawPointer.allocate(
      byteCount: capacity * MemoryLayout<Element>.stride, alignment: max(64, MemoryLayout<Element>.alignment)
    ).bindMemory(to: Element.self, capacity: capacity)
  }

  deinit {
    base.deallocate()
  }

  func append(_ element: Element) {
    reserve(count + 1)
    base[count] = element
    count += 1
  }

  /// Room for `needed` elements in all.
  func reserve(_ needed: Int) {
    guard needed > capacity else { return }
    let old = base
    capacity = max(needed, 2 * capacity)
    base = Self.allocate(capacity)
    base.update(from: old, count: count)
    old.deallocate()
  }

  /// The index of the first element for which `isBehind` holds, of a table in which it holds for all behind it.
  @inline(__always)
  func partition(_ isBehind: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if isBehind(base[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  func removeLast() { count -= 1 }
  func removeAll() { count = 0 }

  /// For those who have written behind `count` within `capacity`, or want less.
  func setCount(_ count: Int) { self.count = count }
}
