import Glibc

/// Counts of a sample in adjoining bins, for display.
public struct Histogram: Hashable, Sendable {
  /// Ascending, one more than there are bins, in the unit of the values; the first is the sample's minimum,
  /// the last its maximum. Empty where nothing could be binned.
  public private(set) var edges: [Double] = []
  /// Bin i holds the values from edge i up to but not including edge i + 1; the last bin includes its upper
  /// edge.
  public private(set) var counts: [Int] = []
  /// Values without a place: infinite ones and, in a logarithmic histogram, those that are not positive.
  public private(set) var excluded = 0

  public enum Scale: Hashable, Sendable {
    /// Bins of equal width.
    case linear
    /// Bins of equal ratio.
    case logarithmic
  }

  public static let maximumBins = 10_000

  /// - Parameters:
  ///   - values: in any order.
  ///   - bins: clamped to 1...`maximumBins`; one bin where all values are equal.
  ///   - scale: logarithmic leaves out what is not positive.
  public init(_ values: [Double], bins: Int, scale: Scale) {
    let usable = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
    excluded = values.count - usable.count
    guard let low = usable.min(), let high = usable.max() else { return }
    edges = Self.edges(from: low, to: high, bins: min(max(bins, 1), Self.maximumBins), scale: scale)
    counts = [Int](repeating: 0, count: edges.count - 1)
    for value in usable { counts[bin(of: value)] += 1 }
  }

  /// Freedman and Diaconis, "On the histogram as a density estimator" (Zeitschrift für
  /// Wahrscheinlichkeitstheorie 57 (1981), 453–476): bins of width 2·IQR/∛n.
  ///
  /// - Returns: within 1...`most`; Sturges's 1 + log₂ n where the quartiles coincide.
  public static func suggestedBins(_ values: [Double], scale: Scale, most: Int = 60) -> Int {
    let usable = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
    let sorted = (scale == .linear ? usable : usable.map { log($0) }).sorted()
    guard let low = sorted.first, let high = sorted.last, low < high else { return 1 }
    let width = 2 * (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / cbrt(Double(sorted.count))
    let bins = width > 0 ? (high - low) / width : 1 + log2(Double(sorted.count))
    return max(1, Int(min(bins.rounded(.up), Double(max(1, most)))))
  }

  /// Strictly ascending: edges that rounding makes equal are merged.
  private static func edges(from low: Double, to high: Double, bins: Int, scale: Scale) -> [Double] {
    guard low < high else { return [low, high] }
    var edges = [low]
    for i in 1..<max(bins, 1) {
      let fraction = Double(i) / Double(bins)
      // As weighted ends, since high − low may exceed the largest double.
      let edge =
        scale == .linear
        ? low * (1 - fraction) + high * fraction : exp(log(low) * (1 - fraction) + log(high) * fraction)
      if edge > edges[edges.count - 1], edge < high { edges.append(edge) }
    }
    edges.append(high)
    return edges
  }

  private func bin(of value: Double) -> Int {
    // The last edge that is not above the value.
    var low = 0
    var high = edges.count - 1
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if edges[middle] <= value { low = middle } else { high = middle }
    }
    return low
  }
}
