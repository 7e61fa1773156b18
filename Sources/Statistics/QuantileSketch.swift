import Glibc

/// Quantiles of a stream of positive values in bounded memory, mergeable, with a stated relative error.
///
/// DDSketch: Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
/// guarantees", PVLDB 12 (2019), 2195–2205. The mapping is the logarithmic one of Datadog's sketches: with γ
/// = (1 + ε)/(1 − ε), bin i holds the values in (γⁱ⁻¹, γⁱ], and stands for 2γⁱ/(γ + 1), at most a fraction ε
/// off. Where the bins run out, the lowest are collapsed into one, and quantiles that fall there are only
/// bounded from above: 4,096 bins of 0.5 % span a factor of 6·10¹⁷, nanoseconds to nineteen years.
public struct QuantileSketch: Hashable, Sendable {
  /// ε: how far a quantile may be off, as a fraction of it.
  public let relativeError: Double
  public let maximumBins: Int

  /// Saturates, as do the bins.
  public private(set) var count: UInt64 = 0
  public private(set) var sum = 0.0
  /// +∞ while empty.
  public private(set) var minimum = Double.infinity
  /// −∞ while empty.
  public private(set) var maximum = -Double.infinity
  /// Values that have no bin: zero, negative and subnormal ones. They count as 0.
  public private(set) var zeroCount: UInt64 = 0

  private var store: CollapsingBins
  private let mapping: BinMapping

  public static let defaultRelativeError = 0.005
  public static let defaultMaximumBins = 4_096

  /// - Parameters:
  ///   - relativeError: clamped to 1e−6...0.5.
  ///   - maximumBins: 8 bytes each where they are used; clamped to 1...1,048,576.
  public init(relativeError: Double = defaultRelativeError, maximumBins: Int = defaultMaximumBins) {
    // Written so that a NaN becomes the lower bound.
    let error = relativeError > 1e-6 ? Swift.min(relativeError, 0.5) : 1e-6
    self.relativeError = error
    self.maximumBins = Swift.min(Swift.max(maximumBins, 1), 1 << 20)
    store = CollapsingBins(limit: self.maximumBins)
    mapping = BinMapping(multiplier: log(2) / log1p(2 * error / (1 - error)))
  }

  /// Adds a value; a NaN is passed over, +∞ is held as the largest finite number.
  public mutating func add(_ value: Double) {
    guard !value.isNaN else { return }
    count = count.addingSaturating(1)
    sum += value
    minimum = Swift.min(minimum, value)
    maximum = Swift.max(maximum, value)
    if value < .leastNormalMagnitude {
      zeroCount = zeroCount.addingSaturating(1)
    } else {
      store.add(1, at: index(value))
    }
  }

  /// Takes in what another sketch has seen, as if its values had been added here.
  ///
  /// - Returns: false, and nothing happens, where the relative errors differ: their bins do not match.
  @discardableResult
  public mutating func merge(_ other: QuantileSketch) -> Bool {
    guard other.relativeError == relativeError else { return false }
    count = count.addingSaturating(other.count)
    sum += other.sum
    minimum = Swift.min(minimum, other.minimum)
    maximum = Swift.max(maximum, other.maximum)
    zeroCount = zeroCount.addingSaturating(other.zeroCount)
    for bin in other.bins { store.add(bin.count, at: bin.index) }
    return true
  }

  /// The value of rank ⌊p(n − 1)⌋, counted from 0, within the relative error; the smallest and the largest
  /// value exactly.
  ///
  /// - Parameter p: clamped to [0, 1].
  /// - Returns: nil while empty.
  public func quantile(_ p: Double) -> Double? {
    guard count > 0 else { return nil }
    if !(p > 0) { return minimum }
    if p >= 1 { return maximum }
    let rank = p * Double(count - 1)
    let seen = Double(zeroCount)
    let bin = seen <= rank ? store.bin(ofRank: rank, seen: seen) : nil
    let estimate = bin.map(value) ?? 0
    return Swift.min(Swift.max(estimate, minimum), maximum)
  }

  public var mean: Double? { count > 0 ? sum / Double(count) : nil }

  // MARK: Bins

