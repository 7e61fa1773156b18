/// p-values adjusted for the number of hypotheses: Holm, "A simple sequentially rejective multiple test
/// procedure", Scandinavian Journal of Statistics 6 (1979), 65–70.
///
/// With k p-values, the one of rank r (from 1, ascending) becomes the largest of (k − s + 1)·p₍ₛ₎ over s ≤ r,
/// at most 1. Rejecting where the result is ≤ α keeps the chance of even one false rejection ≤ α, whatever
/// the dependence.
///
/// - Parameter pValues: no NaN; leave out hypotheses that were not tested.
/// - Returns: in the order of the input.
public func holm(_ pValues: [Double]) -> [Double] {
  var adjusted = pValues
  var largest = 0.0
  for (position, index) in ascendingOrder(pValues).enumerated() {
    largest = max(largest, Double(pValues.count - position) * pValues[index])
    adjusted[index] = min(1, largest)
  }
  return adjusted
}

/// The level αᵢ at which Holm's procedure tests each hypothesis, and at which its confidence interval is to
/// be computed so that interval and procedure agree.
///
/// The hypothesis of rank r among k is tested at α / (k − r + 1), and only if all before it were rejected;
/// the procedure stops at the first that is not. Every hypothesis behind that one gets its level, at which it
/// would not be rejected either. So p ≤ αᵢ holds exactly where the adjusted p-value is ≤ α, and an interval
/// of confidence 1 − αᵢ that belongs to the same test excludes "no difference" exactly where Holm rejects.
/// Equal p-values share the smallest of their ranks. Such intervals are not simultaneous: the chance that one
/// of them misses its true value may exceed α; what stays ≤ α is the chance of claiming a difference,
/// anywhere, where there is none.
///
/// - Parameters:
///   - pValues: no NaN.
///   - alpha: the level of all together.
/// - Returns: in the order of the input.
public func holmLevels(_ pValues: [Double], alpha: Double) -> [Double] {
  var levels = pValues
  var level = alpha / Double(max(1, pValues.count))
  var hasStopped = false
  var previous: Double?
  for (position, index) in ascendingOrder(pValues).enumerated() {
    let p = pValues[index]
    if !hasStopped, p != previous { level = alpha / Double(pValues.count - position) }
    if p > level { hasStopped = true }
    levels[index] = level
    previous = p
  }
  return levels
}

private func ascendingOrder(_ values: [Double]) -> [Int] {
  values.indices.sorted { values[$0] < values[$1] }
}
