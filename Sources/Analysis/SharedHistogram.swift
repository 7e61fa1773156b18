internal import Glibc

/// How several samples fall into the same ranges, so that they can be drawn below one another.
public struct SharedHistogram: Sendable, Hashable {
  public var low: Double
  public var high: Double
  /// The ranges are equally wide in logarithms: where the largest value is more than ten times the smallest.
  public var isLogarithmic: Bool
  /// By sample and range; a value on an edge counts in the upper range, the largest in the last one.
  public var counts: [[Int]]

  /// - Parameters:
  ///   - samples: may be empty.
  ///   - bins: at least 1.
  /// - Returns: nil without values, or where all are the same.
  public init?(_ samples: [[Double]], bins: Int) {
    let all = samples.joined()
    guard let low = all.min(), let high = all.max(), low < high, low.isFinite, high.isFinite, bins > 0 else {
      return nil
    }
    self.low = low
    self.high = high
    let isLogarithmic = low > 0 && high / low > 10
    self.isLogarithmic = isLogarithmic
    counts = samples.map { sample in
      var counts = [Int](repeating: 0, count: bins)
      for value in sample {
        let place = isLogarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
        counts[max(0, min(bins - 1, Int(place * Double(bins))))] += 1
      }
      return counts
    }
  }
}
