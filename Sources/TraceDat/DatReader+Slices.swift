internal import FunctionGraph
internal import Synchronization

extension DatReader {
  /// How far each CPU is read where several are read in step, the fastest first; one that breaks a turn leads to the next.
  enum StepOrder: CaseIterable {
    /// As far as no other task has a record.
    case turns
    /// To a gap too; see `Turn`.
    case closeTurns
    /// Record by record in the order of time, in which nothing is followed too far.
    case records
  }

  /// All CPUs of a buffer, between which tasks move: sliced by time, each slice by one thread, in which every CPU is read as far
  /// ahead as a task's turn lasts. Whoever comes upon another task has its turn when all others have come as far, so that what
  /// happened before is known. Calls that are open at a slice's end are put together afterwards.
  ///
  /// A turn amid which its task ran elsewhere, which no record of its own CPU tells, is noticed when the task comes to the
  /// other CPU: it has been followed too far then.
  ///
  /// - Parameters:
  ///   - first: number of a sink.
  ///   - count: gets how many sinks there are then.
  func inStep(
    _ run: TallyRun, _ order: StepOrder, _ first: Int, _ count: inout Int,
    _ makeSink: (_ lane: Int) -> any DurationSink
  ) throws(TraceError) -> TallyRun.Found {
    let slices = order == .records ? TimeSlices.whole(run.cpus) : try self.slices(of: run)
    let lanes = run.cpus.count
    let works = slices.enumerated().map { number, slice in
      let sinks = (0..<lanes).map { makeSink(first + number * lanes + $0) }
      let tally = run.tally(sinks, endsTurnsAtGaps: order == .closeTurns, isContinuation: number > 0)
      return SliceWork(slice, tally)
    }
    count = max(count, first + works.count * lanes)
    file.pages?.serve(streams: min(jobs, works.count) * lanes)
    let isOver = Atomic(false)
    inParallel(works.count, workers: jobs) { number, _ in
      let work = works[number]
      do throws(TraceError) {
        try read(work, run, order, isOver)
      } catch {
        work.failure = error
      }
      // What the others have still to read would be read in vain.
      if work.failure != nil || work.isBroken || work.tally.needsEvents {
        isOver.store(true, ordering: .relaxed)
      }
    }
    if let failure = works.compactMap(\.failure).first { throw failure }
    if works.contains(where: \.tally.needsEvents) { return .needsEvents }
    if works.contains(where: \.isBroken) { return .sharedTasks }
    var last = works[0].tally
    var tallies = [(tally: last, lane: first)]
    for (number, work) in works.enumerated().dropFirst() {
      let lane = first + number * lanes
      if work.tally.join(last) {
        last = work.tally
        tallies.append((last, lane))
        continue
      }
      // Where they do not fit together, the one in front goes on.
      for lane in (lane..<lane + lanes).reversed() { _ = makeSink(lane) }
      let rest = SliceWork(work.slice, last)
      try read(rest, run, order, isOver)
      if rest.isBroken { return .sharedTasks }
      if last.needsEvents { return .needsEvents }
    }
    last.finish()
    if last.needsEvents { return .needsEvents }
    return .tallies(tallies)
  }

  /// How many sinks all slices may have together: each may hold a thousand durations of every function.
  private static let mostSinks = 64

  /// As many as there are threads: each has tables and sinks of its own.
  private func slices(of run: TallyRun) throws(TraceError) -> [TimeSlices.Slice] {
    let size = run.cpus.reduce(0) { $0 + $1.extent.size }
    let given = limits.tallying.size.map { size / max(1, $0) }
    let most = min(jobs, max(1, Self.mostSinks / max(1, run.cpus.count)))
    let count = Int(given ?? min(size / max(1, limits.tallying.least), UInt64(most)))
    guard count > 1, !run.buffer.isCompressed else { return TimeSlices.whole(run.cpus) }
    let word = RawBlock(capacity: 8)
    let place = UInt64(container.subBuffer.timestampOffset)
    let (file, order) = (self.file, container.header.order)
    let division = TimeSlices(run.cpus, pageSize: Int(run.buffer.pageSize)) { offset throws(TraceError) in
      let target = UnsafeMutableRawBufferPointer(rebasing: word.memory[0..<8])
      guard try file.read(at: offset + place, into: target) == 8 else { return .max }
      return order.uint64(UnsafeRawPointer(target.baseAddress!)) &+ run.offset
    }
    return try division.slices(count)
  }

