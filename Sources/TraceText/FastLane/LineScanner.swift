internal import CVector
internal import Glibc

/// Reads strict lines one behind the other, as long as they end in a function part that was seen before.
///
/// Where the parts of a line stand is foreseen and all of it compared with what is expected there, so that nothing but the line
/// feed is searched for. What is not as expected is left to the caller, who tells what such a line turned out to be.
final class LineScanner {
  enum Layout: Sendable {
    case graph(StrictGraphLayout)
    case report
  }

  /// Lines that are read at once.
  static let batch = 256
  /// Bytes that can be loaded in front of the first line.
  static let lead = 24
  /// Lines that begin so many bytes in front of the end of the bytes, or nearer, are left to the caller.
  static let reach = Int(PINSTAT_REACH)

  private let isWide: Int32
  let tails = TailCache()
  /// What `read` has found, by line.
  let lines: UnsafeMutablePointer<pinstat_line>
  /// Of a report, as the kernel's functions know it.
  private let fronts: UnsafeMutablePointer<pinstat_front>
  private let columns: UnsafeMutablePointer<pinstat_columns>
  private static let frontCount = 1 << Int(PINSTAT_FRONT_BITS)
  private static let columnCount = Int(PINSTAT_FRONT_MOST - PINSTAT_FRONT_LEAST + 1)
  private var layout: pinstat_layout

  /// - Parameter isWide: whether the machine's wide vectors are used.
  init(_ layout: Layout, isWide: Bool) {
    self.isWide = isWide ? 1 : 0
    lines = .allocate(capacity: Self.batch)
    memset(lines, 0, Self.batch * MemoryLayout<pinstat_line>.stride)
    fronts = .allocate(capacity: Self.frontCount)
    memset(fronts, 0, Self.frontCount * MemoryLayout<pinstat_front>.stride)
    columns = .allocate(capacity: Self.columnCount)
    memset(columns, 0, Self.columnCount * MemoryLayout<pinstat_columns>.stride)
    switch layout {
    case .graph(let graph):
      self.layout = pinstat_layout(
        tails: tails.forLines, shapes: DurationShapes.kernel.forLines, width: UInt32(graph.width),
        cpus: graph.fronts.expected, fronts: fronts, columns: columns, foreseen: 0)
    case .report:
      self.layout = pinstat_layout(
        tails: tails.forLines, shapes: DurationShapes.report.forLines, width: 0, cpus: nil, fronts: fronts,
        columns: columns, foreseen: 0)
    }
  }

  deinit {
    lines.deallocate()
    fronts.deallocate()
    columns.deallocate()
  }

  /// Reads lines into `lines`.
  ///
  /// - Parameters:
  ///   - base: where the offsets count from; `lead` bytes in front of it can be loaded.
  ///   - start: where the first line begins; gets where the first one begins that was not read.
  ///   - stop: lines that begin here or behind it are not read; `reach` bytes behind it can be loaded.
  ///   - run: what the lines come to is added.
  /// - Returns: how many were read, `batch` at most.
  func read(
    _ base: UnsafeRawPointer, _ start: inout Int, _ stop: Int, _ run: inout pinstat_run
  ) -> Int {
    guard start < stop else { return 0 }
    var count = 0
    let next = pinstat_read(isWide, &layout, base + start, base + stop, lines, Self.batch, &count, &run)
    if let next { start = base.distance(to: next) }
    return count
  }

  /// Passes over lines that are left out; parameters as for `read`.
  ///
  /// - Parameters:
  ///   - thresholds: by lane; lines as deep or less deep are not left out.
  ///   - openings: by lane; the depth of the innermost open call behind its last line, in the kernel's text.
  func skim(
    _ base: UnsafeRawPointer, _ start: inout Int, _ stop: Int, _ run: inout pinstat_run,
    _ thresholds: UnsafePointer<Int32>, _ openings: UnsafeMutablePointer<Int32>
  ) {
    guard start < stop,
      let next = pinstat_skim(isWide, &layout, base + start, base + stop, thresholds, openings, &run)
    else { return }
    start = base.distance(to: next)
  }

  /// Remembers what a report's line begins with, and where its event stands.
  ///
  /// - Parameters:
  ///   - count: of the front, up to and with the bracket.
  ///   - event: offset of its name, behind the time, a colon and a blank.
  ///   - lane: what `lines` shall say; below 2^16.
  func remember(front: UnsafeRawPointer, _ count: Int, event: Int, lane: Int32) {
    let least = Int(PINSTAT_FRONT_LEAST)
    // ` %5lu.%06lu: `: eight digits of seconds at most.
    guard count >= least, count <= Int(PINSTAT_FRONT_MOST), event - count >= 15, event - count <= 18 else {
      return
    }
    var entry = pinstat_front()
    entry.count = UInt32(count)
    entry.lane = lane
    withUnsafeMutableBytes(of: &entry.bytes) { bytes in
      bytes.copyMemory(from: UnsafeRawBufferPointer(start: front, count: 16))
      UnsafeMutableRawBufferPointer(rebasing: bytes[16...])
        .copyMemory(from: UnsafeRawBufferPointer(start: front + count - 16, count: 16))
    }
    fronts[Int(pinstat_front_place(front + count))] = entry

    var found = pinstat_columns()
    found.front = UInt32(count)
    found.event = UInt32(event)
    let time = pinstat_shape16(front + event - 18)
    withUnsafeMutableBytes(of: &found.time) { $0.storeBytes(of: time, as: pinstat_pair.self) }
    // The bytes of the seconds end behind these eight, where the point is.
    var place = 8
    while place > 0, (front + event - 18 + place).load(as: UInt8.self).isDigit { place -= 1 }
    found.seconds = place < 7 ? ~0 << UInt64(8 * (place + 1)) : 0
    columns[count - least] = found
    layout.foreseen = UInt32(count - least)
  }
}
