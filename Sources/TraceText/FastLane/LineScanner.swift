internal import CVector
internal import Glibc

/// Reads the strict lines of a piece of a block at once: where they end, and then what each is.
///
/// Where lines end is known before they are looked at, so that a processor can look at several at once; a reader that finds each
/// line's start by reading the one before it waits for every line.
final class LineScanner {
  enum Layout: Sendable {
    case graph(StrictGraphLayout)
    case report
  }

  /// Bytes that are looked through at once.
  static let most = 16 << 10
  /// Lines that are read at once.
  static let batch = 256

  private let layout: Layout
  private let isWide: Int32
  let tails = TailCache()
  /// Offsets of line feeds in the piece, and where that begins.
  private let ends: UnsafeMutablePointer<UInt32>
  private(set) var count = 0
  private var scanned = 0
  /// What `read` has found, by line.
  let lines: UnsafeMutablePointer<pinstat_line>
  private let fronts: UnsafeMutablePointer<pinstat_front>
  private static let frontCount = 1 << Int(PINSTAT_FRONT_BITS)

  /// - Parameter isWide: whether the machine's wide vectors are used.
  init(_ layout: Layout, isWide: Bool) {
    self.layout = layout
    self.isWide = isWide ? 1 : 0
    ends = .allocate(capacity: Self.most + 4)
    lines = .allocate(capacity: Self.batch)
    memset(lines, 0, Self.batch * MemoryLayout<pinstat_line>.stride)
    fronts = .allocate(capacity: Self.frontCount)
    memset(fronts, 0, Self.frontCount * MemoryLayout<pinstat_front>.stride)
  }

  deinit {
    ends.deallocate()
    lines.deallocate()
    fronts.deallocate()
  }

  /// Finds the line feeds.
  ///
  /// - Parameters:
  ///   - from: offset of the piece from `base`.
  ///   - length: `most` at most; 63 more bytes can be loaded.
  func findEnds(_ base: UnsafeRawPointer, from: Int, length: Int) {
    scanned = from
    count = pinstat_line_ends(isWide, base + from, min(length, Self.most), ends)
  }

  /// Where a line ends, from `base`.
  ///
  /// - Parameter index: below `count`.
  @inline(__always)
  func end(_ index: Int) -> Int { scanned &+ Int(ends[index]) }

  /// Reads lines into `lines`, the first of which begins at `start` and has the number `index`.
  ///
  /// - Returns: how many were read.
  func read(_ base: UnsafeRawPointer, start: Int, from index: Int) -> Int {
    let number = min(count - index, Self.batch)
    guard number > 0 else { return 0 }
    var tails = tails.forLines
    switch layout {
    case .graph(let layout):
      var shapes = DurationShapes.kernel.forLines
      pinstat_graph_lines(
        isWide, base, start, scanned, ends + index, number, layout.width, layout.fronts.expected, &shapes,
        &tails,
        lines)
    case .report:
      var shapes = DurationShapes.report.forLines
      pinstat_report_lines(isWide, base, start, scanned, ends + index, number, fronts, &shapes, &tails, lines)
    }
    return number
  }

  /// Passes over lines that are left out, the first of which begins at `start` and has the number `index`.
  ///
  /// - Parameters:
  ///   - count: how many at most.
  ///   - run: what they come to is added.
  ///   - thresholds: by lane; lines as deep or less deep are not left out.
  ///   - openings: by lane; the depth of the innermost open call behind its last line.
  /// - Returns: how many were passed over.
  func skim(
    _ base: UnsafeRawPointer, start: Int, from index: Int, count: Int, _ run: inout pinstat_run,
    _ thresholds: UnsafePointer<Int32>, _ openings: UnsafeMutablePointer<Int32>
  ) -> Int {
    var tails = tails.forLines
    switch layout {
    case .graph(let layout):
      var shapes = DurationShapes.kernel.forLines
      return pinstat_skim_graph(
        isWide, base, start, scanned, ends + index, count, layout.width, layout.fronts.expected, &shapes,
        &tails, thresholds, openings, &run)
    case .report:
      var shapes = DurationShapes.report.forLines
      return pinstat_skim_report(
        isWide, base, start, scanned, ends + index, count, fronts, &shapes, &tails, thresholds, openings, &run
      )
    }
  }

  /// Remembers the front of a report's line.
  ///
  /// - Parameters:
  ///   - count: up to and with the bracket; 25 to 40.
  ///   - lane: what `lines` shall say; below 2^16.
  func remember(front: UnsafeRawPointer, _ count: Int, lane: Int32) {
    guard count >= 25, count <= 40 else { return }
    var entry = pinstat_front()
    entry.count = UInt32(count)
    entry.lane = lane
    withUnsafeMutableBytes(of: &entry.words) { words in
      words.copyMemory(from: UnsafeRawBufferPointer(start: front, count: 24))
      UnsafeMutableRawBufferPointer(rebasing: words[24...])
        .copyMemory(from: UnsafeRawBufferPointer(start: front + count - 16, count: 16))
    }
    let last = front + count - 16
    let place = pinstat_front_hash(
      last.loadUnaligned(as: UInt64.self), last.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    fronts[Int(place)] = entry
  }
}
