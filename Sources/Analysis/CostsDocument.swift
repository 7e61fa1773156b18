public import FoundationEssentials
public import PinningModel

/// A cost profile as a JSON file, `pinstat/costs/1`: nanoseconds an operation, each with its source.
public struct CostsDocument: Codable, Sendable {
  public static let schemaName = "pinstat/costs/1"
  /// Nanoseconds; an operation that takes longer than a second is a mistake.
  static let mostNanoseconds = 1e9

  public struct Cost: Codable, Sendable {
    public var operation: String
    public var nanoseconds: Double
    /// Standard error, nanoseconds; absent where it is unknown.
    public var uncertainty: Double?
    /// `fit`, `prior` or `published`.
    public var kind: String
    public var source: String
    /// Costs of one sum were determined together: only the weighted sum is known, its division is a prior.
    public var sum: String?
    public var weight: Double?
  }

  public var schema: String
  public var name: String
  public var costs: [Cost]

  public init(_ profile: CostProfile) {
    schema = Self.schemaName
    name = profile.name
    costs = profile.coefficients.map {
      Cost(
        operation: $0.operation.rawValue, nanoseconds: $0.nanoseconds, uncertainty: $0.uncertainty,
        kind: $0.kind.rawValue, source: $0.source, sum: $0.sum, weight: $0.weight == 1 ? nil : $0.weight)
    }
  }

  /// Keys in a fixed order.
  public func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}

extension CostProfile {
  /// Reads a costs file and checks every number in it.
  public init(costs data: Data) throws(BaselineError) {
    let document: CostsDocument
    do {
      document = try JSONDecoder().decode(CostsDocument.self, from: data)
    } catch let error as DecodingError {
      throw BaselineError(AnalysisDocument.phrase(error))
    } catch {
      throw BaselineError("it is no JSON")
    }
    guard document.schema == CostsDocument.schemaName else {
      throw BaselineError("its schema is \"\(document.schema)\", expected \"\(CostsDocument.schemaName)\"")
    }
    var coefficients: [CostCoefficient] = []
    for cost in document.costs {
      guard let operation = Operation(rawValue: cost.operation) else {
        throw BaselineError("no operation is called \"\(cost.operation)\"")
      }
      guard !coefficients.contains(where: { $0.operation == operation }) else {
        throw BaselineError("\(cost.operation) stands twice")
      }
      let limit = CostsDocument.mostNanoseconds
      guard cost.nanoseconds >= 0, cost.nanoseconds <= limit else {
        throw BaselineError("\(cost.operation) costs \(cost.nanoseconds) ns; expected 0 to 1e9")
      }
      if let uncertainty = cost.uncertainty, !(uncertainty >= 0 && uncertainty <= limit) {
        throw BaselineError("the uncertainty of \(cost.operation) is \(uncertainty) ns; expected 0 to 1e9")
      }
      guard let kind = CostCoefficient.Kind(rawValue: cost.kind) else {
        throw BaselineError("\(cost.operation) is of kind \"\(cost.kind)\"; expected fit, prior or published")
      }
      let weight = cost.weight ?? 1
      guard weight > 0, weight <= 1e6 else {
        throw BaselineError("the weight of \(cost.operation) is \(weight)")
      }
      coefficients.append(
        CostCoefficient(
          operation, nanoseconds: cost.nanoseconds, uncertainty: cost.uncertainty, kind: kind,
          source: cost.source,
          sum: cost.sum, weight: weight))
    }
    for operation in Operation.columns where !coefficients.contains(where: { $0.operation == operation }) {
      throw BaselineError("\(operation.rawValue) is missing; give 0 for what costs nothing")
    }
    self.init(name: document.name, coefficients: coefficients)
  }
}
