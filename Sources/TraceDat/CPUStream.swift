internal import FunctionGraph
internal import Synchronization

/// What the pages and chunks of all CPUs of a buffer may take together.
final class MemoryBudget: Sendable {
  private let taken = Atomic<Int>(0)
  private static let limit = 512 << 20

  /// False, and nothing taken, where `count` bytes are more than what is left.
  func take(_ count: Int) -> Bool {
    if taken.add(count, ordering: .relaxed).newValue <= Self.limit { return true }
    taken.subtract(count, ordering: .relaxed)
    return false
  }
}

/// What walking a CPU's pages needs to know of the file and the buffer, the same for all its CPUs.
struct PageContext {
  let file: FileBytes
  /// Where records are walked fast enough to wait for memory.
  let pages: FilePages?
  let order: ByteOrder
  let layout: SubBufferLayout
  let pageSize: Int
  let decompressor: Decompressor
  let memory: MemoryBudget
  let conversion: TimestampConversion
  /// The record types to stop at, −1 where there is no such format; and how long their records are at least.
  let type: RecordField
  let pidEnd: Int
  let entry: Int32
  let entryLength: Int
  let returnAddressEntry: Int32
  let returnAddressEntryLength: Int
  let exit: Int32
  let exitLength: Int
  /// Where not all functions are delivered.
  let sieve: FunctionSieve?
  /// Where calls are summed up at once.
  let tally: StackTally?
  /// Where calls are paired at once.
  let pairing: CallPairing?
  /// There is one of these three. Asked of every record, where looking at references would count them up and down.
  let skims: Bool
  /// From one page to the next where `PageRow` can follow, else 0.
  let pageStep: Int
  /// Stamps are as recorded.
  let isIdentity: Bool
  /// Records of other events to stop at.
  let watched: WatchedRecords?
  let watches: Bool

  init(
    file: FileBytes, order: ByteOrder, layout: SubBufferLayout, pageSize: Int, decompressor: Decompressor,
    memory: MemoryBudget, conversion: TimestampConversion, formats: GraphFormats?,
    sieve: FunctionSieve? = nil, tally: StackTally? = nil, pairing: CallPairing? = nil,
    watched: WatchedRecords? = nil
  ) {
    self.pairing = pairing
    self.watched = watched
    watches = watched != nil
    self.tally = tally
    skims = sieve != nil || tally != nil || pairing != nil
    pages = sieve != nil || tally != nil ? file.pages : nil
    isIdentity = conversion.isIdentity
    self.sieve = sieve
    self.file = file
    self.order = order
    self.layout = layout
    self.pageSize = pageSize
    pageStep = layout == PageRow.usualLayout && !order.isBigEndian ? pageSize : 0
    self.decompressor = decompressor
    self.memory = memory
    self.conversion = conversion
    type = formats?.type ?? RecordField(offset: 0, size: 2, isSigned: false)
    pidEnd = formats?.pid.end ?? .max
    entry = formats?.entry.map { Int32($0.id) } ?? -1
    entryLength = formats?.entry?.minimumLength ?? 0
    returnAddressEntry = formats?.returnAddressEntry.map { Int32($0.id) } ?? -1
    returnAddressEntryLength = formats?.returnAddressEntry?.minimumLength ?? 0
    exit = formats?.exit.map { Int32($0.id) } ?? -1
    exitLength = formats?.exit?.minimumLength ?? 0
  }
}

/// The records of one CPU in one buffer: its pages one after another, in blocks (or chunks) that take the same memory
/// however long the trace is.
final class CPUStream {
  /// The event that comes next on this CPU.
  enum Pending {
    case entry
    case returnAddressEntry
    case exit
    /// A record of another function than those wanted; see `Event.Kind.unwound`.
    case unwound(depth: Int32)
    /// Of another event: see `WatchedRecords`.
    case switched
    case interrupt(source: UInt8, isExit: Bool)
    /// So many events were lost here; 0 where the file does not say.
    case lost(UInt64)
  }

