public import FunctionGraph
public import TraceInput

/// The calls of selected functions, in the order of rows that the contract names: as they end, unfinished ones last (in a
/// trace.dat at the end of their buffer).
public struct SelectedCalls: ~Copyable {
  /// Unfinished calls beyond this many are given when they are noticed, so that memory stays flat.
  public static let heldBackLimit = 1 << 17

  /// Calls that are picked out of a trace before the first one is given; of more, all others are read too.
  var pickedLimit = 1 << 17

  private let request: AnalysisRequest
  private var reader: CallReader
  private var batch: [Call] = []
  /// By function number: 1 wanted, 2 not.
  private var selected: [UInt8] = []
  private var seen = Seen()
  /// All that there are, where they were picked out.
  private var picked: [Call]?
  /// It is known how the calls are found.
  private var hasBegun: Bool
  public let isTraceDat: Bool

  /// What is known of the calls up to here.
  private struct Seen {
    var quality = TraceQuality()
    var isOutOfOrder = false
    /// There was some call, of whichever function.
    var isAny = false
    /// Calls whose exit was seen.
    var ended = 0
    /// By function number: one that is wanted was there, and one of which a call was given.
    var functions: [Bool] = []
    var given: [Bool] = []
    var skipped: [UInt64: Int] = [:]
    var heldBack: [Call] = []
    var buffer: UInt16 = 0
  }

  /// - Parameters:
  ///   - input: read from its beginning.
  ///   - request: which calls are wanted.
  ///   - jobs: how many threads may read it; the result does not depend on it.
  ///   - isPlain: all calls are made and looked at, where what comes out is to be compared with that.
  ///   - onRead: as of `TraceReader`.
  public init(
    _ input: consuming SniffedInput, request: AnalysisRequest, jobs: Int = 1, isPlain: Bool = false,
    onRead: @escaping @Sendable (_ read: UInt64, _ size: UInt64?) -> Void = { _, _ in }
  ) throws(TraceError) {
    isTraceDat = input.isTraceDat
    reader = try CallReader(input, jobs: jobs, onRead: onRead)
    self.request = request
    let selection = request.selection
    if !selection.all { reader.keepNames { selection.contains($0) } }
    hasBegun = isPlain
  }

  /// Picks the calls out where they are few, which leaves most of the trace unlooked at. Whether that went well shows at the
  /// trace's end only: until then none is given.
  ///
  /// - Returns: false where all have to be read, from the beginning.
  private mutating func pickOut() throws(TraceError) -> Bool {
    let selection = request.selection
    if selection.isEverything { return false }
    while true {
      try reader.selectFunctions(beginning: selection.prefixes, orSumUp: true) {
        !$0.isEmpty && selection.contains($0)
      }
      if reader.leftOut == nil { return false }
      var calls: [Call] = []
      var isMore = true
      while isMore, calls.count + seen.heldBack.count < pickedLimit {
        isMore = try reader.next(&batch)
        if isMore { take(batch, into: &calls) }
      }
      guard let leftOut = reader.leftOut else { return false }
      // Of a function that was not there, the names of all others are wanted.
      if !isMore, leftOut.isComplete, leftOut.exits > 0, missing.isEmpty {
        seen.isAny = true
        seen.quality.calls += Int(clamping: leftOut.exits) - seen.ended
        release(into: &calls)
        picked = calls
        return true
      }
      reader.restart()
      seen = Seen()
      // A text's functions get other numbers.
      selected = []
      if isMore || !leftOut.isWorthRepeating { return false }
    }
  }

  /// Replaces `calls` with the next ones; false at the end.
  public mutating func next(_ calls: inout [Call]) throws(TraceError) -> Bool {
    calls.removeAll(keepingCapacity: true)
    if !hasBegun {
      hasBegun = true
      if try !pickOut() { try reader.leaveOutSelfTimes() }
    }
    if let found = picked {
      noteEnd()
      calls = found
      picked = []
      return !found.isEmpty
    }
    guard try reader.next(&batch) else {
      noteEnd()
      guard !seen.heldBack.isEmpty else { return false }
      release(into: &calls)
      return true
    }
    take(batch, into: &calls)
    return true
  }

  private mutating func noteEnd() {
    seen.quality.losses = reader.losses
    seen.quality.lostEvents = reader.lostEvents
    seen.quality.diagnostics = reader.diagnostics
    seen.quality.isNested = reader.isNested
    seen.quality.deepest = reader.deepest
  }

