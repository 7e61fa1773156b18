internal import CVector

/// How far behind a block's bytes, in addresses, those are that will be read next.
struct BlockAhead {
  /// To be added to an address in the block. 0 where nothing is fetched: then it is what is read anyway.
  private(set) var distance: UInt = 0
  /// Of the file, known to be mapped.
  private var mapped: Range<UInt64> = 0..<0
  private var shift: UInt = 0

  /// Whether nothing has to be mapped to have `next` fetched. To be asked first: all threads count the pages' references.
  func hasMapped(_ next: Range<UInt64>) -> Bool {
    next.isEmpty || next.lowerBound >= mapped.lowerBound && next.upperBound <= mapped.upperBound
  }

  /// - Parameter next: what `hasMapped` does not hold for.
  mutating func map(_ next: Range<UInt64>, _ pages: FilePages) {
    mapped = 0..<0
    guard let address = pages.map(next) else { return }
    shift = address &- UInt(next.lowerBound)
    let end = (next.upperBound - 1) / FilePages.windowSize * FilePages.windowSize + FilePages.windowSize
    mapped = next.lowerBound..<end
  }

  /// The block has been filled, and `next` will be read behind it.
  mutating func move(to next: Range<UInt64>, from block: UnsafeRawPointer) {
    let isThere = !next.isEmpty && hasMapped(next)
    distance = isThere ? shift &+ UInt(next.lowerBound) &- UInt(bitPattern: block) : 0
  }

  /// Has the line fetched that lies as far into what will be read next as `record` does into the block.
  @inline(__always)
  static func fetch(_ record: UnsafeRawPointer, _ distance: UInt) {
    pinstat_prefetch_read(UInt(bitPattern: record) &+ distance)
  }
}
