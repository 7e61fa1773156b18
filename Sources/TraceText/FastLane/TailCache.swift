internal import CVector
internal import Glibc

/// What is known of the ends of lines, from the function part's first byte to the line feed: `kfree();`, `}`,
/// `kfree() {`, `} /* kfree */`. A trace has some thousand of them, so that hardly one has to be read.
///
/// Looked up by `pinstat_graph_lines` and `pinstat_report_lines`. Two may share a place, a third one takes it over.
final class TailCache {
  private static let size = 1 << Int(PINSTAT_TAIL_BITS)
  private static let mostMiddles = 1 << 18

  private let entries: UnsafeMutablePointer<pinstat_tail>
  private let middles: UnsafeMutablePointer<UInt8>
  private var middleCount = 0
  private let masks: UnsafeMutablePointer<UInt8>

  init() {
    let bytes = Self.size * MemoryLayout<pinstat_tail>.stride
    entries = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: pinstat_tail.self, capacity: Self.size)
    memset(entries, 0, bytes)
    middles = .allocate(capacity: Self.mostMiddles)
    masks = .allocate(capacity: 32 * 17)
    for count in 0...16 {
      for place in 0..<16 {
        masks[32 * count + place] = place < count ? 0xFF : 0
        masks[32 * count + 16 + place] = place >= 16 - count ? 0xFF : 0
      }
    }
  }

  deinit {
    entries.deallocate()
    middles.deallocate()
    masks.deallocate()
  }

  var forLines: pinstat_tails { pinstat_tails(tails: entries, middles: middles, masks: masks) }

  /// - Parameters:
  ///   - start: 16 bytes from here on, and as many in front of the end, can be loaded.
  ///   - value: not 0; with `PINSTAT_EXIT` where it ends a call.
  func remember(_ start: UnsafeRawPointer, _ count: Int, _ value: UInt32) {
    guard count > 0, count < 1 << 16 else { return }
    var tail = pinstat_tail()
    tail.count = UInt32(count)
    tail.value = value
    withUnsafeMutableBytes(of: &tail.words) { words in
      for place in 0..<min(count, 16) {
        words[place] = start.load(fromByteOffset: place, as: UInt8.self)
        words[31 - place] = start.load(fromByteOffset: count - 1 - place, as: UInt8.self)
      }
    }
    var place = withUnsafeBytes(of: tail.words) { words in
      Int(
        pinstat_tail_hash(
          words.loadUnaligned(as: UInt64.self), words.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
          words.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
          words.loadUnaligned(fromByteOffset: 24, as: UInt64.self)))
    }
    if entries[place].count != 0, entries[place ^ 1].count == 0 { place ^= 1 }
    if count > 32 {
      guard middleCount + count <= Self.mostMiddles else { return }
      tail.middle = UInt64(middleCount)
      memcpy(middles + middleCount, start + 16, count - 32)
      middleCount += count - 32
    }
    entries[place] = tail
  }
}
