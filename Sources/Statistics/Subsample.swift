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
