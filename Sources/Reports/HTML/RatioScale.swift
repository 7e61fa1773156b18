internal import Analysis
internal import Glibc
internal import Statistics

/// Speedups on a logarithmic axis, on which twice as fast and twice as slow are equally far from no change.
struct RatioScale {
  /// Beyond this only estimates widen the axis of several functions.
  private static let widest = 4.0

  private let low: Double
  private let high: Double
  private let sameWithin: Double
  private let gates: [Double]

  init(_ comparison: Comparison, _ functions: some Sequence<FunctionComparison>) {
    sameWithin = comparison.request.sameWithin
    let gates = comparison.request.gates
    self.gates = [gates.maxSlowdown.map { 1 / (1 + $0) }, gates.minSpeedup].compactMap { $0 }
    var ends: [Double] = [1 / (1 + sameWithin), 1 + sameWithin] + self.gates
    for function in functions {
      ends += [function.speedup, function.decisionInterval?.lower, function.decisionInterval?.upper]
        .compactMap { $0 }
      ends += [function.interval?.lower, function.interval?.upper].compactMap { $0 }
    }
    let usable = ends.filter { $0.isFinite && $0 > 0 }
    var (least, greatest) = (usable.min() ?? 0.5, usable.max() ?? 2)
    // Of many functions one that nothing is known of shall not make all others a point.
    let estimates = functions.map(\.speedup).filter { $0.isFinite && $0 > 0 }
    if estimates.count > 1, let slowest = estimates.min(), let fastest = estimates.max() {
      least = max(least, min(slowest / 1.5, 1 / Self.widest))
      greatest = min(greatest, max(fastest * 1.5, Self.widest))
    }
    let pad = pow(greatest / least, 0.06)
    low = max(1e-6, least / pad)
    high = min(1e6, greatest * pad)
  }

  static let caption =
    "Before over after, logarithmic. Dot: estimate; thick: its interval; thin: what the verdict looks at; shaded: the same."

  private func percent(_ ratio: Double) -> Double {
    guard ratio > 0, high > low else { return 50 }
    return min(100, max(0, log(ratio / low) / log(high / low) * 100))
  }

  private func marks(_ function: FunctionComparison, _ height: Double) -> Markup {
    let middle = height / 2
    let band = (percent(1 / (1 + sameWithin)), percent(1 + sameWithin))
    var result: Markup = """
      <rect class="band" x="\(band.0)%" width="\(max(0.2, band.1 - band.0))%" y="0" height="\(height)"/>\
      <line class="one" x1="\(percent(1))%" x2="\(percent(1))%" y1="0" y2="\(height)"/>
      """
    for gate in gates {
      result +=
        "<line class=\"gate\" x1=\"\(percent(gate))%\" x2=\"\(percent(gate))%\" y1=\"0\" y2=\"\(height)\"/>"
    }
    for (interval, style) in [(function.decisionInterval, "reach"), (function.interval, "sure")]
      as [(ConfidenceInterval?, String)]
    {
      guard let interval else { continue }
      result += """
        <line class="\(style)" x1="\(percent(interval.lower))%" x2="\(percent(interval.upper))%" y1="\(middle)" y2="\(middle)"/>
        """
    }
    return """
      \(result)<circle class="estimate" cx="\(percent(function.speedup))%" cy="\(middle)" r="4.5"/>
      """
  }

  private func words(_ function: FunctionComparison) -> String {
    let interval = function.intervalText(function.interval).map { ", interval \($0)" } ?? ", no interval"
    return "speedup \(Figures.significant(function.speedup, 4))\(interval)"
  }

  /// For a row of a table.
  func row(_ function: FunctionComparison) -> Markup {
    "<svg class=\"small ratio\" height=\"18\" role=\"img\" aria-label=\"\(words(function))\">\(marks(function, 18))</svg>"
  }

  /// With an axis.
  func chart(_ function: FunctionComparison) -> Markup {
    let height = 44.0
    var axis: Markup = ""
    for (index, tick) in ticks.enumerated() {
      let place = percent(tick)
      let odd: Markup = index % 2 == 1 ? " odd" : ""
      axis += """
        <line class="grid" x1="\(place)%" x2="\(place)%" y1="\(height)" y2="\(height + 4)"/>\
        <text class="tick\(odd)" x="\(place)%" y="\(height + 18)" text-anchor="middle">\(Figures.significant(tick, 2).trimmingZeros)×</text>

        """
    }
    return """
      <svg class="plot ratio" role="img" aria-label="\(words(function))" height="\(height + 26)">\
      \(marks(function, height))<line class="axis" x1="0" x2="100%" y1="\(height)" y2="\(height)"/>\(axis)</svg>

      """
  }

  private var ticks: [Double] {
    let all: [Double] = [0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1_000]
    let near: [Double] = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 2.5, 3, 4, 5]
    let close: [Double] = [0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08, 1.1]
    let choice = high / low > 12 ? all : (high / low > 1.25 ? near : close)
    return choice.filter { $0 >= low && $0 <= high }
  }
}
