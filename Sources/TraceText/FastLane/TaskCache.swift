internal import FunctionGraph

/// The fronts of report lines that were seen, `comm-pid [cpu]` with all blanks: a look-up instead of reading them.
struct TaskCache {
  struct Task {
    var cpu: Int32
    var pid: Int32
    var comm: StringTable.ID
    /// Of the sieve.
    var slot: Int32 = 0
  }

  private struct Words: Equatable {
    var first: SIMD2<UInt64>
    var middle: SIMD2<UInt64>
    var last: SIMD2<UInt64>
  }

  private struct Entry {
    var words: Words
    /// 0 is free.
    var count = 0
    var task: Task
  }

  private static let size = 1 << 10
  private var entries: [Entry] = []

  /// The task of a front of 25 to 40 bytes, up to the bracket; nil where it is not known.
  @inline(__always)
  func find(_ front: UnsafeRawPointer, _ count: Int) -> Task? {
    let (words, place) = Self.words(front, count)
    guard !entries.isEmpty, entries[place].count == count, entries[place].words == words else { return nil }
    return entries[place].task
  }

  mutating func remember(_ front: UnsafeRawPointer, _ count: Int, _ task: Task) {
    let (words, place) = Self.words(front, count)
    if entries.isEmpty {
      entries = Array(repeating: Entry(words: words, task: task), count: Self.size)
    }
    entries[place] = Entry(words: words, count: count, task: task)
  }

  @inline(__always)
  private static func words(_ front: UnsafeRawPointer, _ count: Int) -> (Words, Int) {
    // Three overlapping loads hold all of up to 40 bytes.
    let words = Words(
      first: front.loadUnaligned(as: SIMD2<UInt64>.self),
      middle: (front + 8).loadUnaligned(as: SIMD2<UInt64>.self),
      last: (front + (count &- 16)).loadUnaligned(as: SIMD2<UInt64>.self))
    // Tasks differ in what stands at the end: the number, the CPU.
    let mixed = (words.last.x ^ words.last.y &* 0x9e37_79b9_7f4a_7c15) &* 0xbf58_476d_1ce4_e5b9
    return (words, Int(truncatingIfNeeded: mixed &>> 54))
  }

  /// Reads a front; nil where the line has to be read in the general way.
  static func origin(of front: UnsafeRawBufferPointer) -> RecordOrigin? {
    guard isPlain(front) else { return nil }
    let line = Line(front)
    let origin = RecordOrigin(line, from: line.skipBlanks(0), endingInCPU: line.count)
    guard origin.pid >= 0, origin.cpu >= 0, origin.buffer.isEmpty else { return nil }
    return origin
  }

  /// Whether a front can be read by `RecordOrigin` as it stands: nothing in it that the general parser would take for
  /// a quote mark, a column, an entity, a buffer's name or an event.
  private static func isPlain(_ front: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < front.count, front[index] == 0x20 { index += 1 }
    guard index > 0, index < front.count, front[index].isLetter || front[index] == UInt8(ascii: "<") else {
      return false
    }
    for byte in front {
      guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "|"), byte != UInt8(ascii: "&") else {
        return false
      }
    }
    let line = Line(front)
    return line.find("graph_", from: 0) == nil
  }
}
