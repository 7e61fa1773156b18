public import FunctionGraph

/// What a reader saw of the whole trace while it delivered some functions only.
public struct LeftOut: Sendable {
  /// Exits of all functions, delivered or not.
  public var exits: UInt64
  /// The deepest depth of all records, −1 where there were none.
  public var deepest: Int32
  /// False where the trace is of a kind whose calls cannot be told from the delivered events alone: it has to be read
  /// again from the beginning, with all functions.
  public var isComplete: Bool
  /// Where it is not: the same once more, after `restart`, goes about it in another way that may do.
  public var isWorthRepeating: Bool
}

/// Reads a trace.dat, version 6 or 7, as events of the function graph tracer.
///
/// The file is read by offset in blocks; memory does not grow with it. What the file says about itself (`description`)
/// is there from the start; events come buffer by buffer, each with its CPUs merged by time as `trace-cmd report`
/// merges them. Records of other events are skipped.
///
/// Nothing in the file is believed before it is checked: a damaged page, chunk or section becomes a diagnostic at its
/// byte offset, and reading goes on behind it. A file that was cut gives everything in front of the cut.
public struct DatReader: EventReader, ~Copyable {
  /// Events per batch: what stays in a processor's first or second cache until it is taken up (40 KiB).
  static let batchSize = 512

  let file: FileBytes
  let container: Container
  var decoder: EventDecoder
  var context: PageContext
  private var merge = CPUMerge()
  /// Of the buffer being read, and the next one.
  private var buffer = 0
  var nextBuffer = 0
  private var unit = Timestamp.Unit.nanoseconds
  /// Bytes of the file that no CPU has claimed yet.
  private var unclaimed: UInt64

  private var diagnosticsAtStart: Diagnostics
  /// The decoder has all symbols.
  private var hasSymbols = false
  /// One for each thread; none where all functions are delivered.
  private var sieves: [FunctionSieve] = []
  private var sieved: SievedBuffer?
  /// Records of other events that are delivered too.
  private(set) var watched: WatchedRecords?
  /// Where calls are delivered instead of events: of the buffer being read, and of all before it.
  var paired: PairedBuffer?
  /// Some task was seen to run elsewhere amid a turn; see `Turn`.
  private(set) var endsTurnsAtGaps = false
  private var isWorthRepeating = false
  /// Their CPUs are read in step.
  var pairsInStep = false
  var pairedBefore = (losses: 0, lostEvents: UInt64(0), deepest: Int32(-1))
  /// How many threads may read at once.
  public private(set) var jobs: Int
  /// What is looked for before it is asked for.
  var ahead: SymbolsAhead?
  let limits: Limits

  public let comms: StringTable
  public internal(set) var description: TraceDescription
  public internal(set) var diagnostics: Diagnostics

  public var functions: FunctionTable { decoder.functions }
  public var bytesRead: UInt64 { min(file.bytesRead, file.size) }

  /// Whether `prefix`, the first bytes of an input (10 are enough), begins a trace.dat.
  public static func isTraceDat(_ prefix: UnsafeRawBufferPointer) -> Bool {
    prefix.starts(with: Container.magic)
  }

  /// Whether this process reads another trace after one: the symbols of the last ones are kept for it, which takes memory. They
  /// are unless this says otherwise.
  ///
  /// - Parameter isMore: of all that are read from now on.
  public static func expectsMore(_ isMore: Bool) {
    RecentSymbols.areKept = isMore
  }

  /// Reads what the file says about itself.
  ///
  /// - Parameters:
  ///   - size: bytes in the file.
  ///   - readAt: reads at an offset into a buffer and returns how many bytes it read, as pread(2) does; it is never
  ///     asked for bytes behind `size`, and a count of 0 is taken as the end. Several threads may call it at once.
  ///   - jobs: how many threads at most. What is delivered does not depend on it.
  ///   - pages: of the same file, where it is one: to have the processor fetch what will be read.
  ///   - makeReadAt: makes another `readAt` of the same file, which one thread alone will call: through a descriptor of its
  ///     own, say. nil where there is none.
  ///   - onRead: gets to know of all bytes that have been read, sooner or later, on whatever thread.
  /// - Throws: `TraceError`: `.notATrace`, `.unsupported` (another version or compression), `.corrupt` where the
  ///   container's own structure cannot be followed, and whatever `readAt` throws.
  public init(
    size: UInt64, jobs: Int = 1, pages: FilePages? = nil, makeReadAt: (@Sendable () -> ReadAt?)? = nil,
    onRead: @escaping @Sendable (_ count: Int) -> Void = { _ in }, readAt: @escaping ReadAt
  ) throws(TraceError) {
    try self.init(
      size: size, jobs: jobs, limits: Limits(), pages: pages, makeReadAt: makeReadAt, onRead: onRead,
      readAt: readAt)
  }

