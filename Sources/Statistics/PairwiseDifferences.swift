/// The nm differences first[i] − second[j] of two samples, as an ordered list that is never written out.
///
/// The k-th smallest is found by bisection over the doubles themselves: how many differences are at most d
/// takes one walk along both samples, as in Johnson and Mizoguchi, "Selecting the Kth element in X + Y" (SIAM
/// Journal on Computing 7 (1978), 147–153), and the 64 bits of a double bound the number of walks. The result
/// is one of the differences, exactly.
struct PairwiseDifferences {
  private let first: [Double]
  private let second: [Double]

  /// - Parameters:
  ///   - first: ascending, no NaN, neither empty.
  ///   - second: ascending, no NaN, neither empty.
  init(sorted first: [Double], _ second: [Double]) {
    self.first = first
    self.second = second
  }

  var count: Int { first.count * second.count }

  /// The middle difference, or the mean of the two middle ones.
  var median: Double {
    let low = select((count + 1) / 2)
    if count % 2 == 1 { return low }
    let high = select(count / 2 + 1)
    return low == high ? low : low / 2 + high / 2
  }

  /// The k-th smallest difference, counted from 1; k is clamped to 1...nm.
  func select(_ k: Int) -> Double {
    guard let firstLow = first.first, let firstHigh = first.last, let secondLow = second.first,
      let secondHigh = second.last
    else { return .nan }
    let k = min(max(k, 1), count)
    var low = Self.key(Self.difference(firstLow, secondHigh))
    var high = Self.key(Self.difference(firstHigh, secondLow))
    // Invariant: at least k differences are at most `high`, fewer than k are below `low`.
    while low < high {
      // The floor of the average, without overflow.
      let middle = (low & high) &+ ((low ^ high) >> 1)
      if countAtMost(Self.value(middle)) >= k { high = middle } else { low = middle &+ 1 }
    }
    return Self.value(low)
  }

  private func countAtMost(_ limit: Double) -> Int {
    first.withUnsafeBufferPointer { first in
      second.withUnsafeBufferPointer { second in
        let m = second.count
        var total = 0
        var i = 0
        var j = 0
        while i < first.count {
          let x = first[i]
          // As x grows, it takes a larger y to stay within the limit.
          while j < m, Self.difference(x, second[j]) > limit { j &+= 1 }
          if j == m { break }
          total &+= m &- j
          i &+= 1
        }
        return total
      }
    }
  }

  /// Rounded, hence still monotone in x and in y; equal infinities differ by nothing.
  @inline(__always)
  private static func difference(_ x: Double, _ y: Double) -> Double {
    x == y ? 0 : x - y
  }

  /// A whole number for each double, in the same order; both zeros get 0.
  private static func key(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: value.bitPattern)
    return bits >= 0 ? bits : Int64.min &- bits
  }

  private static func value(_ key: Int64) -> Double {
    Double(bitPattern: UInt64(bitPattern: key >= 0 ? key : Int64.min &- key))
  }
}