  /// Uncompressed data is read in blocks of this size, rounded to whole pages. A processor's second cache, of 512 KiB or more,
  /// holds a block, the next one, which is fetched meanwhile, and the tables in which calls are looked up. With 256 KiB all
  /// functions of 390 MiB took 1.5 times as long where it has 512 (Zen 3), all of that in the system's copy.
  static let blockSize = 128 << 10

  let cpu: Int32
  /// Among the CPUs that one tally sums up.
  let lane: Int
  private(set) var pending = Pending.lost(0)
  /// Of the pending event, converted.
  private(set) var timestamp: UInt64 = 0
  /// Stands on the pending record.
  private(set) var cursor = SubBufferCursor.empty

  private let isCut: Bool
  private let isCompressed: Bool
  /// Of the next byte to read, and of the end of what the file has of this CPU.
  private var position: UInt64
  private let end: UInt64
  /// Where others may take of what is not read, who has it.
  private let unread: UnreadBytes?
  /// Chunks not yet read; nil before the first.
  private var chunksLeft: UInt32?
  private var block: RawBlock
  private let words = RawBlock(capacity: 8)
  private let blockCapacity: Int
  /// Of the block, in the file.
  private var blockOffset: UInt64 = 0
  /// What is fetched while it is walked.
  private var ahead = BlockAhead()
  /// Of the current page and of the next, in the block.
  private var pageStart = 0
  private var nextPage = 0
  /// Pages or chunks that cannot be used stood before the next page.
  private var hasUnusable = false
  /// The current page's header reports a loss that has not been delivered.
  private var hasMissed = false
  /// The time of the last record, to notice time going back.
  private(set) var lastTimestamp: UInt64 = 0
  private var skimming = Skimming()
  /// At the end, where a sieve leaves records out: the task of the last record; `Int32.min` where a loss came behind it.
  private(set) var lastPID = Int32.min
  /// Whether the pending record is the first one of its task's turn.
  private(set) var turn = Turn.Start.none

  /// - Parameters:
  ///   - extent: lies within the file.
  ///   - isCut: the file ends before the extent did.
  ///   - block: memory to read into that nobody else uses as long as this stream is read.
  ///   - unread: the extent, of uncompressed data, where it may get shorter while it is read.
  ///   - lane: among the CPUs that one tally sums up.
  init(
    _ extent: CPUExtent, isCut: Bool, isCompressed: Bool, pageSize: Int, blockSize: Int,
    block: RawBlock = RawBlock(capacity: 0), unread: UnreadBytes? = nil, lane: Int = 0
  ) {
    self.lane = lane
    self.block = block
    self.unread = unread
    block.count = 0
    cpu = Int32(clamping: extent.cpu)
    self.isCut = isCut
    self.isCompressed = isCompressed
    position = extent.offset
    end = extent.offset + extent.size
    blockCapacity = max(pageSize, min(blockSize, Self.blockSize) / pageSize * pageSize)
  }

