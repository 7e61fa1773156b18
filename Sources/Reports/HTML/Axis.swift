internal import Glibc

/// An axis of durations or of times: from values to places, with the marks that a reader needs.
struct Axis {
  struct Tick {
    /// 0 at the low end, 1 at the high one.
    var place: Double
    var label: String
  }

  /// The ends, nanoseconds (or ticks of a clock).
  let low: Double
  let high: Double
  let isLogarithmic: Bool
  let ticks: [Tick]

  /// Values further apart than this stand on a logarithmic axis.
  static let widest = 20.0

  /// - Parameters:
  ///   - values: at least one; a logarithmic axis leaves out those that are not above 0.
  ///   - isTime: labels are durations; else plain numbers.
  ///   - most: about how many marks there is room for.
  init(
    _ values: some Sequence<Double>, allowsLogarithm: Bool = true, fromZero: Bool = false,
    isTime: Bool = true,
    most: Int = 6
  ) {
    var least = Double.infinity
    var greatest = -Double.infinity
    var leastPositive = Double.infinity
    for value in values where value.isFinite {
      least = min(least, value)
      greatest = max(greatest, value)
      if value > 0 { leastPositive = min(leastPositive, value) }
    }
    if !least.isFinite { (least, greatest) = (0, 1) }
    if fromZero { least = min(0, least) }
    isLogarithmic =
      allowsLogarithm && !fromZero && leastPositive.isFinite && greatest / leastPositive > Self.widest
    if isLogarithmic {
      let pad = pow(greatest / leastPositive, 0.03)
      low = leastPositive / pad
      high = greatest * pad
      ticks = Self.logarithmicTicks(low, high, isTime: isTime, most: most)
    } else {
      let extent = greatest > least ? greatest - least : max(abs(greatest) * 0.1, 1)
      low = fromZero ? least : max(least >= 0 ? 0 : -.infinity, least - extent * 0.05)
      high = greatest + extent * (fromZero ? 0.02 : 0.05)
      ticks = Self.linearTicks(low, high, isTime: isTime, most: most)
    }
  }

  /// 0 at the low end, 1 at the high one; what lies beyond an end is put at it.
  func place(_ value: Double) -> Double {
    Self.place(value, low, high, isLogarithmic)
  }

  private static func place(_ value: Double, _ low: Double, _ high: Double, _ isLogarithmic: Bool) -> Double {
    guard high > low else { return 0.5 }
    let place =
      isLogarithmic
      ? (value > 0 ? log(value / low) / log(high / low) : 0) : (value - low) / (high - low)
    return min(1, max(0, place))
  }

  /// Every 1, 2 or 5 times a power of ten.
  private static func linearTicks(_ low: Double, _ high: Double, isTime: Bool, most: Int) -> [Tick] {
    let rough = (high - low) / Double(max(1, most))
    guard rough > 0, rough.isFinite else { return [] }
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? 10 * power
    let (unit, scale) = isTime ? unit(for: max(abs(low), abs(high))) : ("", 1)
    let decimals = max(0, min(9, -Int(floor(log10(step / scale) + 1e-9))))
    var ticks: [Tick] = []
    var index = (low / step).rounded(.up)
    while index * step <= high * (1 + 1e-12), ticks.count <= 2 * most {
      let text = Figures.fixed(index * step / scale, decimals)
      ticks.append(
        Tick(place: place(index * step, low, high, false), label: unit.isEmpty ? text : "\(text) \(unit)"))
      index += 1
    }
    return ticks
  }

  /// Powers of ten, with 2 and 5 times them where there is room.
  private static func logarithmicTicks(_ low: Double, _ high: Double, isTime: Bool, most: Int) -> [Tick] {
    let (first, last) = (Int(floor(log10(low))), Int(ceil(log10(high))))
    func values(_ factors: [Double], every: Int) -> [Double] {
      stride(from: first, through: last, by: every).flatMap { exponent in
        factors.map { $0 * pow(10, Double(exponent)) }
      }.filter { $0 >= low && $0 <= high }
    }
    let choices =
      [values([1, 2, 5], every: 1), values([1, 3], every: 1), values([1], every: 1), values([1], every: 2)]
      + [values([1], every: 3)]
    let chosen = choices.first { $0.count <= most } ?? choices[choices.count - 1]
    return chosen.map { value in
      let (unit, scale) = isTime ? unit(for: value * 1.0001) : ("", 1)
      let text = Figures.significant(value / scale, 1)
      return Tick(place: place(value, low, high, true), label: unit.isEmpty ? text : "\(text) \(unit)")
    }
  }

  private static func unit(for value: Double) -> (String, Double) {
    switch value {
    case 1e9...: ("s", 1e9)
    case 1e6...: ("ms", 1e6)
    case 1e3...: ("µs", 1e3)
    default: ("ns", 1)
    }
  }
}
