import Foundation

/// SplitMix64: the same mutations in every run.
struct MutationGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { bound > 0 ? Int(next() % UInt64(bound)) : 0 }
}

/// Ways to spoil a file, as crashed machines, bad disks, careless tools and hostile uploads do.
enum Mutation: String, CaseIterable {
  case flippedBits, noise, lyingLength, swappedPages, zeroedRange, duplicatedRange, removedRange, splicedFile
  case cut

  /// - Parameter other: a second file, for splices.
  func apply(to original: [UInt8], _ other: [UInt8], _ random: inout MutationGenerator) -> [UInt8] {
    var bytes = original
    guard !bytes.isEmpty else { return bytes }
    // Half of the places are in the head, where a trace.dat has its lengths.
    func place() -> Int { random.below(random.below(2) == 0 ? bytes.count : min(bytes.count, 2048)) }
    func range() -> Range<Int> {
      let start = place()
      let longest = [8, 64, 4096, bytes.count][random.below(4)]
      return start..<min(bytes.count, start + 1 + random.below(longest))
    }
    switch self {
    case .flippedBits:
      for _ in 0...random.below(8) { bytes[place()] ^= 1 << UInt8(random.below(8)) }
    case .noise:
      for index in range() { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
    case .lyingLength:
      let values: [UInt64] = [
        0, 1, .max, 1 << 63, 1 << 31, 0xffff_ffff, 0xffff, UInt64(bytes.count), UInt64(bytes.count) + 1,
        UInt64(random.below(bytes.count)),
      ]
      for _ in 0...random.below(2) {
        let (at, value) = (place(), values[random.below(values.count)])
        for byte in 0..<min([2, 4, 8][random.below(3)], bytes.count - at) {
          bytes[at + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
      }
    case .swappedPages:
      let size = bytes.count >= 8192 ? 4096 : max(1, bytes.count / 4)
      let pages = bytes.count / size
      let (one, two) = (random.below(pages) * size, random.below(pages) * size)
      for index in 0..<size { bytes.swapAt(one + index, two + index) }
    case .zeroedRange:
      for index in range() { bytes[index] = 0 }
    case .duplicatedRange:
      bytes.insert(contentsOf: bytes[range()], at: place())
    case .removedRange:
      bytes.removeSubrange(range())
    case .splicedFile:
      bytes = bytes.prefix(place()) + other.suffix(random.below(other.count))
    case .cut:
      bytes.removeLast(bytes.count - place())
    }
    return bytes
  }
}

/// Where the parts of a trace.dat begin, by a walk of its own over the container (trace-cmd.dat.v7(5)).
///
/// Version 7: section after section, each with id, flags, string id and size in front. Of version 6 and of text: pages.
func sectionBoundaries(_ bytes: [UInt8]) -> [Int] {
  var boundaries = Set(stride(from: 4096, to: bytes.count, by: 4096))
  let head = Array("\u{17}\u{8}Dtracing7\0".utf8)
  if bytes.starts(with: head), let name = bytes[18...].firstIndex(of: 0),
    let version = bytes[(name + 1)...].firstIndex(of: 0)
  {
    func number(_ at: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(bytes[at + $1] & (($1 < 7) ? 0xff : 0)) << (8 * $1) }
    }
    var at = version + 1 + 8
    boundaries.formUnion([name + 1, version + 1])
    while at + 16 <= bytes.count {
      boundaries.formUnion([at, at + 16])
      at += 16 + number(at + 8, 8)
    }
  }
  return boundaries.filter { $0 < bytes.count }.sorted()
}
