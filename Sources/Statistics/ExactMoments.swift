/// Count, mean and spread of whole numbers, from their exact sum and sum of squares: the same in whatever order they come,
/// and however they were divided among several of these.
///
/// What is too large or less than nothing is summed up as `Moments` do.
public struct ExactMoments: Sendable {
  /// Of larger ones the squares of as many as have a sum may not fit.
  public static let largest: Int64 = 1 << 52

  private var count: UInt64 = 0
  private var sum: Int64 = 0
  /// Below `largest` times `Int64.max`.
  private var squares: UInt128 = 0
  private var rest = Moments()

  public init() {}

  /// Takes up what another process wrote.
  public init(_ moments: Moments) {
    rest = moments
  }

  public mutating func add(_ value: Int64) {
    guard count(1, sum: value, least: value, greatest: value) else {
      rest.add(Double(value))
      return
    }
    squares &+= UInt128(value.magnitude) &* UInt128(value.magnitude)
  }

  /// Some values at once.
  ///
  /// - Parameters:
  ///   - values: not many: their sum fits.
  ///   - sum: of the values.
  ///   - least: of the values.
  ///   - greatest: of the values.
  public mutating func add(_ values: UnsafeBufferPointer<Int64>, sum: Int64, least: Int64, greatest: Int64) {
    guard count(values.count, sum: sum, least: least, greatest: greatest) else {
      for value in values { add(value) }
      return
    }
    // Squares of 28 bits: 256 of them fit into 64, and a processor makes several at once.
    if greatest < 1 << 28, values.count <= 256 {
      var some: UInt64 = 0
      for value in values {
        let short = UInt64(UInt32(truncatingIfNeeded: value))
        some &+= short &* short
      }
      squares &+= UInt128(some)
    } else {
      for value in values { squares &+= UInt128(value.magnitude) &* UInt128(value.magnitude) }
    }
  }

  /// False, and nothing counted, where these do not fit.
  private mutating func count(_ values: Int, sum: Int64, least: Int64, greatest: Int64) -> Bool {
    let (total, overflow) = self.sum.addingReportingOverflow(sum)
    guard least >= 0, greatest <= Self.largest, !overflow else { return false }
    count += UInt64(values)
    self.sum = total
    return true
  }

  public mutating func merge(_ other: ExactMoments) {
    let (total, overflow) = sum.addingReportingOverflow(other.sum)
    if overflow {
      rest.merge(other.moments)
      return
    }
    count += other.count
    sum = total
    squares &+= other.squares
    rest.merge(other.rest)
  }

  public var moments: Moments {
    guard count > 0 else { return rest }
    // About the whole number next to the mean, exactly; the rest is at most half of it.
    let values = Int64(clamping: count)
    let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: values)
    let isUp = remainder > values / 2
    let center = UInt128(quotient + (isUp ? 1 : 0))
    let about = squares &+ center &* center &* UInt128(count) &- 2 &* center &* UInt128(sum)
    let difference = Double(isUp ? remainder - values : remainder)
    var result = Moments(
      count: count, mean: Double(sum) / Double(count),
      squaredDeviations: Double(about) - difference * (difference / Double(count)))
    result.merge(rest)
    return result
  }

  public var standardDeviation: Double? { moments.standardDeviation }
}