  public struct Bin: Hashable, Sendable {
    /// i: the bin holds values in (γⁱ⁻¹, γⁱ].
    public var index: Int
    public var count: UInt64

    public init(index: Int, count: UInt64) {
      self.index = index
      self.count = count
    }
  }

  /// The bins that are not empty, ascending.
  public var bins: [Bin] { store.bins }

  /// Takes up a sketch that another process wrote down.
  ///
  /// - Returns: nil where a bin lies outside of what a `Double` can reach.
  public init?(
    relativeError: Double, maximumBins: Int = defaultMaximumBins, bins: [Bin], zeroCount: UInt64, sum: Double,
    minimum: Double, maximum: Double
  ) {
    self.init(relativeError: relativeError, maximumBins: maximumBins)
    let reach = index(.leastNormalMagnitude)...index(.greatestFiniteMagnitude)
    self.zeroCount = zeroCount
    count = zeroCount
    for bin in bins {
      guard reach.contains(bin.index) else { return nil }
      store.add(bin.count, at: bin.index)
      count = count.addingSaturating(bin.count)
    }
    self.sum = sum
    self.minimum = minimum
    self.maximum = maximum
  }

  /// What is known of many whole numbers.
  public struct WholeNumbers: Sendable {
    public var minimum: Int64
    public var maximum: Int64
    /// Modulo 2⁶⁴.
    public var sum: Int64

    public init(minimum: Int64, maximum: Int64, sum: Int64) {
      self.minimum = minimum
      self.maximum = maximum
      self.sum = sum
    }
  }

  /// Adds many whole numbers; those below 1 count as 0. The same as one by one.
  ///
  /// - Parameters:
  ///   - values: any number of them.
  ///   - known: what is known of them.
  ///   - cache: kept by the caller from one time to the next, also for several sketches.
  public mutating func add(
    _ values: UnsafeBufferPointer<Int64>, _ known: WholeNumbers, _ cache: inout BinCache
  ) {
    guard !values.isEmpty else { return }
    // Where a bin might be full.
    guard count < .max - UInt64(values.count) else {
      for value in values { add(Double(value)) }
      return
    }
    if cache.relativeError != relativeError { cache = BinCache(of: self) }
    count += UInt64(values.count)
    minimum = Swift.min(minimum, Double(known.minimum))
    maximum = Swift.max(maximum, Double(known.maximum))
    // Sums below 2^53 are exact in whatever order, so that whole numbers can be added as such.
    let exact = 0x1p53
    if known.minimum >= 0, abs(sum) + Double(known.maximum) * Double(values.count) < exact,
      sum == sum.rounded()
    {
      sum += Double(known.sum)
    } else {
      for value in values { sum += Double(value) }
    }
    // Of those that have a bin.
    var least = known.minimum
    if least < 1 { least = values.reduce(.max) { $1 < 1 ? $0 : min($0, $1) } }
    guard known.maximum >= 1, least <= known.maximum else {
      zeroCount += UInt64(values.count)
      return
    }
    let mapping = mapping
    let bins = (low: mapping.index(Double(least)), high: mapping.index(Double(known.maximum)))
    zeroCount += store.withCounts(from: bins.low, to: bins.high) { counts in
      cache.count(values, mapping, &counts)
    }
  }

  /// Bins of whole numbers, so that not every one needs a logarithm: of small ones, as most durations are, by the number, of
  /// others by their leading bits.
  ///
  /// A cell is what numbers with the same exponent and the same few bits behind it share. It is narrower than a bin, so that it
  /// holds one bin's border at most, and not narrower than need be: the cells that a trace's durations fall into are at hand then.
  public struct BinCache: Sendable {
    private struct Cell {
      /// The bin at the cell's start; `Int32.min` where the cell has not been looked at.
      var index = Int32.min
      /// From here on the next bin.
      var border = 0.0

      @inline(__always)
      func bin(of value: Double) -> Int { Int(index) &+ (value >= border ? 1 : 0) }
    }

    fileprivate let relativeError: Double
    /// `unknown` where it has not been looked for, or cannot be held here.
    private var small: [Int16]
    private static let unknown = Int16.min
    private var cells: [Cell]
    /// Of the significand.
    private let bits: UInt64

