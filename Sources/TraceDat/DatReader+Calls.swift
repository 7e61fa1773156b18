public import FunctionGraph

extension DatReader {
  /// Whether the calls of this trace can be paired without making events of its records: no time goes back, tasks move
  /// between CPUs at the ends of their turns (see `Turn`) only, nothing is damaged. The whole file is looked through for that, which
  /// takes a small part of the time that making events of it does.
  /// To be called before the first `next`; where the answer is yes, `nextCalls` then delivers the calls, else `next` the
  /// events.
  public mutating func pairsCalls() throws(TraceError) -> Bool {
    guard let formats = decoder.formats, SkimLayout(formats, container.header.order) != nil,
      container.buffers.allSatisfy({ $0.cpus.count <= PairedCall.mostLanes })
    else { return false }
    while true {
      try selectNothing()
      try lookThrough()
      let seen = leftOut
      pairsInStep = tasksMoveBetweenCPUs
      restart()
      if seen?.isComplete == true { return true }
      if seen?.isWorthRepeating != true { return false }
    }
  }

  /// How many calls so much trace data usually holds: an entry and an exit take 72 bytes.
  public var likelyCalls: UInt64 { container.dataSize / 72 }

  /// Replaces `calls` with the next ones, in the order of their ends; unfinished calls where that is noticed. Their paths,
  /// self times and times away are not told, and `sequence` tells the order of the entries of one CPU only.
  ///
  /// - Returns: false at the end.
  public mutating func nextCalls(_ calls: inout [Call]) throws(TraceError) -> Bool {
    calls.removeAll(keepingCapacity: true)
    while calls.count < Self.batchSize {
      if paired == nil {
        guard try openNextPaired() else { break }
        continue
      }
      if try paired?.deliver(into: &calls, limit: Self.batchSize, &decoder) == true { break }
      pairedBefore = pairedSums
      paired = nil
    }
    if decoder.functions.count > 1 { description.tracer = "function_graph" }
    if calls.isEmpty { try decoder.symbols.check() }
    return !calls.isEmpty
  }

  /// What `nextCalls` has seen so far.
  public var pairedSums: (losses: Int, lostEvents: UInt64, deepest: Int32) {
    guard let paired else { return pairedBefore }
    return (
      pairedBefore.losses + paired.losses, pairedBefore.lostEvents &+ paired.lostEvents,
      max(pairedBefore.deepest, paired.deepest)
    )
  }

  private mutating func openNextPaired() throws(TraceError) -> Bool {
    guard nextBuffer < container.buffers.count, let formats = decoder.formats,
      let layout = SkimLayout(formats, container.header.order)
    else { return false }
    let number = nextBuffer
    nextBuffer += 1
    let buffer = container.buffers[number]
    guard hasUsablePages(buffer) else { return true }
    let memory = MemoryBudget()
    context = pageContext(of: buffer, formats, context.decompressor, memory)
    let offset = container.conversion(of: buffer).offset
    let unit = description.buffers[number].unit
    let cpus = cpus(of: buffer)
    let isInStep = pairsInStep && cpus.count > 1
    let shared = (functions: PairedFunctions(decoder.symbols), tasks: PairedTasks())
    let lanes = cpus.enumerated().map { number, cpu in
      let pairing =
        isInStep
        ? CallPairing(
          layout, offset: offset, unit: unit, number: number, shared.functions, shared.tasks,
          endsTurnsAtGaps: endsTurnsAtGaps)
        : CallPairing(
          layout, offset: offset, unit: unit, number: number, PairedFunctions(decoder.symbols), PairedTasks())
      return (
        stream: CPUStream(
          cpu.extent, isCut: cpu.isCut, isCompressed: buffer.isCompressed, pageSize: Int(buffer.pageSize),
          blockSize: Self.blockSize(of: buffer)),
        context: pageContext(
          of: buffer, formats, Decompressor(container.header.compression), memory, pairing: pairing),
        pairing: pairing
      )
    }
    paired = PairedBuffer(
      lanes, isInStep: isInStep, formats: formats, buffer: UInt16(truncatingIfNeeded: number),
      unit: unit, jobs: jobs, limits.pairing)
    return true
  }
}
