internal import FunctionGraph

/// A buffer whose calls are summed up, and how it is to be read.
struct TallyRun {
  let cpus: [CPUData]
  let buffer: BufferLayout
  let formats: GraphFormats
  let layout: SkimLayout
  /// Added to every stamp.
  let offset: UInt64
  /// Of the stamps.
  let unit: Timestamp.Unit
  let memory: MemoryBudget
  let symbols: SymbolIndex
  let isWanted: @Sendable (String) -> Bool
  /// Whether sums by path are wanted.
  let hasPaths: Bool
  let stopsAtOthers: Bool

  /// What a way of reading it comes to.
  enum Found {
    /// In the order of their data, with the numbers of their first sinks.
    case tallies([(tally: StackTally, lane: Int)])
    /// Tasks are on several CPUs in another way than this one can follow.
    case sharedTasks
    /// Event by event.
    case needsEvents
  }

  /// - Parameters:
  ///   - sinks: of the CPUs that it is to sum up.
  ///   - endsTurnsAtGaps: where CPUs are read in step.
  ///   - owners: where CPUs are read each by itself.
  func tally(
    _ sinks: [any DurationSink], endsTurnsAtGaps: Bool = false, isContinuation: Bool = false,
    owners: TaskOwners? = nil
  ) -> StackTally {
    StackTally(
      layout, symbols: symbols, offset: offset, unit: unit, isWanted: isWanted, hasPaths: hasPaths,
      sinks: sinks, endsTurnsAtGaps: endsTurnsAtGaps, stopsAtOthers: stopsAtOthers,
      isContinuation: isContinuation, owners: owners)
  }

  /// - Parameters:
  ///   - unread: where others may take of it.
  ///   - lane: among the CPUs of its tally.
  func stream(_ cpu: CPUData, unread: UnreadBytes? = nil, lane: Int = 0) -> CPUStream {
    CPUStream(
      cpu.extent, isCut: cpu.isCut, isCompressed: buffer.isCompressed, pageSize: Int(buffer.pageSize),
      blockSize: DatReader.blockSize(of: buffer), unread: unread, lane: lane)
  }
}
