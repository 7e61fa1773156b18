internal import FunctionGraph
internal import TraceInput

/// The analysis of a trace that its reader can sum up by itself: all calls count, and none is wanted by itself.
extension TraceAnalyzer {
  /// Filters ask for single calls; functions without self times are cheaper to pick out (`CallReader.selectFunctions`).
  func canTally(_ reader: borrowing CallReader) -> Bool {
    mayTally(reader) && (request.selection.isEverything || request.wantsCallees || request.wantsSelfTime)
  }

  /// Whether no call is wanted by itself, or those of which it is wanted when they began can be found again.
  func mayTally(_ reader: borrowing CallReader) -> Bool {
    tallies && request.filter.acceptsAll && request.filter.skipFirst == 0
      && (!request.wantsTimeline || reader.isTraceDat || !request.selection.isEverything)
  }

  /// Sums up the whole trace; nil where that cannot be done, and `reader` gives all calls then.
  func tallied(_ reader: inout CallReader) throws(TraceError) -> (sums: SideSums, tally: TraceTally)? {
    let mayBeCrowded = request.selection.isEverything && reader.likelyCalls > crowdExpected
    let kept = KeptDurations(limit: exactBudget, isExpectedCrowded: mayBeCrowded)
    let found = try tallied(&reader, kept)
    guard found != nil, mayBeCrowded, !kept.isCrowded else { return found }
    // All of them could have been kept.
    reader.restart()
    return try tallied(&reader, KeptDurations(limit: exactBudget))
  }

  /// Says of selected calls when they began, which a tally does not tell: in a second look at the trace, as it takes a small
  /// part of the time that making calls of all records does.
  ///
  /// - Parameter reader: has given its tally; gives those calls then.
  /// - Returns: false where it cannot give them without making all calls.
  func addTimelines(_ reader: inout CallReader, to sums: inout SideSums) throws(TraceError) -> Bool {
    let selection = request.selection
    let numbers = FunctionNumbers(reader, sums)
    reader.restart()
    var isWorthwhile = !selection.isEverything
    while isWorthwhile {
      try reader.selectFunctions(beginning: selection.prefixes, orSumUp: true) {
        !$0.isEmpty && selection.contains($0)
      }
      guard let leftOut = try addTimelines(ofCallsOf: &reader, numbers, to: &sums) else { return false }
      if leftOut.isComplete { return true }
      isWorthwhile = leftOut.isWorthRepeating
      reader.restart()
    }
    try reader.leaveOutSelfTimes()
    guard reader.pairsByCPU else { return false }
    _ = try addTimelines(ofCallsOf: &reader, numbers, to: &sums)
    return true
  }

  /// - Returns: what the reader left out.
  private func addTimelines(
    ofCallsOf reader: inout CallReader, _ numbers: FunctionNumbers, to sums: inout SideSums
  ) throws(TraceError) -> LeftOutFunctions? {
    var numbers = numbers
    var seen = 0
    var isSeen = [Bool](repeating: false, count: sums.durations.count)
    var calls: [Call] = []
    while try reader.next(&calls) {
      numbers.learn(reader.functions)
      for call in calls {
        // Others come too.
        guard let function = numbers[call.function],
          let place = sums.place(SideSums.Key(buffer: call.buffer, function: function))
        else { continue }
        if !isSeen[place] {
          isSeen[place] = true
          sums.durations[place].timeline = CallTimeline(limit: CallTimeline.limit(beside: seen))
          seen += 1
        }
        if let duration = call.duration { sums.durations[place].timeline?.add(call.timestamp, duration) }
      }
    }
    return reader.leftOut
  }

  private func tallied(
    _ reader: inout CallReader, _ kept: KeptDurations
  ) throws(TraceError) -> (sums: SideSums, tally: TraceTally)? {
    let selection = request.selection
    var lanes: [LaneDurations] = []
    let found = try reader.tally(
      withPaths: request.wantsCallees,
      { !$0.isEmpty && selection.contains($0) },
      makeSink: { lane in
        if lane < lanes.count { lanes[lane].withdraw() }
        while lanes.count <= lane { lanes.append(LaneDurations(kept)) }
        lanes[lane] = LaneDurations(kept)
        return lanes[lane]
      })
    guard let tally = found else { return nil }
    var sums = SideSums()
    var parts: [[LaneDurations.Function]] = []
    let buffers = reader.description.buffers
    let functions = reader.functions
    for function in tally.functions {
      let key = SideSums.Key(buffer: function.buffer, function: function.function)
      let place: Int
      if let known = sums.places[key.number] {
        place = known
      } else {
        place = sums.durations.count
        // What is beyond is a matter of which calls came first.
        guard place < Self.functionsLimit else {
          reader.restart()
          return nil
        }
        sums.places[key.number] = place
        sums.durations.append(
          FunctionDurations(
            buffer: Int(function.buffer) < buffers.count ? buffers[Int(function.buffer)].name : "",
            function: functions[function.function]))
        sums.see(function.function)
        parts.append([])
      }
      sums.durations[place].add(function)
      parts[place].append(lanes[function.lane].take(function.number))
    }
    // Unfinished calls count too, as where calls come one by one.
    kept.add(tally.functions.reduce(0) { $0 + $1.unfinished })
    let limit = kept.isCrowded ? Self.crowdedLimit : DurationSample.exactLimit
    var scratches = [DurationSample.Scratch](repeating: DurationSample.Scratch(), count: max(1, jobs))
    scratches.withUnsafeMutableBufferPointer { scratches in
      sums.durations.withUnsafeMutableBufferPointer { durations in
        parts.withUnsafeMutableBufferPointer { parts in
          inParallel(parts.count, workers: jobs) { place, worker in
            durations[place].durations = LaneDurations.merged(&parts[place], limit: limit, &scratches[worker])
          }
        }
      }
    }
    // A text's longest durations lack decimals.
    for function in tally.functions where function.resolution > 1 {
      let key = SideSums.Key(buffer: function.buffer, function: function.function)
      if let place = sums.places[key.number] {
        sums.durations[place].durations.lowerResolution(to: function.resolution)
      }
    }
    sums.quality.calls = tally.calls
    if request.wantsCallees {
      sums.collector = CalleeCollector(tally) { selection.contains(functions[$0].symbol) }
    }
    return (sums, tally)
  }
}

/// The numbers that functions had when a trace was summed up, by those that they get when it is read again: a text's get others.
private struct FunctionNumbers {
  /// nil where they stay.
  private var byName: [FunctionName: FunctionID]?
  private var numbers: [FunctionID?] = []

  init(_ reader: borrowing CallReader, _ sums: TraceAnalyzer.SideSums) {
    if reader.isTraceDat { return }
    let functions = reader.functions
    byName = Dictionary(sums.functions.map { (functions[$0], $0) }) { first, _ in first }
  }

  mutating func learn(_ functions: FunctionTable) {
    guard let byName else { return }
    while numbers.count < functions.count {
      numbers.append(byName[functions[FunctionID(rawValue: UInt32(numbers.count))]])
    }
  }

  subscript(function: FunctionID) -> FunctionID? {
    byName == nil ? function : numbers[Int(function.rawValue)]
  }
}

extension FunctionDurations {
  fileprivate mutating func add(_ sums: TraceTally.Function) {
    complete += sums.complete
    unfinished += sums.unfinished
    noEntry += sums.noEntry
    lost += sums.lost
    incomplete += sums.unfinished
    selfTime &+= sums.selfTime
    selfTimeCalls += sums.selfTimeCalls
  }
}