  /// Finds the next event.
  ///
  /// - Returns: false at the end of this CPU's data.
  func advance(_ context: borrowing PageContext, _ diagnostics: inout Diagnostics) throws(TraceError) -> Bool
  {
    if takeMissed(context, &diagnostics) { return true }
    while true {
      var cursor = self.cursor
      records: while true {
        if context.skims { skim(&cursor, context) }
        switch cursor.advance() {
        case .record:
          guard cursor.payloadLength >= context.type.end else { continue }
          let type = Int32(truncatingIfNeeded: cursor.unsigned(context.type))
          let needed: Int
          if type == context.exit {
            pending = .exit
            needed = context.exitLength
          } else if type == context.entry {
            pending = .entry
            needed = context.entryLength
          } else if type == context.returnAddressEntry {
            pending = .returnAddressEntry
            needed = context.returnAddressEntryLength
          } else {
            if context.watches, stops(at: type, cursor, context) { return true }
            continue
          }
          guard cursor.payloadLength >= needed else {
            diagnostics.record(
              .damagedPage, at: place(of: cursor.payload),
              "a record of \(cursor.payloadLength) bytes, its format needs \(needed)")
            continue
          }
          self.cursor = cursor
          let last = lastTimestamp
          take(cursor.timestamp, context, &diagnostics)
          if context.skims, let sieve = context.sieve {
            var skimming = self.skimming
            let verdict = sieve.verdict(cursor, pending, cpu: cpu, at: timestamp, after: last, &skimming)
            turn = skimming.turn
            self.skimming = skimming
            switch verdict {
            case .wanted: break
            case .unwound(let depth): pending = .unwound(depth: depth)
            case .skipped: continue
            }
          }
          return true
        case .end:
          break records
        case .damaged:
          diagnostics.record(
            .damagedPage, at: place(of: cursor.position),
            "a record of CPU \(cpu) that does not fit into its page; the page's rest is left out")
          self.cursor = .empty
          pending = .lost(0)
          timestamp = context.conversion.converted(cursor.timestamp, cpu: cpu)
          return true
        }
      }
      // Stay off the page's end: what follows may be without a next page.
      self.cursor = .empty
      switch try loadPage(context, &diagnostics) {
      case .page:
        giveSkimmed(context)
        // A loss gets the time of what follows it, which is when it is known to be over.
        hasMissed = self.cursor.missed != nil
        if hasUnusable {
          hasUnusable = false
          pending = .lost(0)
          take(self.cursor.timestamp, context, &diagnostics)
          return true
        }
        if takeMissed(context, &diagnostics) { return true }
      case .unusable:
        hasUnusable = true
      case .end:
        giveSkimmed(context)
        lastPID = skimming.pid
        if context.skims { endTurn() }
        guard hasUnusable else { return false }
        hasUnusable = false
        pending = .lost(0)
        timestamp = lastTimestamp
        return true
      }
    }
  }

  /// The stream's own variables are copied and put back: lent to a function, each would be entered into a list of accesses
  /// of the runtime's once a page.
  @inline(__always)
  private func skim(_ cursor: inout SubBufferCursor, _ context: borrowing PageContext) {
    var last = lastTimestamp
    let base = cursor.base
    let pages = PageRow(
      next: base + (nextPage - pageStart), end: base + (block.bytes.count - pageStart),
      size: context.pageStep, latest: last, ahead: ahead.distance)
    if let sieve = context.sieve {
      var skimming = self.skimming
      cursor.skim(sieve, &skimming, &last, pages)
      self.skimming = skimming
    } else if let tally = context.tally {
      tally.skim(&cursor, &last, lane: lane, pages)
    } else if let pairing = context.pairing {
      pairing.skim(&cursor, &last)
    }
    pageStart += cursor.base - base
    nextPage += cursor.base - base
    lastTimestamp = last
  }

  /// What comes next is another turn, of whatever task.
  private func endTurn() {
    var skimming = self.skimming
    skimming.endTurn()
    self.skimming = skimming
  }

  /// Where a sieve leaves records out: the task whose turn ended in front of the pending event, or of the end, with a record
  /// that was left out, and when that was.
  func takeLeft() -> (pid: Int32, timestamp: UInt64)? {
    guard let left = skimming.left else { return nil }
    skimming.left = nil
    return left
  }

  /// What was skimmed up to the end of a page goes to the sieve.
  private func giveSkimmed(_ context: borrowing PageContext) {
    guard let sieve = context.sieve else { return }
    var skimming = self.skimming
    sieve.add(&skimming)
    self.skimming = skimming
  }

  /// Whether a record of another event is a watched one, which is then the pending one. Where functions are picked out or
  /// summed up, which cannot take it, the trace has to be read event by event, and what this returns is of no account.
  private func stops(at type: Int32, _ cursor: SubBufferCursor, _ context: borrowing PageContext) -> Bool {
    guard let watched = context.watched else { return false }
    let kind = watched.kind(of: UInt16(truncatingIfNeeded: type))
    switch kind {
    case .none: return false
    case .switched:
      guard cursor.payloadLength >= max(watched.switchLength, context.pidEnd) else { return false }
      pending = .switched
    case .interrupt(let source, let isExit):
      guard cursor.payloadLength >= context.pidEnd else { return false }
      pending = .interrupt(source: source, isExit: isExit)
    }
    if context.skims {
      context.sieve?.needsAll = true
      context.tally?.needsEvents = true
      pending = .lost(0)
    }
    self.cursor = cursor
    timestamp =
      context.isIdentity ? cursor.timestamp : context.conversion.converted(cursor.timestamp, cpu: cpu)
    return true
  }

