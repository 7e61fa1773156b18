/// `size` of the values, drawn without replacement and kept in their order; all of them where there are no
/// more.
///
/// Every subset is equally likely: selection sampling, Knuth, The Art of Computer Programming vol. 2, 3.4.2,
/// algorithm S.
public func subsample(_ size: Int, from values: [Double], seed: UInt64) -> [Double] {
  guard size > 0 else { return [] }
  guard size < values.count else { return values }
  var generator = SeededGenerator(seed: seed)
  var chosen: [Double] = []
  chosen.reserveCapacity(size)
  for (index, value) in values.enumerated() {
    if generator.next(below: values.count - index) < size - chosen.count { chosen.append(value) }
    if chosen.count == size { break }
  }
  return chosen
}

/// A uniform sample without replacement of a stream whose length is not known, in bounded memory.
///
/// Algorithm R of Vitter, "Random sampling with a reservoir", ACM Transactions on Mathematical Software 11
/// (1985), 37–57. The order within `sample` is not that of the stream, once the stream is longer than the
/// capacity.
public struct Reservoir: Sendable {
  public let capacity: Int
  /// How many values were offered.
  public private(set) var count: UInt64 = 0
  public private(set) var sample: [Double] = []
  private var generator: SeededGenerator

  /// - Parameters:
  ///   - capacity: a negative one counts as 0.
  ///   - seed: equal seeds keep the same values.
  public init(capacity: Int, seed: UInt64) {
    self.capacity = max(0, capacity)
    generator = SeededGenerator(seed: seed)
  }

  public mutating func add(_ value: Double) {
    if count < .max { count += 1 }
    if sample.count < capacity {
      sample.append(value)
    } else if capacity > 0 {
      let slot = generator.next(below: Int(clamping: count))
      if slot < capacity { sample[slot] = value }
    }
  }
}
