public import FunctionGraph

extension DatReader {
  /// Reads the whole trace and sums its calls up, without making events or calls of the records. To be called instead of
  /// `next`.
  ///
  /// Each CPU is read on its own, several at once, and in several parts: calls pair by task, so that it does not matter what
  /// another CPU did meanwhile. Where a task ran on two of them, a buffer's CPUs are read merged by time instead.
  ///
  /// - Parameters:
  ///   - isWanted: which functions' durations and callees are wanted, by symbol.
  ///   - makeSink: a sink for the lane of this number; what one got that was made for the same lane before is void. Called by
  ///     one thread at a time.
  /// - Returns: nil where the trace is of a kind that has to be read event by event: `restart`, then `next`.
  public mutating func tally(
    _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool, makeSink: (_ lane: Int) -> any DurationSink
  ) throws(TraceError) -> TraceTally? {
    guard let formats = decoder.formats, let layout = SkimLayout(formats, container.header.order) else {
      return nil
    }
    try loadSymbols()
    var lanes: [Lane] = []
    var laneCount = 0
    for (number, buffer) in container.buffers.enumerated() where hasUsablePages(buffer) {
      let conversion = container.conversion(of: buffer)
      // Stamps are converted one by one then.
      if conversion.tsc != nil || !conversion.shifts.isEmpty { return nil }
      let memory = MemoryBudget()
      context = pageContext(of: buffer, formats, context.decompressor, memory)
      let run = BufferRun(
        cpus: cpus(of: buffer), buffer: buffer, formats: formats, layout: layout, offset: conversion.offset,
        memory: memory, symbols: decoder.symbols, isWanted: isWanted, stopsAtOthers: context.watches)
      let first = laneCount
      var found = try apart(run, first, &laneCount, makeSink)
      if case .sharedTasks = found {
        for lane in (first..<laneCount).reversed() { _ = makeSink(lane) }
        found = try inStep(run, first, &laneCount, makeSink)
      }
      if case .sharedTasks = found {
        for lane in (first..<laneCount).reversed() { _ = makeSink(lane) }
        found = try merged(run, makeSink(first)).map { .tallies([($0, first)]) } ?? .needsEvents
      }
      guard case .tallies(let tallies) = found else { return nil }
      lanes += tallies.map {
        Lane(buffer: UInt16(truncatingIfNeeded: number), tally: $0.tally, number: $0.lane)
      }
    }
    try decoder.symbols.check()
    return sum(lanes)
  }

  private struct Lane {
    let buffer: UInt16
    let tally: StackTally
    /// Of its sink.
    let number: Int
  }

  private enum Found {
    /// By CPU and in the order of their data, with the numbers of their sinks.
    case tallies([(tally: StackTally, lane: Int)])
    /// The CPUs have to be read merged.
    case sharedTasks
    case needsEvents
  }

  /// One buffer, and how it is to be read.
  private struct BufferRun {
    let cpus: [CPUData]
    let buffer: BufferLayout
    let formats: GraphFormats
    let layout: SkimLayout
    let offset: UInt64
    let memory: MemoryBudget
    let symbols: SymbolIndex
    let isWanted: @Sendable (String) -> Bool
    let stopsAtOthers: Bool

    /// - Parameters:
    ///   - owners: where the CPUs are read each by itself;
    ///   - handover: or in step, as the one of this number.
    func tally(
      _ sink: any DurationSink, isContinuation: Bool = false, owners: TaskOwners? = nil,
      handover: TaskHandover? = nil, lane: Int = 0
    ) -> StackTally {
      StackTally(
        layout, symbols: symbols, offset: offset, isWanted: isWanted, sink: sink,
        stopsAtOthers: stopsAtOthers, isContinuation: isContinuation, owners: owners,
        handover: handover, lane: lane)
    }

    func stream(_ cpu: CPUData, _ unread: UnreadBytes? = nil) -> CPUStream {
      CPUStream(
        cpu.extent, isCut: cpu.isCut, isCompressed: buffer.isCompressed, pageSize: Int(buffer.pageSize),
        blockSize: DatReader.blockSize(of: buffer, hasTables: true), unread: unread)
    }
  }