  /// Turns to the loss that the page's header reports, if it has not been delivered yet.
  private func takeMissed(_ context: borrowing PageContext, _ diagnostics: inout Diagnostics) -> Bool {
    guard hasMissed, let missed = cursor.missed else { return false }
    hasMissed = false
    pending = .lost(missed)
    if context.skims { endTurn() }
    take(cursor.timestamp, context, &diagnostics)
    return true
  }

  @inline(__always)
  private func take(_ stamp: UInt64, _ context: borrowing PageContext, _ diagnostics: inout Diagnostics) {
    timestamp = context.isIdentity ? stamp : context.conversion.converted(stamp, cpu: cpu)
    if timestamp < lastTimestamp {
      // What is merged by time depends on every record then.
      context.sieve?.needsAll = true
      diagnostics.record(
        .timeGoesBack, at: place(of: cursor.payload), "CPU \(cpu): \(timestamp) after \(lastTimestamp)")
    }
    lastTimestamp = timestamp
  }

  /// Whether the pending event is a record of this task.
  func isRecord(of pid: Int32, _ formats: GraphFormats) -> Bool {
    if case .lost = pending { return false }
    return Int32(truncatingIfNeeded: cursor.unsigned(formats.pid)) == pid
  }

  /// Where the current page begins, of uncompressed data.
  var pageOffset: UInt64 { blockOffset + UInt64(pageStart) }

  /// Where the pending record is.
  var recordPlace: Diagnostic.Place { place(of: cursor.payload) }

  /// A place in the current page as a place in the file; of compressed data, the chunk's.
  private func place(of offset: Int) -> Diagnostic.Place {
    .byte(isCompressed ? blockOffset : blockOffset + UInt64(pageStart + offset))
  }

  private enum Load {
    case page
    /// Data that cannot be used stood here.
    case unusable
    case end
  }

  /// Puts the cursor before the next page's first record.
  private func loadPage(
    _ context: borrowing PageContext, _ diagnostics: inout Diagnostics
  ) throws(TraceError) -> Load {
    while nextPage >= block.count {
      let load = isCompressed ? try loadChunk(context, &diagnostics) : try loadBlock(context)
      if load != .page { return load }
    }
    pageStart = nextPage
    // The last page of a file that was cut may be a part; what its header vouches for can be read.
    let length = min(context.pageSize, block.count - pageStart)
    nextPage = pageStart + length
    let page = UnsafeRawBufferPointer(rebasing: block.bytes[pageStart..<nextPage])
    guard let cursor = SubBufferCursor(page, layout: context.layout, order: context.order) else {
      if isCut && length < context.pageSize { return .end }
      diagnostics.record(
        .damagedPage, at: place(of: 0), "the header of a page of CPU \(cpu) claims more than the page has")
      return .unusable
    }
    self.cursor = cursor
    return .page
  }

  private func loadBlock(_ context: borrowing PageContext) throws(TraceError) -> Load {
    var count = Int(min(UInt64(blockCapacity), end - position))
    if let unread {
      let taken = unread.take(blockCapacity)
      position = taken.lowerBound
      count = Int(taken.upperBound - taken.lowerBound)
    }
    guard count > 0 else { return .end }
    if block.memory.count < count { block = RawBlock(capacity: count) }
    block.count = try context.file.read(
      at: position, into: UnsafeMutableRawBufferPointer(rebasing: block.memory[0..<count]))
    guard block.count > 0 else { return .end }
    blockOffset = position
    position += UInt64(block.count)
    if context.pages != nil {
      let available = context.file.available(at: position, count: UInt64(blockCapacity))
      let next = position..<position + available
      if !ahead.hasMapped(next), let pages = context.pages { ahead.map(next, pages) }
      ahead.move(to: next, from: UnsafeRawPointer(block.memory.baseAddress!))
    }
    nextPage = 0
    return .page
  }