    public init() {
      relativeError = .nan
      small = []
      cells = []
      bits = 0
    }

    fileprivate init(of sketch: QuantileSketch) {
      relativeError = sketch.relativeError
      // A bin is wider than 2ε, a cell as wide as 2⁻ᵇⁱᵗˢ at most. Exponents 0 to 63.
      let needed = Int((-log2(2 * sketch.relativeError)).rounded(.up))
      bits = UInt64(max(0, needed))
      small = Array(repeating: Self.unknown, count: 1 << 14)
      cells = needed <= 10 ? Array(repeating: Cell(), count: 64 << bits) : []
    }

    /// Adds 1 to the bin of each that is 1 or more.
    ///
    /// - Returns: how many are less.
    fileprivate mutating func count(
      _ values: UnsafeBufferPointer<Int64>, _ mapping: BinMapping, _ counts: inout CollapsingBins.Counts
    ) -> UInt64 {
      var zeros: UInt64 = 0
      var position = 0
      while true {
        position = countKnown(values, from: position, &counts)
        guard position < values.count else { return zeros }
        let value = values[position]
        if value < 1 { zeros += 1 } else { counts.addOne(at: bin(of: value, mapping)) }
        position += 1
      }
    }

    /// As far as they have been looked for.
    ///
    /// - Returns: where that ends.
    private func countKnown(
      _ values: UnsafeBufferPointer<Int64>, from start: Int, _ counts: inout CollapsingBins.Counts
    ) -> Int {
      let bits = bits
      return small.withUnsafeBufferPointer { small in
        cells.withUnsafeBufferPointer { cells in
          var position = start
          while position < values.count {
            let value = values[position]
            if UInt64(bitPattern: value) < UInt64(small.count) {
              // That of 0 is never known.
              let bin = small[Int(value)]
              guard bin != Self.unknown else { break }
              counts.addOne(at: Int(bin))
            } else {
              let number = Self.cell(of: Double(value), bits)
              guard value > 0, number < cells.count, cells[number].index != .min else { break }
              counts.addOne(at: cells[number].bin(of: Double(value)))
            }
            position += 1
          }
          return position
        }
      }
    }

    /// - Parameter value: 1 or more.
    private mutating func bin(of value: Int64, _ mapping: BinMapping) -> Int {
      if value < small.count {
        let bin = mapping.index(Double(value))
        small[Int(value)] = Int16(exactly: bin) ?? Self.unknown
        return bin
      }
      let number = Self.cell(of: Double(value), bits)
      guard number < cells.count else { return mapping.index(Double(value)) }
      if cells[number].index == .min { look(at: number, Double(value), mapping) }
      return cells[number].bin(of: Double(value))
    }

    /// - Parameter value: below 1 the result is no cell.
    @inline(__always)
    private static func cell(of value: Double, _ bits: UInt64) -> Int {
      Int(value.bitPattern &>> (52 &- bits)) - (1023 &<< Int(bits))
    }

    private mutating func look(at number: Int, _ value: Double, _ mapping: BinMapping) {
      let mask = (UInt64(1) << (52 - bits)) - 1
      var low = value.bitPattern & ~mask
      var high = value.bitPattern | mask
      let first = mapping.index(Double(bitPattern: low))
      cells[number].index = Int32(clamping: first)
      cells[number].border = .infinity
      guard mapping.index(Double(bitPattern: high)) != first else { return }
      while high - low > 1 {
        let middle = low + (high - low) / 2
        if mapping.index(Double(bitPattern: middle)) == first { low = middle } else { high = middle }
      }
      cells[number].border = Double(bitPattern: high)
    }
  }

  private func index(_ value: Double) -> Int { mapping.index(value) }

  private func value(_ index: Int) -> Double {
    exp2(Double(index) / mapping.multiplier) * (1 - relativeError)
  }
}

/// Which bin a value belongs to.
private struct BinMapping: Hashable, Sendable {
  /// 1 / log₂ γ.
  let multiplier: Double

  func index(_ value: Double) -> Int {
    Int((log2(min(value, .greatestFiniteMagnitude)) * multiplier).rounded(.up))
  }
}

extension UInt64 {
  func addingSaturating(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
