import Foundation
import Statistics

/// Whether two figures agree to a relative error, or to an absolute one near zero.
func agree(_ a: Double, _ b: Double, relative: Double, absolute: Double = 0) -> Bool {
  a == b || abs(a - b) <= max(absolute, relative * max(abs(a), abs(b)))
}

extension SeededGenerator {
  /// Box and Muller's, so that it shares nothing with the library's normal quantile.
  mutating func normal() -> Double {
    (-2 * log(nextUniform())).squareRoot() * cos(2 * .pi * nextUniform())
  }

  /// Positive values around a median, with a relative spread.
  mutating func logNormals(_ count: Int, median: Double = 1, spread: Double) -> [Double] {
    (0..<count).map { _ in median * exp(spread * normal()) }
  }

  /// Whole numbers in 0..<bound: samples with ties.
  mutating func tied(_ count: Int, below bound: Int) -> [Double] {
    (0..<count).map { _ in Double(next(below: bound)) }
  }
}