  /// "COMPRESSION FORMAT OF THE TRACE DATA": a count, then chunks with their two sizes.
  private func loadChunk(
    _ context: borrowing PageContext, _ diagnostics: inout Diagnostics
  ) throws(TraceError) -> Load {
    block.count = 0
    nextPage = 0
    if chunksLeft == nil {
      guard let count = try words(1, context) else {
        return cut(&diagnostics, "the number of chunks", needed: 4)
      }
      chunksLeft = count.0
    }
    guard let left = chunksLeft, left > 0 else { return .end }
    guard let (compressedSize, size) = try words(2, context) else {
      return cut(&diagnostics, "a chunk's header", needed: 8)
    }
    chunksLeft = left - 1
    let offset = position
    let present = Int(min(UInt64(compressedSize), end - position))
    let isWhole = present == Int(compressedSize)
    guard isWhole || isCut else {
      return cut(&diagnostics, "a chunk", needed: UInt64(compressedSize))
    }
    position += UInt64(present)
    blockOffset = offset - 8
    if let objection = Decompressor.objection(compressed: UInt64(compressedSize), decompressed: UInt64(size))
    {
      diagnostics.record(.damagedChunk, at: .byte(blockOffset), "a chunk of CPU \(cpu): \(objection)")
      return .unusable
    }
    let compressed = context.decompressor.scratch(present)
    compressed.count = try context.file.read(
      at: offset, into: UnsafeMutableRawBufferPointer(rebasing: compressed.memory[0..<present]))
    if block.memory.count < Int(size) {
      guard context.memory.take(Int(size) - block.memory.count) else {
        diagnostics.record(
          .limitReached, at: .byte(blockOffset), "a chunk of CPU \(cpu): too many chunks in memory")
        return .unusable
      }
      block = RawBlock(capacity: Int(size))
    }
    let target = UnsafeMutableRawBufferPointer(rebasing: block.memory[0..<Int(size)])
    guard isWhole else {
      // The pages in front of the cut; a part of one is not known to be whole up to its end.
      let made = context.decompressor.decompressBeginning(compressed, into: target)
      block.count = made / context.pageSize * context.pageSize
      chunksLeft = 0
      return block.count > 0 ? .page : .end
    }
    guard compressed.count == Int(compressedSize),
      let made = context.decompressor.decompress(compressed.bytes, into: target), made == Int(size)
    else {
      diagnostics.record(.damagedChunk, at: .byte(blockOffset), "a chunk of CPU \(cpu) does not decompress")
      return .unusable
    }
    block.count = made
    return .page
  }

  /// One or two 32-bit numbers at the position, which moves behind them; nil where the data ends before.
  private func words(_ count: Int, _ context: borrowing PageContext) throws(TraceError) -> (UInt32, UInt32)? {
    guard end - position >= UInt64(4 * count) else { return nil }
    let target = UnsafeMutableRawBufferPointer(rebasing: words.memory[0..<4 * count])
    guard try context.file.read(at: position, into: target) == 4 * count else { return nil }
    position += UInt64(4 * count)
    let base = UnsafeRawPointer(words.memory.baseAddress!)
    return (context.order.uint32(base), count > 1 ? context.order.uint32(base, 4) : 0)
  }

  /// The data ends inside something. Where the file was cut, that has been said already.
  private func cut(_ diagnostics: inout Diagnostics, _ what: String, needed: UInt64) -> Load {
    if !isCut {
      diagnostics.record(
        .damagedChunk, at: .byte(position),
        "CPU \(cpu): \(what) of \(needed) bytes, \(end - position) are left")
    }
    position = end
    chunksLeft = 0
    return .end
  }
}
