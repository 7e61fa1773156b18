import Glibc

/// The binomial coefficient C(n, k): in how many ways k of n are chosen.
///
/// Correctly rounded where the count fits 128 bits (all of n ≤ 128), else to about 1e−12 by `logChoose`; +∞
/// where it is beyond `Double`; 0 where k < 0 or k > n.
public func choose(_ n: Int, _ k: Int) -> Double {
  guard n >= 0, k >= 0, k <= n else { return 0 }
  return exactChoose(n, k).map { Double($0) } ?? exp(logChoose(n, k))
}

/// The natural logarithm of C(n, k) by log-gamma; −∞ where k < 0 or k > n.
public func logChoose(_ n: Int, _ k: Int) -> Double {
  guard n >= 0, k >= 0, k <= n else { return -.infinity }
  return logGamma(Double(n) + 1) - logGamma(Double(k) + 1) - logGamma(Double(n - k) + 1)
}

/// C(n, k) as a whole number, or nil where it, or a product on the way to it, does not fit 128 bits.
func exactChoose(_ n: Int, _ k: Int) -> UInt128? {
  guard n >= 0, k >= 0, k <= n else { return 0 }
  let smaller = min(k, n - k)
  var result: UInt128 = 1
  // C(n−s+i, i) = C(n−s+i−1, i−1) · (n−s+i) / i: every quotient is whole.
  for i in 0..<smaller {
    let (product, overflow) = result.multipliedReportingOverflow(by: UInt128(n - smaller + i + 1))
    if overflow { return nil }
    result = product / UInt128(i + 1)
  }
  return result
}

/// The probability of k heads in n tosses of a fair coin, C(n, k)/2^n.
func binomialHalf(_ n: Int, _ k: Int) -> Double {
  guard n >= 0, k >= 0, k <= n else { return 0 }
  return n < 60 ? choose(n, k) / pow(2, Double(n)) : exp(logChoose(n, k) - Double(n) * log(2))
}

/// lgamma_r, as lgamma writes a global.
private func logGamma(_ x: Double) -> Double {
  var sign: Int32 = 0
  return lgamma_r(x, &sign)
}
