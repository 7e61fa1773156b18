internal import FunctionGraph

/// The data of one CPU of a buffer, as far as the file has it.
struct CPUData {
  var extent: CPUExtent
  /// The file ends before the extent did.
  var isCut: Bool
}

/// What a `FunctionSieve` lets pass of one buffer: the CPUs' data cut into pieces that several threads look through at
/// once, merged by time again.
///
/// A piece needs nothing of the one in front of it: the sieve takes a stream's first record for that of another task and
/// lets it pass, which does no harm. What the sieve relies on across pieces and CPUs (times that do not go back, tasks that
/// run elsewhere between their turns only) is checked where they meet. Compressed data, which can only be read from its beginning, is one piece.
///
/// The pieces, and so what comes out, do not depend on the number of threads.
struct SievedBuffer {
  struct Limits {
    /// Bytes of a piece, less with many CPUs: all of its records may pass, and those of one piece of every CPU wait.
    var pieceSize = 1 << 20
    /// Where so many records wait for others that come before them, no more pieces are begun than the merge waits for.
    var waiting = 1 << 16
  }

  private static let waitingBytes = 64 << 20
  /// Pieces that are planned at once.
  private static let mostPieces = 1 << 10

  private struct Lane {
    let cpu: Int32
    let isCut: Bool
    /// The rest, of uncompressed data.
    var next: UInt64
    let end: UInt64
    let number: UInt32
    /// Compressed data has one stream, which goes on.
    var stream: CPUStream?
    /// Nothing is left to be planned;
    var isFinished = false
    /// and so many pieces are planned.
    var planned = 0
    /// Those that passed and wait, a piece each; none is empty, and those in front of `first` are gone.
    var passed: [[GraphRecord]] = []
    var first = 0
    /// In the first of them.
    var head = 0
    var waiting = 0
    /// The time of the last record looked at.
    var lastTimestamp: UInt64 = 0
    /// Its task; `nobody` where a loss came behind it.
    var lastPID = Lane.nobody
    /// Whose turn it is, as far as the records tell that were delivered; `nobody` where another CPU has its task since.
    var pid: Int32 = 0
    static let nobody = Int32.min

    var isEmpty: Bool { waiting == 0 }
    /// No record waits, and there may be more.
    var isWaitedFor: Bool { isEmpty && (planned > 0 || !isFinished) }
    var nextTimestamp: UInt64? { isEmpty ? nil : passed[first][head].timestamp }

    mutating func append(_ records: [GraphRecord]) {
      if passed.count == first {
        passed.removeAll(keepingCapacity: true)
        first = 0
      }
      passed.append(records)
      waiting += records.count
    }

    /// The first `count` ones, of the first piece, are gone.
    mutating func drop(_ count: Int) {
      waiting -= count
      head += count
      guard head == passed[first].count else { return }
      passed[first] = []
      first += 1
      head = 0
    }
  }

  private var lanes: [Lane] = []
  private var heap = MergeHeap()
  private let pageSize: Int
  private let pieceSize: Int
  private let mostWaiting: Int
  /// One for each thread.
  private let walkers: [SievedPieces.Walker]
  /// Those that are in work, none where a plan has been carried out; and the next of them.
  private var pieces: SievedPieces?
  /// A task ran elsewhere amid one of its turns.
  private(set) var breaksTurns = false
  private var plan: [SievedPieces.Piece] = []
  private var nextInPlan = 0

  /// - Parameters:
  ///   - cpus: by number.
  ///   - contexts: one for each thread, with a sieve and a decompressor of its own.
  init(
    _ cpus: [CPUData], isCompressed: Bool, blockSize: Int, formats: GraphFormats, contexts: [PageContext],
    limits: Limits
  ) {
    mostWaiting = limits.waiting
    let pageSize = contexts.first?.pageSize ?? 4096
    self.pageSize = pageSize
    walkers = contexts.compactMap { context in
      context.sieve.map {
        SievedPieces.Walker(
          context: context, sieve: $0, block: RawBlock(capacity: isCompressed ? 0 : blockSize),
          formats: formats, pageSize: pageSize, blockSize: blockSize)
      }
    }
    let size = min(limits.pieceSize, Self.waitingBytes / max(cpus.count, 1))
    pieceSize = max(pageSize, size / pageSize * pageSize)
    for cpu in cpus {
      let extent = cpu.extent
      var lane = Lane(
        cpu: Int32(clamping: extent.cpu), isCut: cpu.isCut, next: extent.offset,
        end: extent.offset + extent.size, number: extent.cpu)
      if isCompressed {
        lane.stream = CPUStream(
          extent, isCut: cpu.isCut, isCompressed: true, pageSize: pageSize, blockSize: blockSize)
      }
      lanes.append(lane)
    }
  }

