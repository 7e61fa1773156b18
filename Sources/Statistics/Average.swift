/// The sum of `values` with Neumaier's compensation (Neumaier, ZAMM 54 (1974), 39–51): the error does not
/// grow with the number of values. 0 of an empty sample; infinities and NaN come out as a plain sum gives
/// them.
public func compensatedSum(_ values: [Double]) -> Double {
  var sum = 0.0
  var compensation = 0.0
  for value in values {
    let next = sum + value
    compensation += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
    sum = next
  }
  // Infinity minus infinity in the compensation must not turn an infinite sum into NaN.
  return sum.isFinite ? sum + compensation : sum
}

/// The arithmetic mean, in the unit of the values; NaN of an empty sample.
public func mean(_ values: [Double]) -> Double {
  values.isEmpty ? .nan : compensatedSum(values) / Double(values.count)
}

/// The sample standard deviation with divisor n − 1, in the unit of the values; nil below two values, NaN
/// where a value is infinite.
///
/// Two passes with the correction of Chan, Golub and LeVeque (The American Statistician 37 (1983), 242–247),
/// so that a large common offset cancels.
public func standardDeviation(_ values: [Double]) -> Double? {
  guard values.count > 1 else { return nil }
  let center = mean(values)
  var squares = 0.0
  var residue = 0.0
  for value in values {
    let deviation = value - center
    squares += deviation * deviation
    residue += deviation
  }
  let n = Double(values.count)
  let variance = (squares - residue * residue / n) / (n - 1)
  // Not max(0, variance), which would make a zero of a NaN.
  return variance < 0 ? 0 : variance.squareRoot()
}
