public import FunctionGraph
public import TraceInput

/// What is asked of a trace.
public struct AnalysisRequest: Sendable {
  public var selection: FunctionSelection
  public var filter: CallFilter
  /// Fills `FunctionDurations.callees`.
  public var wantsCallees: Bool
  /// Fills `FunctionDurations.tree`, where callees are wanted.
  public var wantsTree: Bool
  /// Fills `FunctionDurations.selfTime`, which takes the callees' records too. Always where callees are wanted.
  public var wantsSelfTime: Bool
  /// Fills `FunctionDurations.timeline`.
  public var wantsTimeline: Bool
  /// Fills `FunctionDurations.offCPU` and `interrupts`, and those of callees, where the trace has records of them.
  public var wantsTimeAway: Bool

  public init(
    selection: FunctionSelection, filter: CallFilter = CallFilter(), wantsCallees: Bool = false,
    wantsTree: Bool = true, wantsSelfTime: Bool = true, wantsTimeline: Bool = false,
    wantsTimeAway: Bool = false
  ) {
    self.wantsTree = wantsTree
    self.wantsTimeAway = wantsTimeAway
    self.selection = selection
    self.filter = filter
    self.wantsCallees = wantsCallees
    self.wantsSelfTime = wantsSelfTime
    self.wantsTimeline = wantsTimeline
  }
}

/// Why a trace gives no analysis.
public enum AnalysisError: Error, Sendable {
  case trace(TraceError)
  case baseline(BaselineError)
  /// `--from` or `--to` on a trace whose timestamps are no time.
  case clockIsNotTime(clock: String)
  /// Nothing in the input is function-graph output; the tracer's name where the input tells it.
  case noFunctionGraph(tracer: String)
  /// The selected calls have no durations: funcgraph-duration was off.
  case noDurations(function: String)
  /// A text for both sides that lacks a heading for one.
  case noSides(found: [Event.Side])
}

/// The sides that a text with headings holds.
public struct SidedAnalysis: Sendable {
  public var before: TraceAnalysis
  public var after: TraceAnalysis
  /// Told apart by the columns of one line, not by headings.
  public var byColumn: Bool
  /// How many headings announced each side; what stands below several is taken together.
  public var sections = (before: 1, after: 1)
}

/// Reads one trace and sums it up, in memory that does not grow with the trace.
public struct TraceAnalyzer {
  /// Durations kept exactly, over all functions of a trace; beyond it every function keeps `crowdedLimit`.
  static let exactBudget = 2_000_000
  /// Where a trace is as long as so many calls usually are, there will be more than `exactBudget`.
  static let crowdExpected: UInt64 = 3_000_000
  static let crowdedLimit = 1_024
  /// Functions summed up; a kernel has some 80,000 that can be traced. Calls of further ones are counted and left out.
  public static let functionsLimit = 1 << 17

  /// Gets the bytes that were read and, where it is known, how many there are.
  public typealias Progress = @Sendable (_ read: UInt64, _ size: UInt64?) -> Void

  private let path: String
  let request: AnalysisRequest
  let jobs: Int
  /// Whether a reader that can may sum up the trace by itself; off where that is to be compared with the plain way.
  var tallies = true
  /// `exactBudget`, but in tests.
  var exactBudget = Self.exactBudget
  var crowdExpected = Self.crowdExpected

  /// - Parameters:
  ///   - path: as it was named.
  ///   - request: what is wanted of the trace.
  ///   - jobs: how many threads may read it; the result does not depend on it.
  public init(path: String, request: AnalysisRequest, jobs: Int = 1) {
    self.path = path
    self.jobs = Helpers.useful(jobs)
    self.request = request
  }

  /// The whole trace as one.
  ///
  /// - Parameters:
  ///   - input: read from its beginning.
  ///   - progress: called with the bytes read so far and those there are, on the threads that read.
  public func analyze(
    _ input: consuming SniffedInput, progress: @escaping Progress = { _, _ in }
  ) throws(AnalysisError) -> TraceAnalysis {
    var sums = [SideSums()]
    let reader = try read(input, into: &sums, sideOf: { _ in 0 }, progress)
    return try finish(sums[0], reader)
  }

