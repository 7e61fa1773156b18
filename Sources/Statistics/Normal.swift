import Glibc

/// The standard normal distribution function Φ(x), by the complementary error function.
///
/// Keeps its relative precision in the lower tail down to x ≈ −37; take `normalCDF(-x)` for an upper tail,
/// not `1 - normalCDF(x)`.
public func normalCDF(_ x: Double) -> Double {
  0.5 * erfc(-x * 0.5.squareRoot())
}

/// The inverse of the standard normal distribution function, Φ⁻¹(p).
///
/// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37
/// (1988), 477–484, routine PPND16: relative error about 1e−16.
///
/// - Returns: −∞ at p = 0, +∞ at p = 1, NaN outside [0, 1].
public func normalQuantile(_ p: Double) -> Double {
  guard p >= 0, p <= 1 else { return .nan }
  let q = p - 0.5
  if abs(q) <= 0.425 {
    let r = 0.180625 - q * q
    return q * ratio(centralNumerator, centralDenominator, r)
  }
  let tail = q < 0 ? p : 1 - p
  guard tail > 0 else { return q < 0 ? -.infinity : .infinity }
  let r = (-log(tail)).squareRoot()
  let x =
    r <= 5
    ? ratio(middleNumerator, middleDenominator, r - 1.6)
    : ratio(tailNumerator, tailDenominator, r - 5)
  return q < 0 ? -x : x
}

/// Eight coefficients, lowest power first.
private typealias Polynomial = SIMD8<Double>

private func ratio(_ numerator: Polynomial, _ denominator: Polynomial, _ x: Double) -> Double {
  horner(numerator, x) / horner(denominator, x)
}

private func horner(_ c: Polynomial, _ x: Double) -> Double {
  ((((((c[7] * x + c[6]) * x + c[5]) * x + c[4]) * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0]
}

// The coefficients A, B (p near 0.5), C, D (between) and E, F (p near 0 or 1) of the paper.
private let centralNumerator = Polynomial(
  3.3871328727963666080, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
  4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3)
private let centralDenominator = Polynomial(
  1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
  2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3)
private let middleNumerator = Polynomial(
  1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
  1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4)
private let middleDenominator = Polynomial(
  1.0, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
  1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9)
private let tailNumerator = Polynomial(
  6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
  2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7)
private let tailDenominator = Polynomial(
  1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
  7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15)
