/// The empirical distribution function of a sample, as few of its steps as a drawing needs.
///
/// F(x) is the share of the values that are not above x; it rises at each value and is level in between.
public struct EmpiricalDistribution: Hashable, Sendable {
  public struct Step: Hashable, Sendable {
    /// Where the function rises.
    public var value: Double
    /// What it rises to: 1 at the last step.
    public var share: Double
  }

  /// Ascending in both; empty for an empty sample.
  public private(set) var steps: [Step] = []

  /// - Parameters:
  ///   - values: in any order; those that are not finite are left out.
  ///   - most: at least 2; of more distinct values evenly spaced ranks are kept, the first and the last among them, so
  ///     that no share is off by more than 1/most.
  public init(_ values: [Double], most: Int = 400) {
    let sorted = values.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return }
    let count = Double(sorted.count)
    for index in sorted.indices where index == sorted.count - 1 || sorted[index + 1] != sorted[index] {
      steps.append(Step(value: sorted[index], share: Double(index + 1) / count))
    }
    let most = max(2, most)
    guard steps.count > most else { return }
    let all = steps
    steps = (0..<most).map { all[$0 * (all.count - 1) / (most - 1)] }
  }
}
