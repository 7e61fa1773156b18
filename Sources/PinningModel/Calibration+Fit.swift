extension Calibration {
  /// Determines costs from durations: non-negative least squares on relative errors, so that each duration counts the
  /// same however long it is.
  /// - Parameters:
  ///   - observations: durations, each with what was mapped.
  ///   - held: operations whose cost is taken from `prior` and not fitted.
  ///   - prior: divides sums that the data do not divide.
  ///   - name: of the profile that comes out.
  public static func fit(
    _ observations: [CalibrationObservation], holding held: [Operation] = [], prior: CostProfile? = nil,
    name: String = "calibrated"
  ) throws(CalibrationError) -> Calibration {
    for observation in observations { try check(observation) }
    let equations = Equations(observations, held: held, prior: prior)
    let groups = equations.groups
    guard !groups.isEmpty else { throw .nothingToFit }
    guard observations.count >= groups.count else {
      throw .tooFewEquations(equations: observations.count, unknowns: groups.map { equations.name(of: $0) })
    }
    let scales = groups.map { DenseColumns.norm(equations.columns[$0.first].values) }
    let matrix = DenseColumns(
      rows: observations.count,
      columns: zip(groups, scales).map { group, scale in
        equations.columns[group.first].values.map { $0 / scale }
      })
    guard let scaled = matrix.nonNegativeLeastSquares(equations.right) else { throw .noConvergence }

    let fitted = zip(equations.heldPrices, zip(matrix.times(scaled), observations)).map { held, rest in
      held + rest.0 * rest.1.nanoseconds
    }
    let residuals = zip(observations, fitted).map {
      Residual(label: $0.label, measured: $0.nanoseconds, fitted: $1)
    }
    let freedom = observations.count - groups.count
    let error = relativeError(observations, residuals, freedom)
    let (mixed, condition) = nullSpace(matrix, groups.map { equations.name(of: $0) })
    let inverse = matrix.inverseGramDiagonal()
    let terms = groups.indices.map { index in
      let spread = inverse[index].flatMap { square in error.map { $0 * square.squareRoot() / scales[index] } }
      return Term(
        columns: equations.weights(of: groups[index]), nanoseconds: scaled[index] / scales[index],
        uncertainty: spread)
    }
    var result = Calibration(
      terms: terms, residuals: residuals, conditionNumber: condition,
      indistinguishable: groups.filter { $0.members.count > 1 }.map {
        $0.members.map { equations.columns[$0].name }
      },
      mixed: mixed, degreesOfFreedom: freedom, relativeError: error,
      profile: CostProfile(name: name, coefficients: []), extra: [:])
    result.divide(equations, prior: prior, held: held, durations: observations.count)
    return result
  }

  private static func check(_ observation: CalibrationObservation) throws(CalibrationError) {
    let duration = observation.nanoseconds
    guard duration.isFinite, duration > 0 else {
      throw .invalidValue(label: observation.label, what: "duration", value: duration)
    }
    if let error = observation.relativeError, !error.isFinite || error < 0 {
      throw .invalidValue(label: observation.label, what: "relative error", value: error)
    }
    for operation in Operation.allCases where observation.counts[operation] < 0 {
      throw .invalidValue(
        label: observation.label, what: operation.rawValue, value: Double(observation.counts[operation]))
    }
    for (name, count) in observation.extra.sorted(by: { $0.key < $1.key }) where !count.isFinite || count < 0
    {
      throw .invalidValue(label: observation.label, what: name, value: count)
    }
  }

  /// From the residuals, but never below what the durations' own errors say.
  private static func relativeError(
    _ observations: [CalibrationObservation], _ residuals: [Residual], _ freedom: Int
  ) -> Double? {
    let given = observations.compactMap(\.relativeError)
    let own =
      given.count == observations.count
      ? (given.reduce(0) { $0 + $1 * $1 } / Double(given.count)).squareRoot() : nil
    guard freedom > 0 else { return own }
    let square = residuals.reduce(0) { $0 + $1.relative * $1.relative } / Double(freedom)
    return max(own ?? 0, square.squareRoot())
  }

  /// Terms that take part in a combination without effect, and the condition number.
  private static func nullSpace(_ matrix: DenseColumns, _ names: [String]) -> (
    mixed: [[String]], condition: Double
  ) {
    let (values, vectors) = matrix.singularValues()
    guard let largest = values.first, let smallest = values.last, largest > 0 else { return ([], .infinity) }
    var mixed: [[String]] = []
    for (value, vector) in zip(values, vectors) where value <= 1e-10 * largest {
      mixed.append(names.indices.filter { abs(vector[$0]) > 1e-6 }.map { names[$0] })
    }
    return (mixed, mixed.isEmpty ? largest / smallest : .infinity)
  }

  /// Gives each operation its share of its term.
  private mutating func divide(
    _ equations: Equations, prior: CostProfile?, held: [Operation], durations: Int
  ) {
    for (group, term) in zip(equations.groups, terms) {
      let members = zip(group.members, term.columns.map(\.weight)).map { (equations.columns[$0], $1) }
      let shares = members.map { column, _ in column.operation.flatMap { prior?[$0]?.nanoseconds } }
      var weighted = zip(members, shares).reduce(0) { $0 + $1.0.1 * ($1.1 ?? 0) }
      let usesPrior = weighted > 0 && shares.allSatisfy { $0 != nil }
      if !usesPrior { weighted = members.reduce(0) { $0 + $1.1 } }
      for ((column, weight), share) in zip(members, shares) {
        let part = (usesPrior ? share ?? 0 : 1) / weighted
        let value = term.nanoseconds * part
        guard let operation = column.operation else {
          extra[column.name] = value
          continue
        }
        var source = "non-negative least squares on relative errors over \(durations) durations"
        if members.count > 1 {
          source +=
            "; only \(term.name) is determined, divided "
            + (usesPrior ? "as in the prior profile" : "equally")
        }
        profile.coefficients.append(
          CostCoefficient(
            operation, nanoseconds: value,
            uncertainty: mixed.contains { $0.contains(term.name) } ? nil : term.uncertainty.map { $0 * part },
            kind: .fit, source: source, sum: members.count > 1 ? term.name : nil, weight: weight))
      }
    }
    for operation in held {
      if let coefficient = prior?[operation] { profile.coefficients.append(coefficient) }
    }
    let order = Operation.allCases
    profile.coefficients.sort {
      (order.firstIndex(of: $0.operation) ?? 0) < (order.firstIndex(of: $1.operation) ?? 0)
    }
  }
}

