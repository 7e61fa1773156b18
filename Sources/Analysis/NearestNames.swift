/// The names that are most like `wanted`, best first: for "did you mean".
///
/// By Damerau's distance with adjacent transpositions (optimal string alignment), after names that contain the wanted
/// one or are contained in it. What is further off than a third of the length is no suggestion.
public func nearestNames(to wanted: String, among names: some Sequence<String>, limit: Int = 3) -> [String] {
  var scored: [(score: Int, name: String)] = []
  let target = Array(wanted.utf8.prefix(128))
  for name in Set(names) where !name.isEmpty && !name.hasPrefix("0x") {
    let candidate = Array(FunctionPattern.strippingSuffixes(name).utf8.prefix(128))
    let furthest = max(2, target.count / 3)
    var score = furthest + 1
    // The distance is at least the difference in length.
    if abs(candidate.count - target.count) <= furthest { score = alignmentDistance(target, candidate) }
    if candidate.count >= 4, target.count >= 4, contains(candidate, target) || contains(target, candidate) {
      score = min(score, 1 + abs(candidate.count - target.count) / 4)
    }
    if score <= furthest { scored.append((score, name)) }
  }
  scored.sort { ($0.score, $0.name) < ($1.score, $1.name) }
  return scored.prefix(limit).map(\.name)
}

private func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
  guard part.count <= text.count else { return false }
  return (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
}

/// Edits (insertion, deletion, substitution, transposition of neighbours) between two byte strings.
func alignmentDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  if a.isEmpty { return b.count }
  if b.isEmpty { return a.count }
  var beforeLast = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  var row = last
  for i in 1...a.count {
    row[0] = i
    for j in 1...b.count {
      let cost = a[i - 1] == b[j - 1] ? 0 : 1
      var best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, beforeLast[j - 2] + 1) }
      row[j] = best
    }
    swap(&beforeLast, &last)
    swap(&last, &row)
  }
  return last[b.count]
}

/// Functions of the same family: what a user who misses an inlined function can look at instead.
///
/// Those that share the longest leading words (`vfio_pin_` of `vfio_pin_map_dma`), else the first (`vfio_`).
public func familyNames(of wanted: String, among names: some Sequence<String>, limit: Int = 6) -> [String] {
  let words = wanted.split(separator: "_", omittingEmptySubsequences: false)
  let names = Array(Set(names)).sorted()
  var family: [String] = []
  for kept in stride(from: words.count - 1, to: 0, by: -1) {
    let prefix = words.prefix(kept).joined(separator: "_") + "_"
    guard prefix.utf8.count >= 4 else { break }
    for name in names where name.hasPrefix(prefix) && !family.contains(name) {
      family.append(name)
      if family.count == limit { return family }
    }
  }
  return family
}
