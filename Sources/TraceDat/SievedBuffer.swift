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
  /// Bytes of a piece, less with many CPUs: all of its records may pass, and those of one piece of every CPU wait.
  private static let pieceSize = 1 << 20
  private static let waitingBytes = 64 << 20
  /// Records of compressed data that are taken at once.
  private static let recordsAtOnce = 1 << 14
  /// Pieces that are looked through at once.
  private static let mostPieces = 32
  /// So many records may wait for others that come before them, and no more pieces are looked through than the merge
  /// waits for.
  private static let mostWaiting = 1 << 16

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
    /// Those that passed and wait.
    var records: [GraphRecord] = []
    var head = 0
    /// The time of the last record looked at.
    var lastTimestamp: UInt64 = 0

    var isEmpty: Bool { head == records.count }
    var waiting: Int { records.count - head }
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
  }

  private var lanes: [Lane] = []
  private var heap = MergeHeap()
  private let pageSize: Int
  private let pieceSize: Int
  private let blockSize: Int
  private var piecesAtOnce: Int
  /// One for each thread.
  private let contexts: [PageContext]
  private let sieves: [FunctionSieve]
  private let blocks: [RawBlock]
  private let formats: GraphFormats

  /// - Parameters:
  ///   - cpus: by number.
  ///   - contexts: one for each thread, with a sieve and a decompressor of its own.
  init(_ cpus: [CPUData], isCompressed: Bool, blockSize: Int, formats: GraphFormats, contexts: [PageContext])
  {
    self.contexts = contexts
    self.formats = formats
    self.blockSize = blockSize
    sieves = contexts.compactMap(\.sieve)
    blocks = contexts.map { _ in RawBlock(capacity: 0) }
    pageSize = contexts.first?.pageSize ?? 4096
    let size = min(Self.pieceSize, Self.waitingBytes / max(cpus.count, 1))
    pieceSize = max(pageSize, size / pageSize * pageSize)
    piecesAtOnce = cpus.count
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
        let record = lanes[index].records[lanes[index].head]
        guard record.timestamp < limit.timestamp || record.timestamp == limit.timestamp && limit.winsTies
        else { break }
        lanes[index].head += 1
        wantsMore = body(record, lanes[index].cpu)
      }
      if lanes[index].isEmpty {
        heap.update(to: nil)
      } else {
        heap.update(to: lanes[index].records[lanes[index].head].timestamp)
      }
      if !wantsMore { return true }
    }
  }

  /// Sees to it that every lane that may still get records has one; false where the sieve cannot be used.
  private mutating func refill() throws(TraceError) -> Bool {
    while lanes.contains(where: { $0.isEmpty && !$0.isFinished }) {
      var pieces = nextPieces()
      look(through: &pieces)
      var passed = 0
      for piece in pieces {
        if let failure = piece.failure { throw failure }
        passed += piece.records.count
        take(piece)
      }
      if sieves.contains(where: \.needsAll) { return false }
      // As many at once as keep the threads busy, but for what may wait. It is not known at first how much passes.
      let free = Self.mostWaiting - lanes.reduce(0) { $0 + $1.waiting }
      let most = min(Self.mostPieces, 2 * max(pieces.count, contexts.count))
      piecesAtOnce = max(0, min(most, free / max(passed / pieces.count, 1)))
    }
    return true
  }

  private mutating func nextPieces() -> [Piece] {
    var pieces: [Piece] = []
    // Those that the merge waits for come first.
    for index in lanes.indices where lanes[index].isEmpty && !lanes[index].isFinished {
      pieces.append(nextPiece(of: index))
    }
    var isMore = true
    while isMore, pieces.count < piecesAtOnce {
      isMore = false
      for index in lanes.indices
      where lanes[index].stream == nil && !lanes[index].isFinished && pieces.count < piecesAtOnce {
        pieces.append(nextPiece(of: index))
        isMore = true
      }
    }
    return pieces
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

  /// On as many threads as there are contexts. Each has its own piece, context and block, so nothing is shared.
  private func look(through pieces: inout [Piece]) {
    pieces.withUnsafeMutableBufferPointer { pieces in
      inParallel(pieces.count, workers: contexts.count) { item, worker in
        if sieves[worker].needsAll { return }
        let piece = pieces[item]
        let isCompressed = piece.stream != nil
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
            isMore = try stream.advance(contexts[worker], &diagnostics)
            if isMore { records.append(GraphRecord(stream, formats, &diagnostics)) }
          }
          pieces[item].isFinished = !isMore
        } catch {
          pieces[item].failure = error
        }
        pieces[item].records = records
        pieces[item].lastTimestamp = stream.lastTimestamp
        // They are told in the order of the merged events, which is not known here.
        if !diagnostics.isEmpty { sieves[worker].needsAll = true }
      }
    }
  }

  private mutating func take(_ piece: Piece) {
    let index = piece.lane
    if lanes[index].stream != nil { lanes[index].isFinished = piece.isFinished }
    guard let first = piece.records.first else { return }
    if first.timestamp < lanes[index].lastTimestamp { sieves.first?.needsAll = true }
    lanes[index].lastTimestamp = max(lanes[index].lastTimestamp, piece.lastTimestamp)
    if lanes[index].isEmpty {
      lanes[index].records = piece.records
      lanes[index].head = 0
      heap.insert(index, at: first.timestamp)
    } else {
      // Those that have gone on would else stay as long as the lane is never empty.
      if lanes[index].head > lanes[index].records.count / 2 {
        lanes[index].records.removeFirst(lanes[index].head)
        lanes[index].head = 0
      }
      lanes[index].records += piece.records
    }
  }
}
