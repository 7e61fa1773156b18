extension DenseColumns {
  /// The x ≥ 0 that minimizes |Ax − b|: Lawson & Hanson, Solving Least Squares Problems (1974), chapter 23, algorithm
  /// NNLS. nil if it does not end in 30 changes a column, which rounding could in principle bring about.
  func nonNegativeLeastSquares(_ b: [Double]) -> [Double]? {
    let count = columns.count
    var x = [Double](repeating: 0, count: count)
    var isFree = [Bool](repeating: false, count: count)
    let largest = columns.map { $0.reduce(0) { $0 + abs($1) } }.max() ?? 0
    let tolerance = 10 * Double.ulpOfOne * largest * Double(max(rows, count)) * max(1, DenseColumns.norm(b))
    for _ in 0..<30 * max(1, count) {
      let rest = zip(b, times(x)).map { $0 - $1 }
      var gradient = columns.indices.map { isFree[$0] ? 0 : DenseColumns.dot(columns[$0], rest) }
      // Free the column that promises most; one that would come out negative at once is passed over.
      var solution: (free: [Int], values: [Double])?
      while solution == nil {
        guard let best = gradient.indices.max(by: { gradient[$0] < gradient[$1] }), gradient[best] > tolerance
        else {
          return x
        }
        isFree[best] = true
        let free = isFree.indices.filter { isFree[$0] }
        let values = choosing(free).leastSquares(b)
        if let values, let place = free.firstIndex(of: best), values[place] > 0 {
          solution = (free, values)
        } else {
          isFree[best] = false
          gradient[best] = 0
        }
      }
      guard settle(&x, &isFree, solution, b) else { return nil }
    }
    return nil
  }

  /// Moves x to the solution over the free columns, as far as it stays positive; what reaches 0 is free no more.
  private func settle(
    _ x: inout [Double], _ isFree: inout [Bool], _ first: (free: [Int], values: [Double])?, _ b: [Double]
  ) -> Bool {
    var solution = first
    while let (free, values) = solution {
      if values.allSatisfy({ $0 > 0 }) {
        x = [Double](repeating: 0, count: x.count)
        for (index, value) in zip(free, values) { x[index] = value }
        return true
      }
      var reach = 1.0
      for (index, value) in zip(free, values) where value <= 0 {
        reach = min(reach, x[index] / (x[index] - value))
      }
      for (index, value) in zip(free, values) {
        x[index] += reach * (value - x[index])
        if value <= 0 && x[index] <= 1e-15 * abs(value) || x[index] <= 0 {
          x[index] = 0
          isFree[index] = false
        }
      }
      let left = isFree.indices.filter { isFree[$0] }
      guard left.count < free.count, let next = choosing(left).leastSquares(b) else { return false }
      solution = (left, next)
    }
    return false
  }
}
