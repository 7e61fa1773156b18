public import FunctionGraph

extension DatReader {
  /// Reads the whole trace and sums its calls up, without making events or calls of the records. To be called instead of
  /// `next`.
  ///
  /// Each CPU is read on its own, several at once, and in several parts: calls pair by task, so that it does not matter what
  /// another CPU did meanwhile. Where a task ran on two of them, a buffer's CPUs are read together instead, several slices of
  /// time at once.
  ///
  /// - Parameters:
  ///   - withPaths: fills `TraceTally.paths` and `sums`.
  ///   - isWanted: which functions' durations and callees are wanted, by symbol.
  ///   - makeSink: a sink for the lane of this number; what one got that was made for the same lane before is void. Called by
  ///     one thread at a time.
  /// - Returns: nil where the trace is of a kind that has to be read event by event: `restart`, then `next`.
  public mutating func tally(
    withPaths: Bool = true, _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool,
    makeSink: (_ lane: Int) -> any DurationSink
  ) throws(TraceError) -> TraceTally? {
    guard let formats = decoder.formats, let layout = SkimLayout(formats, container.header.order) else {
      return nil
    }
    try loadSymbols()
    var lanes: [Lanes] = []
    var laneCount = 0
    for (number, buffer) in container.buffers.enumerated() where hasUsablePages(buffer) {
      let conversion = container.conversion(of: buffer)
      // Stamps are converted one by one then.
      if conversion.tsc != nil || !conversion.shifts.isEmpty { return nil }
      let memory = MemoryBudget()
      context = pageContext(of: buffer, formats, context.decompressor, memory)
      let run = TallyRun(
        cpus: cpus(of: buffer), buffer: buffer, formats: formats, layout: layout, offset: conversion.offset,
        unit: description.buffers[number].unit, memory: memory, symbols: decoder.symbols, isWanted: isWanted,
        hasPaths: withPaths,
        stopsAtOthers: context.watches)
      let first = laneCount
      var found = try apart(run, first, &laneCount, makeSink)
      for order in StepOrder.allCases {
        guard case .sharedTasks = found else { break }
        for lane in (first..<laneCount).reversed() { _ = makeSink(lane) }
        found = try inStep(run, order, first, &laneCount, makeSink)
      }
      guard case .tallies(let tallies) = found else { return nil }
      lanes += tallies.map {
        Lanes(buffer: UInt16(truncatingIfNeeded: number), tally: $0.tally, number: $0.lane)
      }
    }
    try decoder.symbols.check()
    return sum(lanes)
  }

  private struct Lanes {
    let buffer: UInt16
    let tally: StackTally
    /// Of the sink of its first CPU.
    let number: Int
  }

  /// Each CPU by itself, in parts, on up to `jobs` threads.
  ///
  /// - Parameters:
  ///   - first: number of a lane.
  ///   - count: gets how many lanes there are then.
  private func apart(
    _ run: TallyRun, _ first: Int, _ count: inout Int, _ makeSink: (Int) -> any DurationSink
  ) throws(TraceError) -> TallyRun.Found {
    let owners = TaskOwners()
    func makeTally(_ number: Int, _ isContinuation: Bool) -> StackTally {
      run.tally([makeSink(first + number)], isContinuation: isContinuation, owners: owners)
    }
    let parts = TallyParts(
      run.cpus, isCompressed: run.buffer.isCompressed, pageSize: Int(run.buffer.pageSize), jobs: jobs,
      limits.tallying, makeTally: makeTally)
    let workers = min(jobs, parts.mostWorkers)
    file.pages?.serve(streams: workers)
    inParallel(workers, workers: workers) { _, _ in
      let file = workers > 1 ? file.forOneThread() : file
      while let part = parts.next({ makeTally($0, true) }) { read(part, of: file, run, owners) }
    }
    var chains = parts.chains
    count = first + chains.reduce(0) { $0 + $1.count }
    if let failure = chains.joined().compactMap(\.failure).first { throw failure }
    if chains.joined().contains(where: \.tally.needsEvents) { return .needsEvents }
    if owners.isAnyShared { return .sharedTasks }
    let joined = Guarded([[TallyParts.Part]?](repeating: nil, count: chains.count))
    inParallel(chains.count, workers: jobs) { [chains] index, _ in
      let chain = join(chains[index], run, owners) { part in
        joined.withLock { _ in _ = makeSink(first + part.number) }
      }
      joined.withLock { $0[index] = chain }
    }
    if joined.withLock({ $0.contains { $0 == nil } }) { return .needsEvents }
    chains = joined.withLock { $0.compactMap { $0 } }
    if let failure = chains.joined().compactMap(\.failure).first { throw failure }
    for chain in chains { chain[chain.count - 1].tally.finish() }
    if chains.joined().contains(where: \.tally.needsEvents) { return .needsEvents }
    return .tallies(chains.joined().map { ($0.tally, first + $0.number) })
  }