  /// Appends those of `batch` that are wanted.
  private mutating func take(_ batch: [Call], into calls: inout [Call]) {
    if batch.isEmpty { return }
    seen.isAny = true
    let functions = reader.functions
    let comms = reader.comms
    let buffers = reader.description.buffers
    while selected.count < functions.count {
      let name = functions[FunctionID(rawValue: UInt32(selected.count))].symbol
      selected.append((name.isEmpty ? request.selection.all : request.selection.contains(name)) ? 1 : 2)
    }
    while seen.functions.count < selected.count {
      seen.functions.append(false)
      seen.given.append(false)
    }
    for call in batch {
      let function = Int(call.function.rawValue)
      let isSelected = selected[function] == 1
      let isUnfinished = call.status == .unfinished
      if !isUnfinished { seen.ended += 1 }
      if !isUnfinished || isSelected { seen.quality.calls += 1 }
      guard isSelected else { continue }
      seen.functions[function] = true
      guard
        request.filter.acceptsAll
          || request.filter.accepts(
            call, comm: comms[call.comm],
            buffer: Int(call.buffer) < buffers.count ? buffers[Int(call.buffer)].name : "")
      else { continue }
      if request.filter.skipFirst > 0 {
        let key = UInt64(call.buffer) << 32 | UInt64(call.function.rawValue)
        let count = seen.skipped[key, default: 0]
        if count < request.filter.skipFirst {
          seen.skipped[key] = count + 1
          seen.quality.skipped += 1
          continue
        }
      }
      seen.given[function] = true
      if isTraceDat, call.buffer != seen.buffer {
        release(into: &calls)
        seen.buffer = call.buffer
      }
      if isUnfinished, seen.heldBack.count < Self.heldBackLimit {
        seen.heldBack.append(call)
      } else {
        if isUnfinished { seen.isOutOfOrder = true }
        calls.append(call)
      }
    }
  }

  private mutating func release(into calls: inout [Call]) {
    if reader.pairsByCPU {
      // Of one time the lowest CPU's come first, as in the merge of all events.
      seen.heldBack.sort {
        ($0.buffer, $0.timestamp.value, $0.cpu, $0.sequence)
          < ($1.buffer, $1.timestamp.value, $1.cpu, $1.sequence)
      }
    } else {
      seen.heldBack.sort { ($0.buffer, $0.sequence) < ($1.buffer, $1.sequence) }
    }
    calls += seen.heldBack
    seen.heldBack.removeAll(keepingCapacity: true)
  }

  /// True where so many calls were unfinished that some had to be given before the others' ends.
  public var isOutOfOrder: Bool { seen.isOutOfOrder }
  /// Calls that ended, and unfinished ones of the selected functions; complete at the end, as all else.
  public var quality: TraceQuality { seen.quality }
  /// No call of any function was there.
  public var isEmpty: Bool { !seen.isAny }
  public var filter: CallFilter { request.filter }
  public var functions: FunctionTable { reader.functions }
  public var comms: StringTable { reader.comms }
  public var description: TraceDescription { reader.description }
  public var bytesRead: UInt64 { reader.bytesRead }
  public var size: UInt64? { reader.size }

  /// Functions that were named and of which no call was given; complete at the end.
  public var missing: [MissingFunction] {
    let functions = reader.functions
    return missingFunctions(
      request.selection, functions: functions, seen: Self.numbers(seen.functions),
      given: Self.numbers(seen.given), traceIsEmpty: isEmpty)
  }

  private static func numbers(_ flags: [Bool]) -> Set<FunctionID> {
    Set(flags.indices.filter { flags[$0] }.map { FunctionID(rawValue: UInt32($0)) })
  }
}

/// Functions that were named without a wildcard and of which no call passed.
///
/// - Parameters:
///   - seen: functions of which there were calls that the selection wanted.
///   - given: those of which a call passed the filters too.
func missingFunctions(
  _ selection: FunctionSelection, functions: FunctionTable, seen: Set<FunctionID>, given: Set<FunctionID>,
  traceIsEmpty: Bool
) -> [MissingFunction] {
  var result: [MissingFunction] = []
  var names: [String]?
  for name in selection.required {
    let pattern = FunctionPattern(name)
    if given.contains(where: { pattern.matches(functions[$0].symbol) }) { continue }
    let all = names ?? (0..<functions.count).map { functions[FunctionID(rawValue: UInt32($0))].symbol }
    names = all
    result.append(
      MissingFunction(
        name: name, nearest: nearestNames(to: name, among: all), family: familyNames(of: name, among: all),
        traceIsEmpty: traceIsEmpty, isFilteredOut: seen.contains { pattern.matches(functions[$0].symbol) }))
  }
  return result
}
