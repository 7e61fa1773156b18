internal import CVector
internal import Glibc

/// What is known of the ends of lines, from behind the bar to the line feed: `    kfree();`, `  }`, `  kfree() {`,
/// `    } /* kfree */`. A trace has some thousand of them, so that hardly one has to be read.
///
/// Looked up by `pinstat_skim` and `pinstat_read`. Two may share a place, a third one takes it over.
struct TailCache {
  private static let keySize = Int(PINSTAT_TAIL_SIZE)
  private static let most = Int(PINSTAT_TAIL_MOST)
  private static let mostRest = Int(PINSTAT_REST)

  private let scanner: UnsafeMutableRawPointer
  private let rest: UnsafeMutablePointer<UInt8>
  private var restCount = 0
  private let isWide: Int32

  /// - Parameters:
  ///   - scanner: a `pinstat_scanner`.
  ///   - rest: what it has of long ones.
  init(_ scanner: UnsafeMutableRawPointer, _ rest: UnsafeMutablePointer<UInt8>, isWide: Int32) {
    self.scanner = scanner
    self.rest = rest
    self.isWide = isWide
  }

  /// - Parameters:
  ///   - start: behind the bar; 24 bytes in front of it can be loaded.
  ///   - count: up to and with the line feed; longer ones than `PINSTAT_TAIL_MOST` are not remembered.
  ///   - depth: below 256.
  ///   - value: not 0; with `PINSTAT_EXIT` where it ends a call.
  mutating func remember(_ start: UnsafeRawPointer, _ count: Int, depth: Int, _ value: UInt32) {
    guard count > 0, count <= Self.most else { return }
    var place = pinstat_tail_place(isWide, scanner, start + count, UInt64(count))
    let entry = UInt64(depth) << 56 | UInt64(count) << 32 | UInt64(value)
    if holds(place, start, entry) || holds(place ^ 1, start, entry) { return }
    if tail(place).pointee.known != 0, tail(place ^ 1).pointee.known == 0 { place ^= 1 }
    let more = max(0, count - Self.keySize)
    guard restCount + more <= Self.mostRest else { return }
    if more > 0 {
      memcpy(rest + restCount, start + Self.keySize, more)
      pinstat_rest_at(scanner, place).pointee = UInt32(restCount)
      restCount += more
    }
    let tail = tail(place)
    memset(tail, 0, Self.keySize)
    memcpy(tail, start, min(count, Self.keySize))
    tail.pointee.known = entry
  }

  /// Its bytes are the first that it has.
  private func tail(_ place: UInt32) -> UnsafeMutablePointer<pinstat_tail> { pinstat_tail_at(scanner, place) }

  private func holds(_ place: UInt32, _ start: UnsafeRawPointer, _ entry: UInt64) -> Bool {
    let count = Int(entry >> 32 & 0xFF)
    guard tail(place).pointee.known == entry, memcmp(tail(place), start, min(count, Self.keySize)) == 0 else {
      return false
    }
    return count <= Self.keySize
      || memcmp(
        rest + Int(pinstat_rest_at(scanner, place).pointee), start + Self.keySize, count - Self.keySize) == 0
  }
}
