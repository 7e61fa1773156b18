/// What one operation costs.
public struct CostCoefficient: Sendable, Hashable {
  /// How a value came about.
  public enum Kind: String, Sendable, CaseIterable {
    /// Solved from measured durations.
    case fit
    /// Assumed: no data decide it.
    case prior
    /// Taken over from a publication as it is.
    case published
  }

  public var operation: Operation
  /// Nanoseconds an operation, not negative.
  public var nanoseconds: Double
  /// Its standard error in nanoseconds; nil: unknown.
  public var uncertainty: Double?
  public var kind: Kind
  /// Where it comes from, in words.
  public var source: String
  /// Coefficients with the same name here were determined as one weighted sum: the data know the sum, and how it is
  /// divided is a prior.
  public var sum: String?
  /// The coefficient's weight in that sum.
  public var weight: Double

  public init(
    _ operation: Operation, nanoseconds: Double, uncertainty: Double?, kind: Kind, source: String,
    sum: String? = nil,
    weight: Double = 1
  ) {
    self.operation = operation
    self.nanoseconds = nanoseconds
    self.uncertainty = uncertainty
    self.kind = kind
    self.source = source
    self.sum = sum
    self.weight = weight
  }
}

/// Nanoseconds an operation: one machine's costs, under a name. An operation without a coefficient costs nothing.
public struct CostProfile: Sendable, Hashable {
  public var name: String
  /// At most one an operation; of several, the first counts.
  public var coefficients: [CostCoefficient]

  public init(name: String, coefficients: [CostCoefficient]) {
    self.name = name
    self.coefficients = coefficients
  }

  public subscript(operation: Operation) -> CostCoefficient? {
    coefficients.first { $0.operation == operation }
  }

  /// What `counts` cost in nanoseconds: the sum over operations.
  public func price(_ counts: OperationCounts) -> Double {
    Operation.allCases.reduce(0) { $0 + Double(counts[$1]) * (self[$1]?.nanoseconds ?? 0) }
  }

  /// What part of the price falls to GUP, to the loop, to the IOMMU, to unpinning.
  public func price(_ counts: OperationCounts, part: Operation.Part) -> Double {
    Operation.allCases.reduce(0) {
      $1.part == part ? $0 + Double(counts[$1]) * (self[$1]?.nanoseconds ?? 0) : $0
    }
  }

  /// The price with what is not known about it.
  ///
  /// Two things widen it. Standard errors: coefficients of one sum err together, sums and single coefficients
  /// independently, and the interval reaches two standard errors to either side (about 95 %). And divisions that are
  /// only assumed: where the operations of a sum did not occur in the sum's proportion, every division that keeps the
  /// sum counts as possible.
  public func priceInterval(_ counts: OperationCounts) -> PriceInterval {
    var low = 0.0
    var high = 0.0
    var variance = 0.0
    var isKnown = true
    var sums: [String: [CostCoefficient]] = [:]
    for operation in Operation.allCases {
      guard let coefficient = self[operation] else { continue }
      if let sum = coefficient.sum {
        sums[sum, default: []].append(coefficient)
        continue
      }
      let count = Double(counts[operation])
      if count > 0 && coefficient.uncertainty == nil { isKnown = false }
      low += count * coefficient.nanoseconds
      high += count * coefficient.nanoseconds
      let error = count * (coefficient.uncertainty ?? 0)
      variance += error * error
    }
    // In the order of their names, so that the last digit does not depend on a hash.
    for (_, members) in sums.sorted(by: { $0.key < $1.key }) {
      let total = members.reduce(0) { $0 + $1.weight * $1.nanoseconds }
      let ratios = members.map { $0.weight > 0 ? Double(counts[$0.operation]) / $0.weight : 0 }
      low += total * (ratios.min() ?? 0)
      high += total * (ratios.max() ?? 0)
      if members.contains(where: { counts[$0.operation] > 0 && $0.uncertainty == nil }) { isKnown = false }
      let error = members.reduce(0) { $0 + Double(counts[$1.operation]) * ($1.uncertainty ?? 0) }
      variance += error * error
    }
    let reach = 2 * variance.squareRoot()
    let price = price(counts)
    return PriceInterval(
      nanoseconds: price, low: isKnown ? max(0, min(low, price) - reach) : nil,
      high: isKnown ? max(high, price) + reach : nil)
  }

  /// All costs multiplied: the same machine, faster or slower.
  public func scaled(by factor: Double, name: String) -> CostProfile {
    CostProfile(
      name: name,
      coefficients: coefficients.map { coefficient in
        var scaled = coefficient
        scaled.nanoseconds *= factor
        scaled.uncertainty = coefficient.uncertainty.map { $0 * factor }
        return scaled
      })
  }
}

/// A predicted duration in nanoseconds. `low` and `high` are nil where a coefficient's uncertainty is unknown.
public struct PriceInterval: Sendable, Hashable {
  public var nanoseconds: Double
  public var low: Double?
  public var high: Double?

  public init(nanoseconds: Double, low: Double?, high: Double?) {
    self.nanoseconds = nanoseconds
    self.low = low
    self.high = high
  }
}
