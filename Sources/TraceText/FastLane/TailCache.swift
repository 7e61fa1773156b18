internal import CVector
internal import Glibc

/// What is known of the ends of lines, from behind the bar to the line feed: `    kfree();`, `  }`, `  kfree() {`,
/// `    } /* kfree */`, each with what the duration column in front of it looks like. A trace has some thousand of them, so that
/// hardly one has to be read.
///
/// Looked up by `pinstat_skim` and `pinstat_read`. Four may share a place, a fifth one takes it over.
struct TailCache {
  private static let keySize = Int(PINSTAT_TAIL_SIZE)
  private static let most = Int(PINSTAT_TAIL_MOST)
  private static let mostRest = Int(PINSTAT_REST)
  private static let sides = UInt32(PINSTAT_TAIL_SIDES)

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
  ///   - mark: where the duration column begins, of which 16 bytes are looked at.
  ///   - start: behind the bar.
  ///   - count: up to and with the line feed; longer ones than `PINSTAT_TAIL_MOST` are not remembered. Of a stem, without its
  ///     values, up to `PINSTAT_TAIL_SIZE`.
  ///   - depth: below 128.
  ///   - value: not 0; with `PINSTAT_EXIT` where it ends a call.
  ///   - isPassedOver: whether `pinstat_skim` may leave such a line out.
  mutating func remember(
    _ mark: UnsafeRawPointer, _ start: UnsafeRawPointer, _ count: Int, depth: Int, _ value: UInt32,
    isPassedOver: Bool, isStem: Bool
  ) {
    guard count > 0, count <= (isStem ? Self.keySize : Self.most) else { return }
    let shape = pinstat_shape16(mark)
    let first =
      isStem
      ? pinstat_stem_place(isWide, scanner, mark, start + count, UInt64(count))
      : pinstat_tail_place(isWide, scanner, mark, start + count, UInt64(count))
    if isStem { pinstat_set_stems(scanner) }
    let entry =
      (isPassedOver ? 0 : 1 << 63) | UInt64(depth) << 56 | UInt64(count) << 32 | UInt64(value)
    var place = first
    for side in (0..<Self.sides).reversed() {
      let here = first ^ side
      if holds(here, start, entry, shape) { return }
      if tail(here).pointee.known == 0 { place = here }
    }
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
    UnsafeMutableRawPointer(pinstat_shape_at(scanner, place)).storeBytes(of: shape, as: pinstat_pair.self)
  }

  /// Its bytes are the first that it has.
  private func tail(_ place: UInt32) -> UnsafeMutablePointer<pinstat_tail> { pinstat_tail_at(scanner, place) }

  private func holds(
    _ place: UInt32, _ start: UnsafeRawPointer, _ entry: UInt64, _ shape: pinstat_pair
  ) -> Bool {
    let count = Int(entry >> 32 & 0xFF)
    let known = UnsafeRawPointer(pinstat_shape_at(scanner, place)).load(as: pinstat_pair.self)
    guard tail(place).pointee.known == entry, known.front == shape.front, known.back == shape.back,
      memcmp(tail(place), start, min(count, Self.keySize)) == 0
    else { return false }
    return count <= Self.keySize
      || memcmp(
        rest + Int(pinstat_rest_at(scanner, place).pointee), start + Self.keySize, count - Self.keySize) == 0
  }
}
