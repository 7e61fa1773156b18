internal import FunctionGraph
internal import Statistics

/// A uniform sample of values of which there are too many: those with the lowest random priorities.
///
/// Samples of parts merge into one of the whole, whatever the parts and their order (bottom-k sampling: Cohen and Kaplan,
/// "Summarizing data using bottom-k sketches", PODC 2007), which a reservoir's do not.
struct PrioritySample: Sendable {
  struct Entry: BitwiseCopyable, Comparable {
    var priority: UInt64
    var value: Double

    @inline(__always)
    static func < (a: Entry, b: Entry) -> Bool {
      a.priority != b.priority ? a.priority < b.priority : a.value < b.value
    }
  }

  private(set) var capacity: Int
  /// The sample, and up to `slack` and a batch more that are cut off all at once: each costs a few steps then, however large the sample
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

  /// Adds those of many that may be taken.
  ///
  /// - Parameter scratch: room for as many; kept by the caller from one time to the next.
  mutating func add(
    _ durations: UnsafeBufferPointer<TimedDuration>, _ scratch: inout [Entry],
    priority: (TimedDuration) -> UInt64
  ) {
    let worst = worst
    if scratch.count < durations.count {
      scratch = Array(repeating: Entry(priority: 0, value: 0), count: durations.count)
    }
    scratch.withUnsafeMutableBufferPointer { taken in
      var count = 0
      // Without a branch: it cannot be foretold which are.
      for timed in durations {
        let priority = priority(timed)
        taken[count] = Entry(priority: priority, value: Double(timed.duration))
        count &+= priority <= worst ? 1 : 0
      }
      entries.append(contentsOf: UnsafeBufferPointer(rebasing: taken[..<count]))
    }
    if entries.count > capacity + slack { cut() }
  }

  mutating func merge(_ other: PrioritySample) {
    let bound = worst
    let first = entries.count
    entries += other.entries
    let kept = entries.withUnsafeMutableBufferPointer { Self.leaveOut(above: bound, from: first, of: $0) }
    entries.removeLast(entries.count - kept)
    if entries.count > capacity + slack { cut() }
  }

  /// Keeps those that a sample of this capacity would have kept.
  mutating func lowerCapacity(to capacity: Int) {
    guard capacity < self.capacity else { return }
    self.capacity = max(0, capacity)
    if entries.count > self.capacity { cut() }
  }

  /// Leaves the sample, and few more.
  private mutating func cut() {
    let count = capacity
    let highest = worst
    let (kept, bound) = entries.withUnsafeMutableBufferPointer { entries -> (Int, UInt64) in
      guard count > 0, count < entries.count else { return (min(count, entries.count), 0) }
      if let (kept, bound) = Self.sieve(count, outOf: entries, below: highest) { return (kept, bound) }
      Self.bringLowest(count, toFrontOf: entries)
      return (count, entries[..<count].reduce(0) { max($0, $1.priority) })
    }
    entries.removeLast(entries.count - kept)
    worst = bound
  }

  /// Keeps those whose priority is not above one that is estimated to have `count` and few more below it: of random numbers
  /// one pass tells, without a branch that depends on them.
  ///
  /// - Parameter highest: none has a higher priority.
  /// - Returns: how many were kept, and the priority that was estimated; nil, and nothing lost, where that was no good.
  private static func sieve(
    _ count: Int, outOf entries: UnsafeMutableBufferPointer<Entry>, below highest: UInt64
  ) -> (kept: Int, bound: UInt64)? {
    // Three standard deviations of how many of so many are below it.
    let share = Double(count) / Double(entries.count)
    let margin = 3 * (share * (1 - share) * Double(entries.count)).squareRoot()
    let part = (Double(count) + margin) / Double(entries.count)
    guard part < 0.9 else { return nil }
    let bound = UInt64(Double(highest) * part)
    let expected = entries.reduce(0) { $0 + ($1.priority <= bound ? 1 : 0) }
    guard expected >= count else { return nil }
    return (leaveOut(above: bound, from: 0, of: entries), bound)
  }

  /// Leaves those out from `first` on whose priority is higher.
  ///
  /// - Returns: how many there are then.
  private static func leaveOut(
    above bound: UInt64, from first: Int, of entries: UnsafeMutableBufferPointer<Entry>
  ) -> Int {
    var kept = first
    for index in first..<entries.count {
      let entry = entries[index]
      entries[kept] = entry
      kept += entry.priority <= bound ? 1 : 0
    }
    return kept
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