/// The durations as equations: each divided by its duration, so that all right sides are about 1.
struct Equations {
  struct Column {
    var name: String
    var operation: Operation?
    var values: [Double]
  }

  /// Columns that are proportional.
  struct Group {
    var first: Int
    var members: [Int]
  }

  var columns: [Column] = []
  var groups: [Group] = []
  /// What is left for the columns, relative.
  var right: [Double]
  /// What the held operations cost.
  var heldPrices: [Double]

  init(_ observations: [CalibrationObservation], held: [Operation], prior: CostProfile?) {
    heldPrices = observations.map { observation in
      held.reduce(0) { $0 + Double(observation.counts[$1]) * (prior?[$1]?.nanoseconds ?? 0) }
    }
    right = zip(observations, heldPrices).map { ($0.nanoseconds - $1) / $0.nanoseconds }
    for operation in Operation.allCases where !held.contains(operation) {
      let values = observations.map { Double($0.counts[operation]) / $0.nanoseconds }
      if values.contains(where: { $0 > 0 }) {
        columns.append(Column(name: operation.rawValue, operation: operation, values: values))
      }
    }
    for name in Set(observations.flatMap(\.extra.keys)).sorted() {
      let values = observations.map { ($0.extra[name] ?? 0) / $0.nanoseconds }
      if values.contains(where: { $0 > 0 }) {
        columns.append(Column(name: name, operation: nil, values: values))
      }
    }
    for index in columns.indices {
      if let place = groups.firstIndex(where: {
        isProportional(columns[$0.first].values, columns[index].values)
      }) {
        groups[place].members.append(index)
      } else {
        groups.append(Group(first: index, members: [index]))
      }
    }
  }

  private func isProportional(_ a: [Double], _ b: [Double]) -> Bool {
    let factor = DenseColumns.norm(b) / DenseColumns.norm(a)
    return zip(a, b).allSatisfy { abs($0 * factor - $1) <= 1e-12 * max($0 * factor, $1) }
  }

  func weights(of group: Group) -> [(name: String, weight: Double)] {
    let base = columns[group.first].values
    return group.members.map { member in
      // Where the base is largest the quotient is exact enough for whole numbers to come out whole.
      let row = base.indices.max { base[$0] < base[$1] } ?? 0
      let weight = columns[member].values[row] / base[row]
      return (columns[member].name, Equations.whole(weight).map { Double($0) } ?? weight)
    }
  }

  /// The whole number that a quotient of counts stands for; nil: none.
  static func whole(_ value: Double) -> Int? {
    guard value >= 0, value < 1e15 else { return nil }
    let nearest = Int(value + 0.5)
    return abs(value - Double(nearest)) < 1e-9 * max(1, value) ? nearest : nil
  }

  func name(of group: Group) -> String {
    Calibration.Term(columns: weights(of: group), nanoseconds: 0, uncertainty: nil).name
  }
}