  /// Appends the next records, with their CPUs, to `body` until it wants no more; false where there are none left, or
  /// the trace has to be read with all functions.
  mutating func deliver(_ body: (GraphRecord, _ cpu: Int32) -> Bool) throws(TraceError) -> Bool {
    while true {
      guard try refill(), let index = heap.first else {
        pieces?.stop()
        return false
      }
      let limit = heap.limit
      var wantsMore = true
      while wantsMore, !lanes[index].isEmpty {
        let records = lanes[index].passed[lanes[index].first]
        let head = lanes[index].head
        var next = head
        while wantsMore, next < records.count {
          let record = records[next]
          guard record.timestamp < limit.timestamp || record.timestamp == limit.timestamp && limit.winsTies
          else { break }
          guard follow(record, index) else {
            walkers.first?.sieve.needsAll = true
            pieces?.stop()
            return false
          }
          next += 1
          wantsMore = body(record, lanes[index].cpu)
        }
        lanes[index].drop(next - head)
        if next < records.count { break }
      }
      heap.update(to: lanes[index].nextTimestamp)
      if !wantsMore { return true }
    }
  }

  /// Keeps whose turn it is.
  ///
  /// - Returns: false where a task ran elsewhere amid one of its turns.
  private mutating func follow(_ record: GraphRecord, _ index: Int) -> Bool {
    // The idle task is another one on every CPU.
    guard record.kind != .lost, record.pid > 0, record.pid != lanes[index].pid else { return true }
    switch record.turn {
    case .none:
      breaksTurns = true
      return false
    case .piece, .otherTask, .sameTask: break
    }
    for other in lanes.indices where lanes[other].pid == record.pid { lanes[other].pid = Lane.nobody }
    lanes[index].pid = record.pid
    return true
  }

  /// Sees to it that every lane that may still get records has one; false where there are none, or the sieve cannot be used.
  private mutating func refill() throws(TraceError) -> Bool {
    while lanes.contains(where: \.isWaitedFor) {
      if pieces == nil { begin() }
      guard let pieces, nextInPlan < plan.count else {
        end()
        continue
      }
      switch try pieces.take(nextInPlan) {
      case .done(let piece):
        nextInPlan += 1
        if !take(piece) { return false }
      case .left: end()
      case .over: return false
      }
    }
    return true
  }

  /// Begins to look through the next pieces, on as many threads as there are walkers.
  private mutating func begin() {
    let (next, needed) = nextPieces()
    plan = next
    nextInPlan = 0
    let waiting = lanes.reduce(0) { $0 + $1.waiting }
    pieces = SievedPieces(next, needed: needed, mostPassing: mostWaiting - waiting, walkers)
  }

  /// What was not begun is planned anew.
  private mutating func end() {
    pieces?.stop()
    pieces = nil
    for piece in plan[nextInPlan...] { giveBack(piece) }
    plan = []
    nextInPlan = 0
  }

  /// - Returns: the next pieces, in front those `needed` ones that the merge waits for.
  private mutating func nextPieces() -> (pieces: [SievedPieces.Piece], needed: Int) {
    var pieces: [SievedPieces.Piece] = []
    for index in lanes.indices where lanes[index].isEmpty && !lanes[index].isFinished {
      pieces.append(nextPiece(of: index))
    }
    let needed = pieces.count
    var isMore = true
    while isMore, pieces.count < Self.mostPieces {
      isMore = false
      for index in lanes.indices where lanes[index].stream == nil && !lanes[index].isFinished {
        pieces.append(nextPiece(of: index))
        isMore = true
      }
    }
    return (pieces, needed)
  }

  /// Of a lane's pieces the last ones are left.
  private mutating func giveBack(_ piece: SievedPieces.Piece) {
    lanes[piece.lane].next = min(lanes[piece.lane].next, piece.extent.offset)
    lanes[piece.lane].isFinished = false
    lanes[piece.lane].planned -= 1
  }

  private mutating func nextPiece(of index: Int) -> SievedPieces.Piece {
    let start = lanes[index].next
    let size = min(UInt64(pieceSize), lanes[index].end - start)
    lanes[index].next = start + size
    lanes[index].planned += 1
    let isLast = lanes[index].next == lanes[index].end
    if lanes[index].stream == nil { lanes[index].isFinished = isLast }
    return SievedPieces.Piece(
      lane: index, extent: CPUExtent(cpu: lanes[index].number, offset: start, size: size),
      isCut: lanes[index].isCut && isLast, stream: lanes[index].stream)
  }

  /// - Returns: false where the sieve cannot be used.
  private mutating func take(_ piece: SievedPieces.Piece) -> Bool {
    let index = piece.lane
    lanes[index].planned -= 1
    if lanes[index].stream != nil { lanes[index].isFinished = piece.isFinished }
    guard let first = piece.records.first else { return true }
    if first.timestamp < lanes[index].lastTimestamp {
      // That of this thread, which looks through nothing now.
      walkers.first?.sieve.needsAll = true
      return false
    }
    var records = piece.records
    if first.turn == .piece, first.pid == lanes[index].lastPID {
      // The turn goes on, which is of no account where calls are picked out.
      let sieve = walkers.first?.sieve
      let isClose = first.timestamp &- lanes[index].lastTimestamp < sieve?.gap ?? Turn.noGap
      records[0].turn = isClose && sieve?.notesTasks == true ? .none : .sameTask
    }
    lanes[index].lastPID = piece.lastPID
    lanes[index].lastTimestamp = max(lanes[index].lastTimestamp, piece.lastTimestamp)
    if lanes[index].isEmpty { heap.insert(index, at: first.timestamp) }
    lanes[index].append(records)
    return true
  }
}