  private func read(
    _ part: TallyParts.Part, of file: FileBytes, _ run: TallyRun, _ owners: TaskOwners
  ) {
    let tally = part.tally
    let context = pageContext(
      of: run.buffer, run.formats, Decompressor(container.header.compression), run.memory, file: file,
      tally: tally)
    let stream = run.stream(part.cpu, unread: part.unread)
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

  /// Puts the parts of a CPU's data together.
  ///
  /// - Parameter forget: makes nothing of what a part's sink has got.
  /// - Returns: the parts that hold something, in the order of their data; nil where it has to be read event by event.
  private func join(
    _ parts: [TallyParts.Part], _ run: TallyRun, _ owners: TaskOwners, forget: (TallyParts.Part) -> Void
  ) -> [TallyParts.Part]? {
    var chain = [parts[0]]
    for (index, part) in parts.enumerated().dropFirst() {
      let previous = chain[chain.count - 1]
      // Times that go back are told event by event.
      if let first = part.tally.firstTimestamp, first < previous.lastTimestamp { return nil }
      if part.tally.join(previous.tally) {
        part.lastTimestamp = max(part.lastTimestamp, previous.lastTimestamp)
        chain.append(part)
        continue
      }
      // Where they do not fit together, the part in front goes on.
      forget(part)
      let end =
        index + 1 < parts.count ? parts[index + 1].start : part.cpu.extent.offset + part.cpu.extent.size
      let unread = UnreadBytes(part.start..<end, pageSize: Int(run.buffer.pageSize))
      let rest = TallyParts.Part(part.cpu, from: part.start, unread, previous.tally, previous.number)
      read(rest, of: file, run, owners)
      if let failure = rest.failure {
        previous.failure = failure
        break
      }
      previous.lastTimestamp = max(previous.lastTimestamp, rest.lastTimestamp)
    }
    return chain
  }

  /// Puts the lanes together. Functions get their numbers in the order in which the trace names them.
  private mutating func sum(_ lanes: [Lanes]) -> TraceTally? {
    struct Appearance {
      var buffer: UInt16
      var time: UInt64
      /// Of its CPU, and in the order in which that one names them.
      var lane: Int
      var order: Int
      var tally: Int
      var number: Int
    }
    var appearances: [Appearance] = []
    var count = 0
    for (index, lane) in lanes.enumerated() {
      for cpu in lane.tally.lanes {
        for (order, found) in cpu.appearances.enumerated() {
          appearances.append(
            Appearance(
              buffer: lane.buffer, time: found.time, lane: count, order: order, tally: index,
              number: found.function))
        }
        count += 1
      }
    }
    appearances.sort { ($0.buffer, $0.time, $0.lane, $0.order) < ($1.buffer, $1.time, $1.lane, $1.order) }
    var names = lanes.map { [FunctionID](repeating: .none, count: $0.tally.names.count) }
    for found in appearances where names[found.tally][found.number] == .none {
      let name = lanes[found.tally].tally.names[FunctionID(rawValue: UInt32(found.number))]
      names[found.tally][found.number] = decoder.functions.intern(name)
    }
    // A part knows functions too that only the open calls of the one in front of it name.
    for (index, lane) in lanes.enumerated() {
      for number in 1..<max(1, names[index].count) where names[index][number] == .none {
        names[index][number] = decoder.functions.intern(
          lane.tally.names[FunctionID(rawValue: UInt32(number))])
      }
    }
    var result = TraceTally()
    for (index, lane) in lanes.enumerated() {
      lane.tally.add(to: &result, buffer: lane.buffer, lane: lane.number, names: names[index])
    }
    if !appearances.isEmpty { description.tracer = "function_graph" }
    return result.paths.isTruncated ? nil : result
  }
}