  /// Each CPU by itself, in parts, on up to `jobs` threads.
  ///
  /// - Parameters:
  ///   - first: number of a lane.
  ///   - count: gets how many lanes there are then.
  private func apart(
    _ run: BufferRun, _ first: Int, _ count: inout Int, _ makeSink: (Int) -> any DurationSink
  ) throws(TraceError) -> Found {
    let owners = TaskOwners()
    func makeTally(_ number: Int, _ isContinuation: Bool) -> StackTally {
      run.tally(makeSink(first + number), isContinuation: isContinuation, owners: owners)
    }
    let parts = TallyParts(
      run.cpus, isCompressed: run.buffer.isCompressed, pageSize: Int(run.buffer.pageSize), jobs: jobs,
      limits.tallying, makeTally: makeTally)
    let workers = min(jobs, parts.mostWorkers)
    inParallel(workers, workers: workers) { _, _ in
      while let part = parts.next({ makeTally($0, true) }) { read(part, run, owners) }
    }
    var chains = parts.chains
    count = first + chains.reduce(0) { $0 + $1.count }
    if let failure = chains.joined().compactMap(\.failure).first { throw failure }
    if chains.joined().contains(where: \.tally.needsEvents) { return .needsEvents }
    if owners.isAnyShared { return .sharedTasks }
    var again: [TallyParts.Part] = []
    for index in chains.indices {
      switch Self.join(chains[index]) {
      case .joined: break
      case .needsEvents: return .needsEvents
      case .needsWhole:
        for part in chains[index].reversed() { _ = makeSink(first + part.number) }
        let part = chains[index][0]
        again.append(TallyParts.Part(part.cpu, nil, makeTally(part.number, false), part.number))
        chains[index] = [again[again.count - 1]]
      }
    }
    inParallel(again.count, workers: jobs) { item, _ in read(again[item], run, owners) }
    if let failure = again.compactMap(\.failure).first { throw failure }
    for chain in chains { chain[chain.count - 1].tally.finish() }
    if chains.joined().contains(where: \.tally.needsEvents) { return .needsEvents }
    return .tallies(chains.joined().map { ($0.tally, first + $0.number) })
  }

  private func read(_ part: TallyParts.Part, _ run: BufferRun, _ owners: TaskOwners) {
    let tally = part.tally
    let context = pageContext(
      of: run.buffer, run.formats, Decompressor(container.header.compression), run.memory, tally: tally)
    let stream = run.stream(part.cpu, part.unread)
    var diagnostics = Diagnostics()
    do throws(TraceError) {
      while !tally.needsEvents, !owners.isAnyShared, try stream.advance(context, &diagnostics) {
        tally.take(stream, run.formats, &diagnostics)
      }
    } catch {
      part.failure = error
    }
    tally.close()
    // They are told in the order of the merged events, which is not known here.
    if !diagnostics.isEmpty { tally.needsEvents = true }
    part.lastTimestamp = stream.lastTimestamp
  }

  private enum Joining {
    case joined
    /// The CPU has to be summed up in one part.
    case needsWhole
    case needsEvents
  }

  private static func join(_ chain: [TallyParts.Part]) -> Joining {
    var last = chain[0].lastTimestamp
    for (previous, part) in zip(chain, chain.dropFirst()) {
      // Times that go back are told event by event.
      if let first = part.tally.firstTimestamp, first < last { return .needsEvents }
      last = max(last, part.lastTimestamp)
      if !part.tally.join(previous.tally) { return .needsWhole }
    }
    return .joined
  }

