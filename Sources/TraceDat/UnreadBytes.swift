internal import FunctionGraph

/// Bytes that one thread reads from the front, and of which others may take the back.
final class UnreadBytes: Sendable {
  private let range: Guarded<Range<UInt64>>
  private let pageSize: UInt64

  /// - Parameter range: begins where a page does.
  init(_ range: Range<UInt64>, pageSize: Int) {
    self.range = Guarded(range)
    self.pageSize = UInt64(max(1, pageSize))
  }

  var count: UInt64 { range.withLock { $0.upperBound - $0.lowerBound } }

  /// The first `most` bytes, fewer where there are not so many.
  func take(_ most: Int) -> Range<UInt64> {
    range.withLock { range in
      let end = range.lowerBound + min(UInt64(most), range.upperBound - range.lowerBound)
      defer { range = end..<range.upperBound }
      return range.lowerBound..<end
    }
  }

  /// The back half, in whole pages from the front on; nil where that is less than `least` bytes.
  func giveHalf(least: UInt64) -> Range<UInt64>? {
    range.withLock { range in
      let count = range.upperBound - range.lowerBound
      let front = (count / 2 + pageSize - 1) / pageSize * pageSize
      guard count >= 2 * least, front < count else { return nil }
      defer { range = range.lowerBound..<range.lowerBound + front }
      return range.lowerBound + front..<range.upperBound
    }
  }
}
