internal import CVector
internal import Glibc

/// What is known of the ends of lines, from behind the bar to the line feed: `    kfree();`, `  }`, `  kfree() {`,
/// `    } /* kfree */`. A trace has some thousand of them, so that hardly one has to be read.
///
/// Looked up by `pinstat_skim` and `pinstat_read`. Two may share a place, a third one takes it over.
final class TailCache {
  private static let size = 1 << Int(PINSTAT_TAIL_BITS)
  private static let keySize = Int(PINSTAT_TAIL_SIZE)
  private static let most = Int(PINSTAT_TAIL_MOST)
  private static let mostRest = 1 << 18

  /// Each in a line of the cache.
  private let keys: UnsafeMutableRawPointer
  private let known: UnsafeMutablePointer<UInt64>
  private let places: UnsafeMutablePointer<UInt32>
  private let rest: UnsafeMutablePointer<UInt8>
  private var restCount = 0

  init() {
    keys = .allocate(byteCount: Self.size * Self.keySize, alignment: Self.keySize)
    memset(keys, 0, Self.size * Self.keySize)
    known = .allocate(capacity: Self.size)
    known.initialize(repeating: 0, count: Self.size)
    places = .allocate(capacity: Self.size)
    places.initialize(repeating: 0, count: Self.size)
    rest = .allocate(capacity: Self.mostRest)
  }

  deinit {
    keys.deallocate()
    known.deallocate()
    places.deallocate()
    rest.deallocate()
  }

  var forLines: pinstat_tails {
    pinstat_tails(
      bytes: keys.assumingMemoryBound(to: UInt8.self), known: known, places: places, rest: rest)
  }

  /// - Parameters:
  ///   - start: behind the bar; 24 bytes in front of it can be loaded.
  ///   - count: up to and with the line feed; longer ones than `PINSTAT_TAIL_MOST` are not remembered.
  ///   - depth: below 256.
  ///   - value: not 0; with `PINSTAT_EXIT` where it ends a call.
  func remember(_ start: UnsafeRawPointer, _ count: Int, depth: Int, _ value: UInt32) {
    guard count > 0, count <= Self.most else { return }
    var place = Int(pinstat_tail_place(start + count, UInt64(count)))
    let entry = UInt64(depth) << 56 | UInt64(count) << 32 | UInt64(value)
    if holds(place, start, entry) || holds(place ^ 1, start, entry) { return }
    if known[place] != 0, known[place ^ 1] == 0 { place ^= 1 }
    let more = max(0, count - Self.keySize)
    guard restCount + more <= Self.mostRest else { return }
    if more > 0 {
      memcpy(rest + restCount, start + Self.keySize, more)
      places[place] = UInt32(restCount)
      restCount += more
    }
    let key = keys + Self.keySize * place
    memset(key, 0, Self.keySize)
    memcpy(key, start, min(count, Self.keySize))
    known[place] = entry
  }

  private func holds(_ place: Int, _ start: UnsafeRawPointer, _ entry: UInt64) -> Bool {
    let count = Int(entry >> 32 & 0xFF)
    guard known[place] == entry,
      memcmp(keys + Self.keySize * place, start, min(count, Self.keySize)) == 0
    else { return false }
    return count <= Self.keySize
      || memcmp(rest + Int(places[place]), start + Self.keySize, count - Self.keySize) == 0
  }
}
