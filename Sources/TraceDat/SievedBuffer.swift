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
/// lets it pass, which does no harm. What the sieve relies on across pieces (times that do not go back, tasks that stay
/// on their CPU) is checked where they meet. Compressed data, which can only be read from its beginning, is one piece.
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
  /// Records of compressed data that are taken at once.
  private static let recordsAtOnce = 1 << 14
  /// Pieces that are looked through before what passed is taken up.
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
    var isFinished = false
    /// Those that passed and wait, a piece each; none is empty, and those in front of `first` are gone.
    var passed: [[GraphRecord]] = []
    var first = 0
    /// In the first of them.
    var head = 0
    var waiting = 0
    /// The time of the last record looked at.
    var lastTimestamp: UInt64 = 0

    var isEmpty: Bool { waiting == 0 }
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

  private struct Piece {
    let lane: Int
    let extent: CPUExtent
    let isCut: Bool
    var stream: CPUStream?
    var records: [GraphRecord] = []
    var lastTimestamp: UInt64 = 0
    var isFinished = true
    var hasDiagnostics = false
    var failure: TraceError?
    /// Too many records passed first.
    var isLeft = true
  }

  private var lanes: [Lane] = []
  private var heap = MergeHeap()
  private let pageSize: Int
  private let pieceSize: Int
  private let blockSize: Int
  private let mostWaiting: Int
  /// One for each thread.
  private let contexts: [PageContext]
  private let sieves: [FunctionSieve]
  private let blocks: [RawBlock]
  private let formats: GraphFormats

  /// - Parameters:
  ///   - cpus: by number.
  ///   - contexts: one for each thread, with a sieve and a decompressor of its own.
  init(
    _ cpus: [CPUData], isCompressed: Bool, blockSize: Int, formats: GraphFormats, contexts: [PageContext],
    limits: Limits
  ) {
    mostWaiting = limits.waiting
    self.contexts = contexts
    self.formats = formats
    self.blockSize = blockSize
    sieves = contexts.compactMap(\.sieve)
    blocks = contexts.map { _ in RawBlock(capacity: isCompressed ? 0 : blockSize) }
    pageSize = contexts.first?.pageSize ?? 4096
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
      guard try refill() else { return false }
      guard let index = heap.first else { return false }
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

  /// Sees to it that every lane that may still get records has one; false where the sieve cannot be used.
  private mutating func refill() throws(TraceError) -> Bool {
    while lanes.contains(where: { $0.isEmpty && !$0.isFinished }) {
      var (pieces, needed) = nextPieces()
      look(through: &pieces, needed: needed)
      for piece in pieces {
        if let failure = piece.failure { throw failure }
        if piece.isLeft { giveBack(piece) } else { take(piece) }
      }
      if sieves.contains(where: \.needsAll) { return false }
    }
    return true
  }

  /// - Returns: the next pieces, in front those `needed` ones that the merge waits for.
  private mutating func nextPieces() -> (pieces: [Piece], needed: Int) {
    var pieces: [Piece] = []
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
  private mutating func giveBack(_ piece: Piece) {
    lanes[piece.lane].next = min(lanes[piece.lane].next, piece.extent.offset)
    lanes[piece.lane].isFinished = false
  }

  private mutating func nextPiece(of index: Int) -> Piece {
    let start = lanes[index].next
    let size = min(UInt64(pieceSize), lanes[index].end - start)
    lanes[index].next = start + size
    let isLast = lanes[index].next == lanes[index].end
    if lanes[index].stream == nil { lanes[index].isFinished = isLast }
    return Piece(
      lane: index, extent: CPUExtent(cpu: lanes[index].number, offset: start, size: size),
      isCut: lanes[index].isCut && isLast, stream: lanes[index].stream)
  }

  /// On as many threads as there are contexts, until too many records have passed. Each has its own piece, context and block,
  /// so nothing else is shared.
  ///
  /// - Parameter needed: so many pieces are looked through however many pass.
  private func look(through pieces: inout [Piece], needed: Int) {
    struct State {
      var next = 0
      var waiting: Int
    }
    let count = pieces.count
    let workers = min(count, contexts.count)
    let state = Guarded(State(waiting: lanes.reduce(0) { $0 + $1.waiting }))
    func claim() -> Int? {
      state.withLock { state in
        guard state.next < count, state.next < needed || state.waiting < mostWaiting else { return nil }
        defer { state.next += 1 }
        return state.next
      }
    }
    pieces.withUnsafeMutableBufferPointer { pieces in
      inParallel(workers, workers: workers) { _, worker in
        while let item = claim() {
          look(through: &pieces[item], worker)
          let passed = pieces[item].records.count
          let isOver = sieves[worker].needsAll
          state.withLock { state in
            state.waiting += passed
            if isOver { state.next = count }
          }
        }
      }
    }
  }

  private func look(through piece: inout Piece, _ worker: Int) {
    let isCompressed = piece.stream != nil
    // Once a piece: its references are counted, by all threads.
    let context = contexts[worker]
    let stream =
      piece.stream
      ?? CPUStream(
        piece.extent, isCut: piece.isCut, isCompressed: false, pageSize: pageSize, blockSize: blockSize,
        block: blocks[worker])
    var diagnostics = Diagnostics()
    var records: [GraphRecord] = []
    do throws(TraceError) {
      var isMore = true
      while isMore, !isCompressed || records.count < Self.recordsAtOnce {
        isMore = try stream.advance(context, &diagnostics)
        if isMore { records.append(GraphRecord(stream, formats, &diagnostics)) }
      }
      piece.isFinished = !isMore
    } catch {
      piece.failure = error
    }
    piece.isLeft = false
    piece.records = records
    piece.lastTimestamp = stream.lastTimestamp
    // They are told in the order of the merged events, which is not known here.
    if !diagnostics.isEmpty { sieves[worker].needsAll = true }
  }

  private mutating func take(_ piece: Piece) {
    let index = piece.lane
    if lanes[index].stream != nil { lanes[index].isFinished = piece.isFinished }
    guard let first = piece.records.first else { return }
    if first.timestamp < lanes[index].lastTimestamp { sieves.first?.needsAll = true }
    lanes[index].lastTimestamp = max(lanes[index].lastTimestamp, piece.lastTimestamp)
    if lanes[index].isEmpty { heap.insert(index, at: first.timestamp) }
    lanes[index].append(piece.records)
  }
}