  /// A text that holds both sides under headings, or side by side on each line.
  public func analyzeSides(
    _ input: consuming SniffedInput, progress: @escaping Progress = { _, _ in }
  ) throws(AnalysisError) -> SidedAnalysis {
    // Before, after, and by column where no heading tells: left, right.
    var sums = [SideSums(), SideSums(), SideSums(), SideSums()]
    let reader = try read(
      input, into: &sums,
      sideOf: { call in
        switch call.side {
        case .before: 0
        case .after: 1
        case nil: call.column == 0 ? 2 : 3
        }
      }, progress)
    func found(_ index: Int) -> Bool { sums[index].quality.calls > 0 }
    if found(0), found(1) {
      return SidedAnalysis(
        before: try finish(sums[0], reader), after: try finish(sums[1], reader), byColumn: false,
        sections: reader.sections)
    }
    if !found(0), !found(1), found(2), found(3) {
      return SidedAnalysis(
        before: try finish(sums[2], reader), after: try finish(sums[3], reader), byColumn: true)
    }
    if !sums.contains(where: { $0.quality.calls > 0 }) {
      throw .noFunctionGraph(tracer: reader.description.tracer)
    }
    throw .noSides(found: (found(0) ? [.before] : []) + (found(1) ? [.after] : []))
  }

  struct SideSums {
    struct Key {
      var buffer: UInt16
      var function: FunctionID

      init(buffer: UInt16, function: FunctionID) {
        self.buffer = buffer
        self.function = function
      }

      init(number: UInt64) {
        buffer = UInt16(truncatingIfNeeded: number >> 32)
        function = FunctionID(rawValue: UInt32(truncatingIfNeeded: number))
      }

      var number: UInt64 { UInt64(buffer) << 32 | UInt64(function.rawValue) }
    }
    /// Where a function's sums are in `durations`, by the key's number.
    var places: [UInt64: Int] = [:]
    var functions: Set<FunctionID> { Set(places.keys.map { Key(number: $0).function }) }
    var durations: [FunctionDurations] = []
    /// The same by function alone, for one buffer: place + 1, 0 not known. Spares a hash a call.
    private var placesHere: [Int] = []
    private var buffer: UInt16 = 0

    mutating func place(_ key: Key) -> Int? {
      if key.buffer != buffer {
        buffer = key.buffer
        placesHere.removeAll(keepingCapacity: true)
      }
      let number = Int(key.function.rawValue)
      if number < placesHere.count, placesHere[number] > 0 { return placesHere[number] - 1 }
      guard let place = places[key.number] else { return nil }
      while placesHere.count <= number { placesHere.append(0) }
      placesHere[number] = place + 1
      return place
    }

    var quality = TraceQuality()
    var collector = CalleeCollector()
    var kept = 0
    /// Calls whose exit was seen.
    var ended = 0
    var isCrowded = false
    /// Selected functions that were seen, whether or not a filter let them pass.
    var seen: Set<FunctionID> {
      Set(isSeen.indices.filter { isSeen[$0] }.map { FunctionID(rawValue: UInt32($0)) })
    }
    private var isSeen: [Bool] = []
    var lastSeen: FunctionID?

    mutating func see(_ function: FunctionID) {
      let number = Int(function.rawValue)
      while isSeen.count <= number { isSeen.append(false) }
      isSeen[number] = true
    }

    /// By the key's number.
    var skipped: [UInt64: Int] = [:]
  }

  private func read(
    _ input: consuming SniffedInput, into sums: inout [SideSums], sideOf: (Call) -> Int,
    _ progress: @escaping Progress
  ) throws(AnalysisError) -> FinishedReader {
    do throws(TraceError) {
      var reader = try CallReader(input, tracksPaths: request.wantsCallees, jobs: jobs, onRead: progress)
      let selection = request.selection
      if request.wantsTimeAway { try reader.noticeTimeAway() }
      if !selection.all { reader.keepNames { selection.contains($0) } }
      if sums.count == 1, !request.wantsCallees, !request.wantsSelfTime, !request.selection.isEverything {
        let untouched = sums
        var exits: UInt64 = 0
        var isWorthwhile = true
        while isWorthwhile {
          try reader.selectFunctions(
            beginning: selection.prefixes, orSumUp: reader.isTraceDat ? tallies : mayTally(reader)
          ) { !$0.isEmpty && selection.contains($0) }
          try sumUp(&reader, into: &sums, sideOf: sideOf)
          guard let leftOut = reader.leftOut else { return FinishedReader(reader) }
          exits = leftOut.exits
          if leftOut.isComplete, exits > 0, isAllThere(sums[0], reader.functions) {
            // One side: a text with headings is read as a whole.
            sums[0].quality.calls += Int(clamping: exits) - sums[0].ended
            return FinishedReader(reader)
          }
          isWorthwhile = leftOut.isWorthRepeating
          reader.restart()
          sums = untouched
        }
        // Where too much was wanted, all of it may be cheaper.
        if exits > 0, mayTally(reader), let found = try tallied(&reader) {
          sums[0] = found.sums
          return FinishedReader(reader, found.tally)
        }
        if reader.isTraceDat, tallies { try reader.leaveOutSelfTimes() }
        try sumUp(&reader, into: &sums, sideOf: sideOf)
        return FinishedReader(reader)
      }
      // A text for both sides has headings or columns.
      if canTally(reader), sums.count == 1 || reader.isTraceDat, var found = try tallied(&reader) {
        // A second look at the trace may not see all that it names.
        let finished = FinishedReader(reader, found.tally)
        var isWhole = true
        if request.wantsTimeline { isWhole = try addTimelines(&reader, to: &found.sums) }
        if isWhole {
          // One side here too.
          sums[0] = found.sums
          return finished
        }
        reader.restart()
      }
      try sumUp(&reader, into: &sums, sideOf: sideOf)
      return FinishedReader(reader)
    } catch {
      throw .trace(error)
    }
  }