  /// Reads at an offset, as pread(2) does.
  public typealias ReadAt =
    @Sendable (_ offset: UInt64, _ into: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int

  struct Limits {
    /// Less than these bytes of trace data are read by one thread, which has done so before another one has started.
    var leastForThreads: UInt64 = 4 << 20
    var sieving = SievedBuffer.Limits()
    var tallying = TallyParts.Limits()
    var pairing = PairedBuffer.Limits()

    fileprivate func threads(_ jobs: Int, reading container: borrowing Container) -> Int {
      container.dataSize < leastForThreads ? 1 : Helpers.useful(jobs)
    }
  }

  init(
    size: UInt64, jobs: Int, limits: Limits, pages: FilePages? = nil,
    makeReadAt: (@Sendable () -> ReadAt?)? = nil,
    onRead: @escaping @Sendable (_ count: Int) -> Void = { _ in }, readAt: @escaping ReadAt
  ) throws(TraceError) {
    let file = FileBytes(
      size: size, pages: pages, makeReadAt: makeReadAt, onRead: onRead, readAt: readAt)
    var diagnostics = Diagnostics()
    let container = try Container(file, diagnostics: &diagnostics)

    var comms = StringTable()
    let tasks = try container.readTaskNames(file, comms: &comms, diagnostics: &diagnostics)
    let formats = container.parseFormats(diagnostics: &diagnostics)

    self.file = file
    self.jobs = limits.threads(jobs, reading: container)
    self.limits = limits
    unclaimed = size
    self.container = container
    self.comms = comms
    decoder = EventDecoder(formats: formats, symbols: SymbolIndex(), tasks: tasks)
    context = PageContext(
      file: file, order: container.header.order, layout: container.subBuffer, pageSize: 0,
      decompressor: container.decompressor, memory: MemoryBudget(), conversion: TimestampConversion(),
      formats: nil)
    description = container.description(byteCount: size)
    self.diagnostics = diagnostics
    diagnosticsAtStart = diagnostics
    noteClocks()
  }

  /// Another number of threads than that of the start. To be called before everything else but `symbolsAhead`.
  public mutating func allow(jobs: Int) {
    self.jobs = limits.threads(jobs, reading: container)
  }

  /// Reads all symbols, where that has not been done.
  mutating func loadSymbols() throws(TraceError) {
    if hasSymbols { return }
    var found = Diagnostics()
    decoder.symbols = try allSymbols(&found)
    hasSymbols = true
    for diagnostic in found.kept {
      diagnostics.record(diagnostic.kind, at: diagnostic.place, diagnostic.detail)
      diagnosticsAtStart.record(diagnostic.kind, at: diagnostic.place, diagnostic.detail)
    }
  }

  public mutating func next(_ batch: inout [Event]) throws(TraceError) -> Bool {
    batch.removeAll(keepingCapacity: true)
    while batch.count < Self.batchSize {
      if sieved != nil {
        try takeSieved(&batch)
        continue
      }
      guard let stream = merge.first else {
        guard try openNextBuffer() else { break }
        continue
      }
      let limit = merge.limit
      var isFinished = false
      repeat {
        let record = GraphRecord(stream, decoder.formats, &diagnostics, watched: watched)
        batch.append(decoder.decode(record, cpu: stream.cpu, buffer: UInt16(buffer), unit: unit))
        isFinished = try !stream.advance(context, &diagnostics)
      } while !isFinished && batch.count < Self.batchSize
        && (stream.timestamp < limit.timestamp || (stream.timestamp == limit.timestamp && limit.winsTies))
      merge.update(isFinished: isFinished)
    }
    if decoder.hasDecoded || sieves.first?.hasSeenRecords == true { description.tracer = "function_graph" }
    if batch.isEmpty { try decoder.symbols.check() }
    return !batch.isEmpty
  }

  /// Reads all without delivering anything.
  mutating func lookThrough() throws(TraceError) {
    repeat {
      while try sieved?.deliver({ _, _ in true }) == true {}
      endSieved()
    } while try openNextBuffer()
  }

  /// Appends what the sieves let pass; at the end of the buffer, what they saw is put together.
  private mutating func takeSieved(_ batch: inout [Event]) throws(TraceError) {
    let isMore = try sieved?.deliver { record, cpu in
      batch.append(decoder.decode(record, cpu: cpu, buffer: UInt16(buffer), unit: unit))
      return batch.count < Self.batchSize
    }
    if isMore != true { endSieved() }
  }

  private mutating func endSieved() {
    guard sieved != nil else { return }
    isWorthRepeating = sieved?.breaksTurns == true && !endsTurnsAtGaps
    if isWorthRepeating { endsTurnsAtGaps = true }
    sieved = nil
    sieves.first?.join(sieves.dropFirst())
    // The rest would be read in vain.
    if sieves.first?.needsAll == true { nextBuffer = container.buffers.count }
  }

  /// Delivers the records too that tell when a task was not in its functions, where the file has any. What
  /// `selectFunctions` and `tally` do then comes to nothing as soon as there is one: the trace has to be read again, with
  /// all functions. To be called before the first `next`.
  ///
  /// - Throws: what reading the file throws.
  public mutating func noticeTimeAway() throws(TraceError) {
    watched = try container.readWatchedRecords(file)
    for sieve in sieves { sieve.stopsAtOthers = watched != nil }
  }

  /// From the beginning again, all functions delivered.
  public mutating func restart() {
    // Helpers may be reading still.
    sieved = nil
    file.startOver()
    // An address that was known to a search is known by the same name to all symbols.
    sieves = []
    paired = nil
    pairedBefore = (0, 0, -1)
    merge = CPUMerge()
    nextBuffer = 0
    unclaimed = file.size
    diagnostics = diagnosticsAtStart
    noteClocks()
  }

  /// Delivers events of the functions that `isWanted` accepts by their symbol, losses, and in between `unwound` where
  /// another function shows that a call has ended without an exit: the calls of these functions come out as they would
  /// of all events, but for their self time. To be called before the first `next`.
  ///
  /// Records of other functions are looked at where they lie in the page and not made events of, which is what most of
  /// the time goes into otherwise.
  ///
  /// - Parameters:
  ///   - prefixes: where all wanted symbols begin with one of a few strings, these; only such symbols are looked for then.
  ///   - ifFew: ends, as incomplete, where they have more than a small part of all records: `tally` and `pairsCalls`
  ///     take less time then.
  ///   - isWanted: of a symbol.
  /// - Throws: what reading the file throws.
  public mutating func selectFunctions(
    beginning prefixes: [String] = [], ifFew: Bool = false,
    _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool
  ) throws(TraceError) {
    guard let formats = decoder.formats else { return }
    var wantedRange: WantedRange?
    if !hasSymbols, let some = try symbols(beginning: prefixes) {
      decoder.symbols = some
      // Functions without a symbol are none of those that were searched for.
      wantedRange = some.ranges(isWanted).flatMap { WantedRange($0) }
    } else {
      try loadSymbols()
    }
    sift(formats, wantedRange, isWanted)
    for sieve in sieves { sieve.demandsFew = ifFew }
  }

  /// Delivers no function's event, and tells whether tasks stay on their CPUs.
  mutating func selectNothing() throws(TraceError) {
    guard let formats = decoder.formats else { return }
    try loadSymbols()
    sift(formats, WantedRange([]), notesTasks: true) { _ in false }
  }

  /// Whether a task was seen on several CPUs of a buffer, by `selectNothing`.
  var tasksMoveBetweenCPUs: Bool { sieves.first?.tasksMove == true }

  private mutating func sift(
    _ formats: GraphFormats, _ wantedRange: WantedRange?, notesTasks: Bool = false,
    _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool
  ) {
    sieves = (0..<jobs).map { _ in
      FunctionSieve(
        formats, container.header.order, isWanted: isWanted, symbols: decoder.symbols,
        wantedRange: wantedRange, notesTasks: notesTasks, gap: endsTurnsAtGaps ? Turn.gap : Turn.noGap)
    }
    for sieve in sieves { sieve.stopsAtOthers = watched != nil }
  }

  /// What was learned of the functions that `selectFunctions` left out; nil where none were.
  public var leftOut: LeftOut? {
    sieves.first.map {
      LeftOut(
        exits: $0.exits, deepest: Int32(clamping: $0.deepest), isComplete: !$0.needsAll,
        isWorthRepeating: isWorthRepeating)
    }
  }

  /// Sets the CPUs of the next buffer up for merging; false where there is none.
  private mutating func openNextBuffer() throws(TraceError) -> Bool {
    if sieves.isEmpty { try loadSymbols() }
    // Without a format there are no records to find.
    guard nextBuffer < container.buffers.count, let formats = decoder.formats else { return false }
    buffer = nextBuffer
    nextBuffer += 1
    let layout = container.buffers[buffer]
    guard hasUsablePages(layout) else { return true }
    let conversion = container.conversion(of: layout)
    unit = description.buffers[buffer].unit
    let memory = MemoryBudget()
    context = pageContext(of: layout, formats, container.decompressor, memory)
    let cpus = cpus(of: layout)
    let blockSize = Self.blockSize(of: layout)
    guard sieves.isEmpty else {
      for sieve in sieves { sieve.begin(conversion) }
      file.pages?.serve(streams: sieves.count)
      sieved = SievedBuffer(
        cpus, isCompressed: layout.isCompressed, blockSize: blockSize, formats: formats,
        contexts: sieves.map {
          pageContext(
            of: layout, formats, Decompressor(container.header.compression), memory,
            file: sieves.count > 1 ? file.forOneThread() : file, sieve: $0)
        }, limits: limits.sieving)
      return true
    }
    let streams = cpus.map {
      CPUStream(
        $0.extent, isCut: $0.isCut, isCompressed: layout.isCompressed, pageSize: Int(layout.pageSize),
        blockSize: blockSize)
    }
    merge = try CPUMerge(streams, context, &diagnostics)
    return true
  }

  /// A buffer whose pages are none is said to be so.
  mutating func hasUsablePages(_ layout: BufferLayout) -> Bool {
    if Container.isPageSize(layout.pageSize), Int(layout.pageSize) > container.subBuffer.dataOffset {
      return true
    }
    diagnostics.record(
      .damagedSection, at: .whole,
      "the buffer \(layout.name.debugDescription) has pages of \(layout.pageSize) bytes")
    return false
  }

  static func blockSize(of layout: BufferLayout) -> Int {
    max(Int(layout.pageSize), min(64 << 20 / max(layout.cpus.count, 1), CPUStream.blockSize))
  }

  /// What a thread needs to walk a buffer's pages; the decompressor, sieve and tally are its own.
  func pageContext(
    of layout: BufferLayout, _ formats: GraphFormats, _ decompressor: Decompressor, _ memory: MemoryBudget,
    file: FileBytes? = nil, sieve: FunctionSieve? = nil, tally: StackTally? = nil,
    pairing: CallPairing? = nil
  ) -> PageContext {
    PageContext(
      file: file ?? self.file, order: container.header.order, layout: container.subBuffer,
      pageSize: Int(layout.pageSize), decompressor: decompressor, memory: memory,
      conversion: container.conversion(of: layout), formats: formats, sieve: sieve, tally: tally,
      pairing: pairing, watched: watched)
  }

  /// The CPUs of a buffer whose data lies in the file, by number.
  mutating func cpus(of layout: BufferLayout) -> [CPUData] {
    let pageSize = Int(layout.pageSize)
    var cpus: [CPUData] = []
    for var extent in layout.cpus.sorted(by: { $0.cpu < $1.cpu }) {
      // trace-cmd does not count the word in front of the chunks.
      if layout.isCompressed { extent.size += min(4, .max - extent.size) }
      let available = file.available(at: extent.offset, count: extent.size)
      let isCut = available < extent.size
      if isCut {
        diagnostics.record(
          .truncated, at: .byte(file.size),
          "CPU \(extent.cpu) has \(extent.size) bytes of data, \(extent.size - available) of them are missing"
        )
      }
      guard available > 0 else { continue }
      // Data of CPUs do not overlap. Where they do, a small file could ask for any amount of work.
      guard available <= unclaimed else {
        diagnostics.record(
          .damagedSection, at: .byte(extent.offset),
          "CPU \(extent.cpu) claims data that other CPUs have claimed")
        continue
      }
      unclaimed -= available
      guard layout.isCompressed || context.memory.take(pageSize) else {
        diagnostics.record(
          .limitReached, at: .byte(extent.offset), "CPU \(extent.cpu): too many pages in memory")
        continue
      }
      extent.size = available
      cpus.append(CPUData(extent: extent, isCut: isCut || layout.isCut))
    }
    return cpus
  }

  /// Buffers whose stamps are no time.
  private mutating func noteClocks() {
    for buffer in description.buffers where !buffer.timestampsAreTime {
      let name = buffer.name.isEmpty ? "the top buffer" : "the buffer \(buffer.name.debugDescription)"
      diagnostics.record(.clockIsNotTime, at: .whole, "\(name) has the clock \(buffer.clock)")
    }
  }
}
