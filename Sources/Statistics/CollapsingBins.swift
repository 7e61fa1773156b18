/// Counts by bin index in a dense array of bounded length; the lowest bins give way to the highest.
///
/// What is kept depends on the values only, not on their order: the highest bin seen and the `limit − 1`
/// below it, everything lower in the lowest of these.
struct CollapsingBins: Hashable, Sendable {
  /// At least 1.
  private let limit: Int
  /// Of `counts[0]`.
  private var lowest = 0
  private var counts: [UInt64] = []

  /// By what is counted; how much of the array is in use depends on the order of arrival.
  static func == (a: CollapsingBins, b: CollapsingBins) -> Bool {
    a.limit == b.limit && a.bins == b.bins
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(bins)
  }

  init(limit: Int) {
    self.limit = limit
  }

  /// Those that are not empty, ascending.
  var bins: [QuantileSketch.Bin] {
    counts.indices.compactMap { i in
      counts[i] > 0 ? QuantileSketch.Bin(index: lowest + i, count: counts[i]) : nil
    }
  }

  /// The bin at which the counts, from the lowest bin on, come to more than `rank`, or the highest that is not empty.
  ///
  /// - Parameter seen: what was counted below them.
  func bin(ofRank rank: Double, seen: Double) -> Int? {
    var seen = seen
    var found: Int?
    for (slot, count) in counts.enumerated() where count > 0 {
      seen += Double(count)
      found = lowest + slot
      if seen > rank { break }
    }
    return found
  }

  /// - Parameter index: far from the ends of `Int`, as logarithms are.
  mutating func add(_ count: UInt64, at index: Int) {
    guard count > 0 else { return }
    reach(index)
    let slot = max(0, index - lowest)
    counts[slot] = counts[slot].addingSaturating(count)
  }

  /// Has a slot for `index`, unless it is too low for one.
  private mutating func reach(_ index: Int) {
    if counts.isEmpty {
      lowest = index
      counts = [0]
    } else if index < lowest {
      extendDown(to: index)
    } else if index - lowest >= counts.count {
      extendUp(to: index)
    }
  }

  /// The bins, to add to many of them.
  struct Counts {
    fileprivate let lowest: Int
    fileprivate let counts: UnsafeMutableBufferPointer<UInt64>

    /// The lowest one takes what is lower.
    ///
    /// - Parameter index: of a bin that is not full.
    @inline(__always)
    mutating func addOne(at index: Int) {
      let slot = index &- lowest
      if UInt(bitPattern: slot) < UInt(bitPattern: counts.count) {
        counts[slot] &+= 1
      } else {
        counts[slot < 0 ? 0 : counts.count - 1] &+= 1
      }
    }
  }

  /// Has slots for bins from `low` to `high`, as far as there is room for the low ones.
  ///
  /// - Parameter body: called with them; they are valid during the call only.
  mutating func withCounts<Result>(from low: Int, to high: Int, _ body: (inout Counts) -> Result) -> Result {
    reach(high)
    reach(low)
    let lowest = self.lowest
    return counts.withUnsafeMutableBufferPointer {
      var counts = Counts(lowest: lowest, counts: $0)
      return body(&counts)
    }
  }

  private mutating func extendDown(to index: Int) {
    let room = min(limit - counts.count, lowest - index)
    guard room > 0 else { return }
    counts.insert(contentsOf: repeatElement(0, count: room), at: 0)
    lowest -= room
  }

  private mutating func extendUp(to index: Int) {
    let excess = index - lowest + 1 - limit
    if excess > 0 {
      let collapsed = min(excess, counts.count)
      let sum = counts[..<collapsed].reduce(UInt64(0)) { $0.addingSaturating($1) }
      counts.removeFirst(collapsed)
      lowest += excess
      if counts.isEmpty { counts.append(0) }
      counts[0] = counts[0].addingSaturating(sum)
    }
    counts.append(contentsOf: repeatElement(0, count: max(0, index - lowest + 1 - counts.count)))
  }
}
