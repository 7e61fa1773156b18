public import FunctionGraph

extension DatReader {
  /// Reads the whole trace and sums its calls up, without making events or calls of the records. To be called instead of
  /// `next`.
  ///
  /// Each CPU is read on its own, several at once: calls pair by task, so that it does not matter what another CPU did
  /// meanwhile. Where a task ran on two of them, a buffer's CPUs are read merged by time instead.
  ///
  /// - Parameters:
  ///   - isWanted: which functions' durations and callees are wanted, by symbol.
  ///   - makeSink: a sink for the lane of this number.
  /// - Returns: nil where the trace is of a kind that has to be read event by event: `restart`, then `next`.
  public mutating func tally(
    _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool, makeSink: (_ lane: Int) -> any DurationSink
  ) throws(TraceError) -> TraceTally? {
    guard let formats = decoder.formats, let layout = SkimLayout(formats, container.header.order) else {
      return nil
    }
    try loadSymbols()
    var lanes: [(buffer: UInt16, tally: StackTally)] = []
    for (number, buffer) in container.buffers.enumerated() where hasUsablePages(buffer) {
      let conversion = container.conversion(of: buffer)
      // Stamps are converted one by one then.
      if conversion.tsc != nil || !conversion.shifts.isEmpty { return nil }
      let memory = MemoryBudget()
      context = pageContext(of: buffer, formats, context.decompressor, memory)
      let run = BufferRun(
        cpus: cpus(of: buffer), buffer: buffer, formats: formats, layout: layout, offset: conversion.offset,
        memory: memory, symbols: decoder.symbols, isWanted: isWanted, stopsAtOthers: context.watches)
      let first = lanes.count
      var tallies = try apart(run) { makeSink(first + $0) }
      if let found = tallies, Self.sharesTasks(found) {
        tallies = try merged(run, makeSink(first)).map { [$0] }
      }
      guard let tallies else { return nil }
      lanes += tallies.map { (UInt16(truncatingIfNeeded: number), $0) }
    }
    try decoder.symbols.check()
    return sum(lanes)
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

    func tally(_ sink: any DurationSink) -> StackTally {
      StackTally(
        layout, symbols: symbols, offset: offset, isWanted: isWanted, sink: sink, stopsAtOthers: stopsAtOthers
      )
    }

    func stream(_ cpu: CPUData) -> CPUStream {
      CPUStream(
        cpu.extent, isCut: cpu.isCut, isCompressed: buffer.isCompressed, pageSize: Int(buffer.pageSize),
        blockSize: DatReader.blockSize(of: buffer, hasTables: true))
    }
  }

  /// Each CPU by itself, on up to `jobs` threads; nil where events are needed.
  private func apart(
    _ run: BufferRun, _ makeSink: (Int) -> any DurationSink
  ) throws(TraceError) -> [StackTally]? {
    let tallies = run.cpus.indices.map { run.tally(makeSink($0)) }
    var failures = [TraceError?](repeating: nil, count: run.cpus.count)
    failures.withUnsafeMutableBufferPointer { failures in
      inParallel(run.cpus.count, workers: jobs) { item, _ in
        let tally = tallies[item]
        let context = pageContext(
          of: run.buffer, run.formats, Decompressor(container.header.compression), run.memory, tally: tally)
        let stream = run.stream(run.cpus[item])
        var diagnostics = Diagnostics()
        do throws(TraceError) {
          while !tally.needsEvents, try stream.advance(context, &diagnostics) {
            tally.take(stream, run.formats, &diagnostics)
          }
        } catch {
          failures[item] = error
        }
        tally.finish()
        // They are told in the order of the merged events, which is not known here.
        if !diagnostics.isEmpty { tally.needsEvents = true }
      }
    }
    if let failure = failures.compactMap({ $0 }).first { throw failure }
    return tallies.contains(where: \.needsEvents) ? nil : tallies
  }

  private static func sharesTasks(_ tallies: [StackTally]) -> Bool {
    var seen = IntegerMap()
    var isShared = false
    for tally in tallies {
      tally.pids.visit { pid, _ in
        if seen[pid] != nil { isShared = true } else { seen.insert(pid, 0) }
      }
    }
    return isShared
  }

  /// All CPUs in the order of time; nil where events are needed.
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
  private mutating func sum(_ lanes: [(buffer: UInt16, tally: StackTally)]) -> TraceTally? {
    struct Appearance {
      var buffer: UInt16
      var time: UInt64
      var lane: Int
      var number: Int
    }
    var appearances: [Appearance] = []
    for (lane, (buffer, tally)) in lanes.enumerated() {
      for number in 1..<max(1, tally.names.count) {
        appearances.append(
          Appearance(buffer: buffer, time: tally.firstSeen(number), lane: lane, number: number))
      }
    }
    appearances.sort { ($0.buffer, $0.time, $0.lane, $0.number) < ($1.buffer, $1.time, $1.lane, $1.number) }
    var names = lanes.map { [FunctionID](repeating: .none, count: $0.tally.names.count) }
    for found in appearances {
      let name = lanes[found.lane].tally.names[FunctionID(rawValue: UInt32(found.number))]
      names[found.lane][found.number] = decoder.functions.intern(name)
    }
    var result = TraceTally()
    for (lane, (buffer, tally)) in lanes.enumerated() {
      tally.add(to: &result, buffer: buffer, lane: lane, names: names[lane])
    }
    if !appearances.isEmpty { description.tracer = "function_graph" }
    return result.paths.isTruncated ? nil : result
  }
}
