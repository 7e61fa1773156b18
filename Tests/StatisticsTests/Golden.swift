import Foundation

/// What `Golden/make-golden.py` wrote: the figures of SciPy, NumPy, Datadog's ddsketch and brute force.
struct Golden: Decodable, Sendable {
  struct Normal: Decodable, Sendable {
    var p: [Double]
    var quantile: [Double]
    var x: [Double]
    var cdf: [Double]
  }

  struct Summary: Decodable, Sendable {
    var values: [Double]
    var levels: [Double]
    var quantiles: [Double]
    var mean: Double
    var standardDeviation: Double?
  }

  struct MannWhitney: Decodable, Sendable {
    /// `permutation` (exhaustive), `counted` (in whole numbers), `exact` (no ties) or `asymptotic`.
    var method: String
    var first: [Double]
    var second: [Double]
    var u: Double
    var pValue: Double
    var cliffsDelta: Double
  }

  struct HodgesLehmann: Decodable, Sendable {
    var first: [Double]
    var second: [Double]
    var alpha: Double
    var shift: Double
    var lower: Double
    var upper: Double
    var confidence: Double
    var isDecisive: Bool
  }

  struct Holm: Decodable, Sendable {
    var p: [Double]
    var alpha: Double
    var adjusted: [Double]
    var rejected: [Bool]
  }

  struct BCa: Decodable, Sendable {
    var statistic: String
    var first: [Double]
    var second: [Double]
    var alpha: Double
    var ratio: Double
    var acceleration: Double
    var lower: Double
    var upper: Double
  }

  struct Sketch: Decodable, Sendable {
    var relativeError: Double
    var maximumBins: Int
    var values: [Double]
    /// Pairs of index and count.
    var bins: [[Int]]
    var zeroCount: UInt64
    var levels: [Double]
    var quantiles: [Double]
  }

  var normal: Normal
  var summary: [Summary]
  var mannWhitney: [MannWhitney]
  var hodgesLehmann: [HodgesLehmann]
  var holm: [Holm]
  var bca: [BCa]
  var sketch: [Sketch]

  static let shared: Golden = {
    let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/golden.json")
    do {
      return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    } catch {
      fatalError("\(url.path): \(error)")
    }
  }()
}
