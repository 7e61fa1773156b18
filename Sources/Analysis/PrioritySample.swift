internal import Statistics

/// A uniform sample of values of which there are too many: those with the lowest random priorities.
///
/// Samples of parts merge into one of the whole, whatever the parts and their order (bottom-k sampling: Cohen and Kaplan,
/// "Summarizing data using bottom-k sketches", PODC 2007), which a reservoir's do not.
struct PrioritySample: Sendable {
  private struct Entry: BitwiseCopyable, Comparable {
    var priority: UInt64
    var value: Double

    @inline(__always)
    static func < (a: Entry, b: Entry) -> Bool {
      a.priority != b.priority ? a.priority < b.priority : a.value < b.value
    }
  }

  private(set) var capacity: Int
  /// The sample, and up to `slack` more that are cut off all at once: each costs a few steps then, however large the sample
  /// is.
  private var entries: [Entry] = []
  /// None with a higher priority is taken.
  private var worst = UInt64.max
  private var generator = SeededGenerator(seed: 0)

  init(capacity: Int) {
    self.capacity = max(0, capacity)
  }

  /// One that gives these values, in this order.
  init(_ values: [Double], capacity: Int) {
    self.init(capacity: capacity)
    let kept = values.prefix(self.capacity)
    let step = UInt64.max / UInt64(max(1, kept.count))
    for (index, value) in kept.enumerated() { add(value, priority: UInt64(index) * step) }
  }

  /// The values, in an order that depends on nothing but them and their priorities.
  var values: [Double] { entries.sorted().prefix(capacity).map(\.value) }

  private var slack: Int { min(capacity, 1 << 12) }

  /// With a priority drawn from a generator whose seed is always the same.
  mutating func add(_ value: Double) {
    add(value, priority: generator.next())
  }

  @inline(__always)
  mutating func add(_ value: Double, priority: UInt64) {
    // Nearly all end here, once there are some.
    if priority > worst { return }
    entries.append(Entry(priority: priority, value: value))
    if entries.count > capacity + slack { cut() }
  }

  mutating func merge(_ other: PrioritySample) {
    for entry in other.entries { add(entry.value, priority: entry.priority) }
  }

  /// Keeps those that a sample of this capacity would have kept.
  mutating func lowerCapacity(to capacity: Int) {
    guard capacity < self.capacity else { return }
    self.capacity = max(0, capacity)
    if entries.count > self.capacity { cut() }
  }

  /// Leaves the sample alone.
  private mutating func cut() {
    let count = capacity
    let highest = entries.withUnsafeMutableBufferPointer { entries -> UInt64 in
      guard count > 0, count < entries.count else { return 0 }
      Self.bringLowest(count, toFrontOf: entries)
      return entries[..<count].reduce(0) { max($0, $1.priority) }
    }
    entries.removeLast(max(0, entries.count - count))
    worst = highest
  }

  /// Quickselect (Hoare, "Algorithm 65: find", CACM 4, 1961), the pivot the median of three. Priorities are as good as
  /// random, so that many steps mean something else: what is left is sorted then.
  ///
  /// - Parameter count: 1 ..< `entries.count`.
  private static func bringLowest(_ count: Int, toFrontOf entries: UnsafeMutableBufferPointer<Entry>) {
    var low = 0
    var high = entries.count - 1
    var steps = 64
    while low < high {
      if steps == 0 {
        var rest = UnsafeMutableBufferPointer(rebasing: entries[low...high])
        rest.sort()
        return
      }
      steps -= 1
      let (first, middle, last) = (entries[low], entries[low + (high - low) / 2], entries[high])
      let pivot = max(min(first, middle), min(max(first, middle), last))
      var left = low
      var right = high
      while left <= right {
        while entries[left] < pivot { left += 1 }
        while pivot < entries[right] { right -= 1 }
        if left <= right {
          entries.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      // Up to `right` none is above the pivot, from `left` on none below, and between them there are only pivots.
      if count - 1 <= right {
        high = right
      } else if count - 1 >= left {
        low = left
      } else {
        return
      }
    }
  }
}
