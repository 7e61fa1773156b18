// For its link line only: an optimized squareRoot() calls sqrt, which is in libm.
internal import Glibc

/// A small dense matrix as its columns, and the few things that a least-squares fit needs. Sizes are tens, not
/// thousands.
struct DenseColumns {
  var rows: Int
  var columns: [[Double]]

  static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }

  static func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }

  /// `self` times `x`.
  func times(_ x: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: rows)
    for (column, factor) in zip(columns, x) where factor != 0 {
      for row in 0..<rows { result[row] += column[row] * factor }
    }
    return result
  }

  /// The columns `chosen`.
  func choosing(_ chosen: [Int]) -> DenseColumns {
    DenseColumns(rows: rows, columns: chosen.map { columns[$0] })
  }

  /// R of a Householder QR, with the same reflections done to `b` (Golub & Van Loan, Matrix Computations, 5.2).
  private func triangularized(_ b: [Double]) -> (r: [[Double]], b: [Double]) {
    var r = columns
    var b = b
    for k in 0..<min(rows, columns.count) {
      var v = r[k]
      for row in 0..<k { v[row] = 0 }
      let length = DenseColumns.norm(v)
      guard length > 0 else { continue }
      v[k] += v[k] < 0 ? -length : length
      let square = DenseColumns.dot(v, v)
      func reflect(_ x: inout [Double]) {
        let factor = 2 * DenseColumns.dot(v, x) / square
        for row in k..<rows { x[row] -= factor * v[row] }
      }
      for column in k..<columns.count { reflect(&r[column]) }
      reflect(&b)
    }
    return (r, b)
  }

  /// The x that minimizes |Ax − b|; nil where the columns are linearly dependent, or more than the rows.
  func leastSquares(_ b: [Double]) -> [Double]? {
    let count = columns.count
    guard count <= rows else { return nil }
    let (r, q) = triangularized(b)
    var x = [Double](repeating: 0, count: count)
    for k in stride(from: count - 1, through: 0, by: -1) {
      var rest = q[k]
      for column in k + 1..<max(count, k + 1) { rest -= r[column][k] * x[column] }
      guard abs(r[k][k]) > 1e-13 * DenseColumns.norm(columns[k]) else { return nil }
      x[k] = rest / r[k][k]
    }
    return x
  }

  /// The diagonal of (AᵀA)⁻¹: one over the squared length of what of a column is orthogonal to all others.
  func inverseGramDiagonal() -> [Double?] {
    columns.indices.map { index in
      let others = choosing(columns.indices.filter { $0 != index })
      guard let fit = others.leastSquares(columns[index]) else { return nil }
      let rest = zip(columns[index], others.times(fit)).map { $0 - $1 }
      let square = DenseColumns.dot(rest, rest)
      return square > 1e-24 * DenseColumns.dot(columns[index], columns[index]) ? 1 / square : nil
    }
  }

  /// Singular values, largest first, and the right singular vectors, by one-sided Jacobi rotations (Hestenes; Golub &
  /// Van Loan, 8.6.3).
  func singularValues() -> (values: [Double], vectors: [[Double]]) {
    let count = columns.count
    var u = columns
    var v = (0..<count).map { index in (0..<count).map { $0 == index ? 1.0 : 0 } }
    for _ in 0..<60 {
      var isDone = true
      for p in 0..<count {
        for q in p + 1..<max(count, p + 1) {
          let (alpha, beta) = (DenseColumns.dot(u[p], u[p]), DenseColumns.dot(u[q], u[q]))
          let gamma = DenseColumns.dot(u[p], u[q])
          guard abs(gamma) > 1e-15 * (alpha * beta).squareRoot(), gamma != 0 else { continue }
          isDone = false
          let zeta = (beta - alpha) / (2 * gamma)
          let tangent = (zeta < 0 ? -1 : 1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
          let cosine = 1 / (1 + tangent * tangent).squareRoot()
          DenseColumns.rotate(&u, p, q, cosine, cosine * tangent)
          DenseColumns.rotate(&v, p, q, cosine, cosine * tangent)
        }
      }
      if isDone { break }
    }
    let order = u.indices.map { (value: DenseColumns.norm(u[$0]), index: $0) }.sorted { $0.value > $1.value }
    return (order.map(\.value), order.map { v[$0.index] })
  }

  private static func rotate(_ x: inout [[Double]], _ p: Int, _ q: Int, _ cosine: Double, _ sine: Double) {
    for row in x[p].indices {
      let (a, b) = (x[p][row], x[q][row])
      x[p][row] = cosine * a - sine * b
      x[q][row] = sine * a + cosine * b
    }
  }
}