  /// Whether calls of every function were seen that was named: else the names of all others are wanted, for advice.
  private func isAllThere(_ sums: SideSums, _ functions: FunctionTable) -> Bool {
    let symbols = Set(sums.functions.map { functions[$0].symbol })
    return request.selection.required.allSatisfy { name in
      symbols.contains(where: FunctionPattern(name).matches)
    }
  }

  private func sumUp(
    _ reader: inout CallReader, into sums: inout [SideSums], sideOf: (Call) -> Int
  ) throws(TraceError) {
    var calls: [Call] = []
    // 0 not looked at, 1 wanted, 2 not.
    var selected: [UInt8] = []
    while try reader.next(&calls) {
      if calls.isEmpty { continue }
      let functions = reader.functions
      let buffers = reader.description.buffers
      let comms = reader.comms
      // Of this batch; a copy that is let go before the next call of `next` costs nothing.
      let paths = reader.paths
      while selected.count < functions.count {
        let name = functions[FunctionID(rawValue: UInt32(selected.count))].symbol
        selected.append(!name.isEmpty && request.selection.contains(name) ? 1 : 2)
      }
      for call in calls {
        let side = sideOf(call)
        let isSelected = selected[Int(call.function.rawValue)] == 1
        if call.status != .unfinished {
          sums[side].quality.calls += 1
          sums[side].ended += 1
        } else if isSelected {
          sums[side].quality.calls += 1
        }
        if !isSelected && !request.wantsCallees { continue }
        let passes =
          isSelected
          && add(call, to: &sums[side], comms: comms, buffers: buffers, functions: functions)
        if request.wantsCallees {
          sums[side].collector.add(
            call, paths: paths,
            isSelected: { Int($0.rawValue) < selected.count && selected[Int($0.rawValue)] == 1 },
            isWanted: passes)
        }
      }
    }
  }

  /// What remains of a reader that has come to the end.
  private struct FinishedReader {
    var functions: FunctionTable
    var paths: CallPaths
    var description: TraceDescription
    var diagnostics: Diagnostics
    var losses: Int
    var lostEvents: UInt64
    var isNested: Bool
    var deepest: Int32
    var sections: (before: Int, after: Int)
    var timeAwaySources: [Int: TimeAwaySources]

    init(_ reader: borrowing CallReader, _ tally: TraceTally? = nil) {
      functions = reader.functions
      paths = tally?.paths ?? reader.paths
      description = reader.description
      diagnostics = reader.diagnostics
      losses = tally?.losses ?? reader.losses
      lostEvents = tally?.lostEvents ?? reader.lostEvents
      deepest = tally?.deepest ?? reader.deepest
      isNested = deepest > 0
      sections = reader.sections
      timeAwaySources = reader.timeAwaySources
    }
  }

