/// The pages of a block that follow the one at hand, as far as they are whole and have the header that every 64-bit
/// little-endian kernel writes.
struct PageRow {
  struct Page {
    let record: UnsafeRawPointer
    /// Of the committed data.
    let end: UnsafeRawPointer
    /// Its own, before the first record.
    let time: UInt64
  }

  static let usualLayout = SubBufferLayout(longSize: 8)

  /// Of the time stamps looked at, converted.
  private(set) var latest: UInt64
  private(set) var next: UnsafeRawPointer
  /// Where the last of them begins.
  private let last: UnsafeRawPointer
  private let size: Int
  /// As of `BlockAhead`.
  let ahead: UInt

  /// - Parameters:
  ///   - next: behind the page at hand.
  ///   - end: of the block's memory.
  ///   - size: of a page; 0 where headers are others, and there is no page to enter.
  ///   - latest: the time stamp of the last record, converted.
  ///   - ahead: as of `BlockAhead`.
  init(next: UnsafeRawPointer, end: UnsafeRawPointer, size: Int, latest: UInt64, ahead: UInt = 0) {
    self.ahead = ahead
    self.next = next
    last = size > 0 ? end - size : next - 1
    self.size = size
    self.latest = latest
  }

  /// - Parameters:
  ///   - time: of the last record in front of the page, converted.
  ///   - offset: converts a time stamp.
  ///   - gap: as of `Turn`, or `Turn.noGap`.
  /// - Returns: nil, and none entered, where there is no page, or one at which the stream has to look: without records, with
  ///   a loss or a length that cannot be, from a time that goes back, or behind a gap.
  @inline(__always)
  mutating func enterNext(behind time: UInt64, _ offset: UInt64, gap: UInt64) -> Page? {
    guard next <= last, time >= latest else { return nil }
    let stamp = UInt64(littleEndian: next.loadUnaligned(as: UInt64.self))
    let commit = UInt64(littleEndian: next.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    // The flags of a loss stand above any length; 0 wraps around.
    // A time that goes back wraps around.
    guard commit &- 1 < UInt64(size - Self.headerSize), stamp &+ offset &- time < gap else {
      return nil
    }
    latest = time
    let record = next + Self.headerSize
    next += size
    return Page(record: record, end: record + Int(commit), time: stamp)
  }

  private static let headerSize = 16
}