  /// The CPUs in step, each by itself as long as a task's turn lasts.
  private func inStep(
    _ run: BufferRun, _ first: Int, _ count: inout Int, _ makeSink: (Int) -> any DurationSink
  ) throws(TraceError) -> Found {
    let handover = TaskHandover()
    let tallies = run.cpus.indices.map { run.tally(makeSink(first + $0), handover: handover, lane: $0) }
    count = max(count, first + tallies.count)
    handover.begin(tallies)
    defer { handover.end() }
    let contexts = tallies.map {
      pageContext(
        of: run.buffer, run.formats, Decompressor(container.header.compression), run.memory, tally: $0)
    }
    let streams = run.cpus.map { run.stream($0) }
    var diagnostics = Diagnostics()
    var heap = MergeHeap()
    for index in streams.indices where try streams[index].advance(contexts[index], &diagnostics) {
      heap.insert(index, at: streams[index].timestamp)
    }
    while let index = heap.first, diagnostics.isEmpty {
      let stream = streams[index]
      let tally = tallies[index]
      var isFinished = false
      var isTurn = true
      while isTurn {
        tally.take(stream, run.formats, &diagnostics)
        if handover.isBroken { return .sharedTasks }
        if tally.needsEvents { return .needsEvents }
        isFinished = try !stream.advance(contexts[index], &diagnostics)
        isTurn = !isFinished && tally.isTurn(of: stream, run.formats)
      }
      heap.update(to: isFinished ? nil : stream.timestamp)
    }
    for tally in tallies { tally.finish() }
    if !diagnostics.isEmpty || tallies.contains(where: \.needsEvents) { return .needsEvents }
    return .tallies(tallies.enumerated().map { ($0.element, first + $0.offset) })
  }

  /// All CPUs in the order of time, record by record; nil where events are needed.
  private func merged(_ run: BufferRun, _ sink: any DurationSink) throws(TraceError) -> StackTally? {
    let tally = run.tally(sink)
    let context = pageContext(
      of: run.buffer, run.formats, Decompressor(container.header.compression), run.memory, tally: tally)
    let streams = run.cpus.map { run.stream($0) }
    var diagnostics = Diagnostics()
    // Nothing is taken before every CPU has shown its first record.
    var merge = try CPUMerge(streams, context, &diagnostics)
    while let stream = merge.first, !tally.needsEvents {
      let limit = merge.limit
      tally.latest = limit.winsTies ? limit.timestamp : max(limit.timestamp, 1) - 1
      var isFinished = false
      repeat {
        tally.take(stream, run.formats, &diagnostics)
        isFinished = try !stream.advance(context, &diagnostics)
      } while !isFinished && !tally.needsEvents
        && (stream.timestamp < limit.timestamp || (stream.timestamp == limit.timestamp && limit.winsTies))
      merge.update(isFinished: isFinished)
    }
    tally.finish()
    return tally.needsEvents || !diagnostics.isEmpty ? nil : tally
  }

  /// Puts the lanes together. Functions get their numbers in the order in which the trace names them.
  private mutating func sum(_ lanes: [Lane]) -> TraceTally? {
    struct Appearance {
      var buffer: UInt16
      var time: UInt64
      var lane: Int
      var number: Int
    }
    var appearances: [Appearance] = []
    for (index, lane) in lanes.enumerated() {
      for number in 1..<max(1, lane.tally.names.count) {
        appearances.append(
          Appearance(buffer: lane.buffer, time: lane.tally.firstSeen(number), lane: index, number: number))
      }
    }
    appearances.sort { ($0.buffer, $0.time, $0.lane, $0.number) < ($1.buffer, $1.time, $1.lane, $1.number) }
    var names = lanes.map { [FunctionID](repeating: .none, count: $0.tally.names.count) }
    for found in appearances {
      let name = lanes[found.lane].tally.names[FunctionID(rawValue: UInt32(found.number))]
      names[found.lane][found.number] = decoder.functions.intern(name)
    }
    var result = TraceTally()
    for (index, lane) in lanes.enumerated() {
      lane.tally.add(to: &result, buffer: lane.buffer, lane: lane.number, names: names[index])
    }
    if !appearances.isEmpty { description.tracer = "function_graph" }
    return result.paths.isTruncated ? nil : result
  }
}