  /// Counts a call of a selected function; false where a filter leaves it out.
  private func add(
    _ call: Call, to sums: inout SideSums, comms: StringTable, buffers: [TraceDescription.Buffer],
    functions: FunctionTable
  ) -> Bool {
    func buffer() -> String { Int(call.buffer) < buffers.count ? buffers[Int(call.buffer)].name : "" }
    if sums.lastSeen != call.function {
      sums.lastSeen = call.function
      sums.see(call.function)
    }
    guard
      request.filter.acceptsAll || request.filter.accepts(call, comm: comms[call.comm], buffer: buffer())
    else {
      if request.filter.hasTimeRange, call.timestamp.unit != .nanoseconds { sums.quality.withoutTime += 1 }
      return false
    }
    let key = SideSums.Key(buffer: call.buffer, function: call.function)
    if request.filter.skipFirst > 0 {
      let skipped = sums.skipped[key.number, default: 0]
      if skipped < request.filter.skipFirst {
        sums.skipped[key.number] = skipped + 1
        sums.quality.skipped += 1
        return false
      }
    }
    if call.duration == nil, call.status != .unfinished { sums.quality.withoutDuration += 1 }
    let place: Int
    if let known = sums.place(key) {
      place = known
    } else {
      if sums.durations.count >= Self.functionsLimit {
        sums.quality.callsBeyondLimit += 1
        return false
      }
      place = sums.durations.count
      sums.places[key.number] = place
      sums.durations.append(
        FunctionDurations(
          buffer: buffer(), function: functions[call.function],
          durations: DurationSample(limit: sums.isCrowded ? Self.crowdedLimit : DurationSample.exactLimit)))
      if request.wantsTimeline {
        sums.durations[place].timeline = CallTimeline(limit: CallTimeline.limit(beside: place))
      }
    }
    sums.durations[place].add(call)
    if request.wantsTimeAway { sums.durations[place].addTimeAway(call) }
    sums.kept += 1
    if sums.kept > exactBudget, !sums.isCrowded {
      sums.isCrowded = true
      for place in sums.durations.indices {
        sums.durations[place].durations.lowerLimit(to: Self.crowdedLimit)
      }
    }
    return true
  }

  private func finish(_ sums: SideSums, _ reader: FinishedReader) throws(AnalysisError) -> TraceAnalysis {
    let clocksAreTime = reader.description.buffers.allSatisfy(\.timestampsAreTime)
    if request.filter.hasTimeRange, !clocksAreTime {
      let clock = reader.description.buffers.first { !$0.timestampsAreTime }?.clock ?? ""
      throw .clockIsNotTime(clock: clock)
    }
    if sums.quality.calls == 0, isNoFunctionGraph(reader) {
      throw .noFunctionGraph(tracer: reader.description.tracer)
    }
    let durations = sums.durations
    if !durations.isEmpty, sums.quality.withoutDuration > 0, durations.allSatisfy({ $0.count == 0 }) {
      throw .noDurations(function: durations.map(\.function.symbol).min() ?? "")
    }

    var quality = sums.quality
    quality.losses = reader.losses
    quality.lostEvents = reader.lostEvents
    quality.diagnostics = reader.diagnostics
    quality.isNested = reader.isNested
    quality.deepest = reader.deepest
    quality.pathsTruncated = reader.paths.isTruncated

    let ordered = sums.places.map { (key: SideSums.Key(number: $0.key), value: sums.durations[$0.value]) }
      .sorted { a, b in
        if a.key.buffer != b.key.buffer { return a.key.buffer < b.key.buffer }
        if a.value.durations.total != b.value.durations.total {
          return a.value.durations.total > b.value.durations.total
        }
        return a.key.function < b.key.function
      }
    var tables: [CalleeCollector.Root: CalleeTable] = [:]
    var trees: [CalleeCollector.Root: CalleeTree] = [:]
    if request.wantsCallees {
      let (paths, names, sources) = (reader.paths, reader.functions, reader.timeAwaySources)
      inParallel(request.wantsTree ? 2 : 1, workers: jobs) { part, _ in
        if part == 0 {
          tables = sums.collector.tables(
            paths: paths, functions: names, sources: sources, jobs: jobs,
            isSelected: { request.selection.contains(names[$0].symbol) })
        } else {
          trees = sums.collector.trees(
            CalleeTree.roots(
              ordered.map { CalleeCollector.Root(buffer: $0.key.buffer, function: $0.key.function) }),
            paths: paths, functions: names)
        }
      }
    }
    let functions = ordered.map { key, value in
      var value = value
      value.keepTimeAway(reader.timeAwaySources[Int(key.buffer)] ?? TimeAwaySources())
      if request.wantsCallees {
        value.tree = trees[CalleeCollector.Root(buffer: key.buffer, function: key.function)]
        value.callees =
          tables[CalleeCollector.Root(buffer: key.buffer, function: key.function)]
          ?? CalleeTable(parentCalls: 0, parentTotal: 0, parentSelf: 0, rows: [])
      }
      return value
    }
    return TraceAnalysis(
      path: path, description: reader.description, functions: functions, quality: quality,
      missing: missingFunctions(
        request.selection, functions: reader.functions, seen: sums.seen,
        given: sums.functions,
        traceIsEmpty: sums.quality.calls == 0))
  }

  /// A text without one line of function-graph output. A trace.dat without calls is a trace, an empty one.
  private func isNoFunctionGraph(_ reader: FinishedReader) -> Bool {
    if case .traceDat = reader.description.format { return false }
    return true
  }
}
