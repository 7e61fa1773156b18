public import FunctionGraph
public import TraceInput

/// The calls of selected functions, in the order of rows that the contract names: as they end, unfinished ones last (in a
/// trace.dat at the end of their buffer).
public struct SelectedCalls: ~Copyable {
  /// Unfinished calls beyond this many are given when they are noticed, so that memory stays flat.
  public static let heldBackLimit = 1 << 17

  private let request: AnalysisRequest
  private var reader: CallReader
  private var batch: [Call] = []
  /// 1 wanted, 2 not.
  private var selected: [UInt8] = []
  /// By function number.
  private var isSeen: [Bool] = []
  private var isGiven: [Bool] = []
  private var skipped: [UInt64: Int] = [:]
  private var heldBack: [Call] = []
  private var buffer: UInt16 = 0
  public let isTraceDat: Bool
  public private(set) var quality = TraceQuality()
  /// True where so many calls were unfinished that some had to be given before the others' ends.
  public private(set) var isOutOfOrder = false

  /// - Parameters:
  ///   - input: read from its beginning.
  ///   - request: which calls are wanted.
  ///   - jobs: how many threads may read it; the result does not depend on it.
  ///   - pairsByCPU: off where what comes out is to be compared with the plain way.
  public init(
    _ input: consuming SniffedInput, request: AnalysisRequest, jobs: Int = 1, pairsByCPU: Bool = true
  ) throws(TraceError) {
    let isTraceDat = input.isTraceDat
    var reader = try CallReader(input, jobs: jobs)
    let selection = request.selection
    if !selection.all { reader.keepNames { selection.contains($0) } }
    if pairsByCPU { try reader.leaveOutSelfTimes() }
    self.request = request
    self.isTraceDat = isTraceDat
    self.reader = reader
  }

  /// Replaces `calls` with the next ones; false at the end.
  public mutating func next(_ calls: inout [Call]) throws(TraceError) -> Bool {
    calls.removeAll(keepingCapacity: true)
    guard try reader.next(&batch) else {
      quality.losses = reader.losses
      quality.lostEvents = reader.lostEvents
      quality.diagnostics = reader.diagnostics
      quality.isNested = reader.isNested
      quality.deepest = reader.deepest
      guard !heldBack.isEmpty else { return false }
      release(into: &calls)
      return true
    }
    if batch.isEmpty { return true }
    let functions = reader.functions
    let comms = reader.comms
    let buffers = reader.description.buffers
    while selected.count < functions.count {
      let name = functions[FunctionID(rawValue: UInt32(selected.count))].symbol
      selected.append((name.isEmpty ? request.selection.all : request.selection.contains(name)) ? 1 : 2)
      isSeen.append(false)
      isGiven.append(false)
    }
    for call in batch {
      quality.calls += 1
      guard selected[Int(call.function.rawValue)] == 1 else { continue }
      isSeen[Int(call.function.rawValue)] = true
      guard
        request.filter.acceptsAll
          || request.filter.accepts(
            call, comm: comms[call.comm],
            buffer: Int(call.buffer) < buffers.count ? buffers[Int(call.buffer)].name : "")
      else { continue }
      if request.filter.skipFirst > 0 {
        let key = UInt64(call.buffer) << 32 | UInt64(call.function.rawValue)
        let count = skipped[key, default: 0]
        if count < request.filter.skipFirst {
          skipped[key] = count + 1
          quality.skipped += 1
          continue
        }
      }
      isGiven[Int(call.function.rawValue)] = true
      if isTraceDat, call.buffer != buffer {
        release(into: &calls)
        buffer = call.buffer
      }
      if call.status == .unfinished, heldBack.count < Self.heldBackLimit {
        heldBack.append(call)
      } else {
        if call.status == .unfinished { isOutOfOrder = true }
        calls.append(call)
      }
    }
    return true
  }

  private mutating func release(into calls: inout [Call]) {
    if reader.pairsByCPU {
      // Of one time the lowest CPU's come first, as in the merge of all events.
      heldBack.sort {
        ($0.buffer, $0.timestamp.value, $0.cpu, $0.sequence)
          < ($1.buffer, $1.timestamp.value, $1.cpu, $1.sequence)
      }
    } else {
      heldBack.sort { ($0.buffer, $0.sequence) < ($1.buffer, $1.sequence) }
    }
    calls += heldBack
    heldBack.removeAll(keepingCapacity: true)
  }

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
      request.selection, functions: functions, seen: Self.numbers(isSeen), given: Self.numbers(isGiven),
      traceIsEmpty: quality.calls == 0)
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