  /// One slice, and what it comes to.
  private final class SliceWork: @unchecked Sendable {
    let slice: TimeSlices.Slice
    let tally: StackTally
    // What follows is written by the thread that has the slice, and read when all are done.
    var failure: TraceError?
    var isBroken = false

    init(_ slice: TimeSlices.Slice, _ tally: StackTally) {
      self.slice = slice
      self.tally = tally
    }
  }

  private func read(
    _ work: SliceWork, _ run: TallyRun, _ order: StepOrder, _ isOver: borrowing Atomic<Bool>
  ) throws(TraceError) {
    let (slice, tally) = (work.slice, work.tally)
    let context = pageContext(
      of: run.buffer, run.formats, Decompressor(container.header.compression), run.memory, tally: tally)
    var diagnostics = Diagnostics()
    var streams: [CPUStream] = []
    var heap = MergeHeap()
    for (lane, cpu) in slice.cpus.enumerated() {
      guard let cpu else { continue }
      let stream = run.stream(cpu, lane: lane)
      var isMore = try stream.advance(context, &diagnostics)
      // The slice in front has the beginning of the first page.
      while isMore, stream.timestamp < slice.from { isMore = try stream.advance(context, &diagnostics) }
      if isMore, isWithin(work, stream, cpu) { heap.insert(streams.count, at: stream.timestamp) }
      streams.append(stream)
    }
    tally.latest = slice.to == .max ? .max : slice.to - 1
    // Of one CPU. That a task leaves its turn unseen is noticed before much of it has been read in vain.
    var bytesAtOnce: UInt64 = 64 << 10
    while let index = heap.first, diagnostics.isEmpty, !tally.needsEvents, !isOver.load(ordering: .relaxed) {
      let stream = streams[index]
      let limit = heap.limit
      switch order {
      case .turns: break
      case .closeTurns: tally.horizon = limit.timestamp
      case .records: tally.latest = limit.winsTies ? limit.timestamp : max(limit.timestamp, 1) - 1
      }
      let stop = stream.pageOffset &+ bytesAtOnce
      func goesOn() -> Bool {
        guard order == .records else {
          return stream.pageOffset < stop && tally.isTurn(of: stream, run.formats)
        }
        return stream.timestamp < limit.timestamp || stream.timestamp == limit.timestamp && limit.winsTies
      }
      var isMore = true
      repeat {
        tally.take(stream, run.formats, &diagnostics)
        if order != .records, tally.isBroken {
          work.isBroken = true
          return
        }
        isMore = try stream.advance(context, &diagnostics)
      } while isMore && !tally.needsEvents && stream.timestamp < slice.to && goesOn()
      if stream.pageOffset >= stop { bytesAtOnce &*= 2 }
      if isMore, let cpu = slice.cpus[stream.lane] { isMore = isWithin(work, stream, cpu) }
      heap.update(to: isMore ? stream.timestamp : nil)
    }
    tally.close()
    // They are told in the order of the merged events, which is not known here.
    if !diagnostics.isEmpty { tally.needsEvents = true }
  }

  /// Whether the record that `stream` stands on belongs to the slice. Where it does not, it is in the slice's last page: else
  /// time goes back somewhere behind it.
  private func isWithin(_ work: SliceWork, _ stream: CPUStream, _ cpu: CPUData) -> Bool {
    if stream.timestamp < work.slice.to || work.slice.to == .max { return true }
    let end = cpu.extent.offset + cpu.extent.size
    if stream.pageOffset + UInt64(context.pageSize) < end { work.tally.needsEvents = true }
    return false
  }
}
