/// A random number generator whose sequence is fixed by its seed, on every machine and in every version.
///
/// xoshiro256++ 1.0, its state filled by SplitMix64 as its authors advise (Blackman and Vigna, "Scrambled
/// linear pseudorandom number generators", ACM Transactions on Mathematical Software 47 (2021);
/// prng.di.unimi.it). Not for secrets.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  public init(seed: UInt64) {
    var seeder = SplitMix64(state: seed)
    self.init(state: (seeder.next(), seeder.next(), seeder.next(), seeder.next()))
  }

  /// - Parameter state: not all zero: that state only ever yields zeros.
  init(state: (UInt64, UInt64, UInt64, UInt64)) {
    (s0, s1, s2, s3) = state
  }

  public mutating func next() -> UInt64 {
    let sum = s0 &+ s3
    let result = (sum &<< 23 | sum &>> 41) &+ s0
    let t = s1 &<< 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = s3 &<< 45 | s3 &>> 19
    return result
  }

  /// A uniform number in the open interval (0, 1): the middle of one of 2⁵² equal steps, so that its
  /// logarithm and its normal quantile are finite.
  public mutating func nextUniform() -> Double {
    (Double(next() &>> 12) + 0.5) * 0x1p-52
  }

  /// A uniform whole number in 0..<bound without bias: Lemire, "Fast random integer generation in an
  /// interval", ACM Transactions on Modeling and Computer Simulation 29 (2019). Not `Int.random(in:using:)`,
  /// whose draws per call the standard library may change. 0 where the bound is below 2.
  public mutating func next(below bound: Int) -> Int {
    guard bound > 1 else { return 0 }
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(truncatingIfNeeded: product.high)
  }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014), as in Vigna's
/// splitmix64.c.
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
  }
}
