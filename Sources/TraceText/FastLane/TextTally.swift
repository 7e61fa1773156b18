internal import CVector
internal import FunctionGraph

/// Pairs the lines of a text's ranges and sums up the calls in one go, where no call is wanted by itself.
///
/// What is as usual, entries, exits and leaves of a CPU or task, is paired here, by the rules of `CallBuilder` and on stacks that it has
/// lent. Before anything else happens the stacks are given back, and the builder takes that event. Paths are the builder's, so that
/// both go on from each other's; what calls come to by path is kept by `PathSums`.
///
/// Lost events mark a lane's open calls where its next line comes, by where and when it was last seen (`CallBuilder.markLosses`).
///
/// What cannot be summed up so sets `needsEvents`: headings, columns, several buffers, lines with times and tasks that are not in
/// the order of their times, interrupts in tasks' lines.
final class TextTally {
  /// The calls of one function.
  struct Function: BitwiseCopyable {
    /// Durations that the sink has not got yet.
    var waiting: UnsafeMutablePointer<TimedDuration>
    var waitingCount = 0
    var complete = 0
    var unfinished = 0
    var noEntry = 0
    var lost = 0
    var selfTime: Int64 = 0
    var selfTimeCalls = 0
    var resolution: UInt32 = 1
    var isSelected: Bool
  }

  /// A CPU, or a task where lines name it.
  struct Lane {
    let frames: UnsafeMutablePointer<LentFrame>
    /// When these were entered, where lines have times.
    let entries: UnsafeMutablePointer<SievedRange.Stamp>
    /// Theirs; nil where paths are not wanted.
    let paths: UnsafeMutablePointer<CallPaths.ID>?
    var count = 0
    var lostBelow = 0
    /// −1 where it is not known.
    var stack = -1
    /// `lossCount` when its last event came; −1 where the stack is not lent.
    var lossesSeen = -1
    /// `CallBuilder.eventsTaken` when its last event came, and where it came.
    var last: UInt64 = 0
    var lastCPU: Int32 = -1
    /// Of the innermost open call, for `InterruptNesting`; `none` where nothing came since that was told.
    var opening = TextSieve.none
    var pid: Int32 = -1
    var comm = StringTable.ID.none

    var isLent: Bool { lossesSeen >= 0 }
  }

  /// Whose the records of a sieve's lane are.
  struct Owner: BitwiseCopyable {
    var lane: Int32
    var cpu: Int32
  }

  /// Strict lines are less deep than 32, and deeper stacks are not lent.
  private static let mostFrames = 128
  static let mostLanes = 1 << 14

  private let isWanted: @Sendable (String) -> Bool
  let sink: any DurationSink
  let layout: StrictLane.Layout
  let hasTasks: Bool
  let hasTimes: Bool
  /// Events are put in the order of their times.
  var isOrdered: Bool { hasTasks && hasTimes }
  var builder: CallBuilder
  /// nil where paths are not wanted.
  let paths: PathSums?
  var functions: UnsafeMutablePointer<Function>
  private var functionCount = 0
  private var functionCapacity = 1 << 10
  var lanes: UnsafeMutablePointer<Lane>
  var laneCount = 0
  private var laneCapacity = 64
  var laneOfTask: [Int64: Int] = [:]
  /// Of each sieve, by its own numbers.
  var numbers: [[UInt32]] = []
  var ownersOfSieve: [[Owner]] = []
  /// Names that have no number yet.
  var names: [[(symbol: [UInt8], module: [UInt8])]] = []
  var order: UInt64 = 0
  var calls: [Call] = []
  var events: [Event] = []
  var lastTime: UInt64 = 0
  /// Losses that were told to lent lanes, and the last of them on each CPU; 0 where there was none.
  var lossCount = 0
  var lastLoss = [Int](repeating: 0, count: TextTally.mostLossCPUs)
  static let mostLossCPUs = 1 << 10
  var exits = 0
  var deepest: Int32 = -1
  var needsEvents = false

  init(
    _ layout: StrictLane.Layout, withPaths: Bool, isWanted: @escaping @Sendable (String) -> Bool,
    sink: any DurationSink
  ) {
    self.layout = layout
    builder = CallBuilder(tracksPaths: withPaths)
    paths = withPaths ? PathSums() : nil
    hasTasks = layout.hasTasks
    hasTimes = layout.hasTimes
    self.isWanted = isWanted
    self.sink = sink
    functions = .allocate(capacity: functionCapacity)
    lanes = .allocate(capacity: laneCapacity)
  }

  deinit {
    for number in 0..<functionCount { functions[number].waiting.deallocate() }
    for lane in 0..<laneCount {
      lanes[lane].frames.deallocate()
      lanes[lane].entries.deallocate()
      lanes[lane].paths?.deallocate()
    }
    functions.deallocate()
    lanes.deallocate()
    paths?.deallocate()
  }

  // MARK: Functions and lanes

  /// Makes room for all functions that have numbers.
  func growFunctions(_ table: borrowing FunctionTable) {
    guard table.count > functionCount else { return }
    if table.count > functionCapacity {
      let old = functions
      functionCapacity = max(table.count, 2 * functionCapacity)
      functions = .allocate(capacity: functionCapacity)
      functions.update(from: old, count: functionCount)
      old.deallocate()
    }
    while functionCount < table.count {
      let symbol = table[FunctionID(rawValue: UInt32(functionCount))].symbol
      functions[functionCount] = Function(
        waiting: .allocate(capacity: TimedDuration.batchSize), isSelected: !symbol.isEmpty && isWanted(symbol)
      )
      functionCount += 1
    }
  }

  func addLane(_ lane: Lane) -> Int {
    if laneCount >= laneCapacity {
      let old = lanes
      laneCapacity *= 2
      lanes = .allocate(capacity: laneCapacity)
      lanes.update(from: old, count: laneCount)
      old.deallocate()
    }
    lanes[laneCount] = lane
    laneCount += 1
    return laneCount - 1
  }

  func newLane() -> Lane {
    let capacity = Self.mostFrames + 64
    return Lane(
      frames: .allocate(capacity: capacity), entries: .allocate(capacity: capacity),
      paths: paths == nil ? nil : .allocate(capacity: capacity))
  }

  // MARK: Events the general way

  /// Events that did not come as records.
  ///
  /// - Parameter isInOrder: whether their times were looked at.
  func take(_ events: [Event], isInOrder: Bool = false, _ parser: borrowing TextParser) {
    guard !events.isEmpty, !needsEvents else { return }
    giveBackAll()
    for event in events {
      guard event.column == 0, event.buffer == 0, isUsual(event, isInOrder: isInOrder) else {
        needsEvents = true
        return
      }
      if isOrdered, !isInOrder, event.timestamp.unit == .nanoseconds { lastTime = event.timestamp.value }
    }
    if hasTasks, parser.nesting.sawInterrupt { needsEvents = true }
    consume(events, parser.functions)
  }

  private func isUsual(_ event: Event, isInOrder: Bool) -> Bool {
    switch event.kind {
    case .heading, .switched, .interruptEntry, .interruptExit: return false
    case .taskSwitch: return !layout.isReport
    case .lost: return true
    default: break
    }
    guard event.timestamp.unit == (hasTimes ? .nanoseconds : .none) else { return false }
    if isOrdered, !isInOrder, event.timestamp.value < lastTime { return false }
    return hasTasks ? event.pid >= 0 && event.cpu >= 0 : event.pid < 0
  }

  func consume(_ events: [Event], _ table: borrowing FunctionTable) {
    calls.removeAll(keepingCapacity: true)
    builder.consume(events, into: &calls)
    growFunctions(table)
    addCalls()
  }

  private func addCalls() {
    learnPaths()
    for call in calls {
      if let paths {
        paths.learn(stack: Int(call.stack))
        paths.end(
          call.path, call.duration ?? 0, selfTime: call.selfTime ?? 0,
          isWhole: call.status == .complete && call.duration != nil, stack: Int(call.stack))
      }
      let function = functions + Int(call.function.rawValue)
      if call.status != .unfinished { exits += 1 }
      switch call.status {
      case .complete: function.pointee.complete += 1
      case .unfinished: function.pointee.unfinished += 1
      case .noEntry: function.pointee.noEntry += 1
      case .lost: function.pointee.lost += 1
      }
      if let selfTime = call.selfTime {
        function.pointee.selfTime &+= selfTime
        function.pointee.selfTimeCalls += 1
      }
      if let duration = call.duration {
        deliver(duration, call.resolution, Int(call.function.rawValue))
      } else if call.status != .unfinished, function.pointee.isSelected {
        needsEvents = true
      }
    }
  }

  /// Paths that came up, after their functions.
  private func learnPaths() {
    paths?.learn(builder.paths) { functions[Int($0.rawValue)].isSelected }
    // Those beyond the limit are told apart in another way.
    if builder.paths.isTruncated { needsEvents = true }
  }

  /// The path of a call of `function` below one of `parent`, which is cached then.
  @inline(never)
  func addPath(below parent: CallPaths.ID, _ function: FunctionID, _ paths: PathSums) -> CallPaths.ID {
    let path = builder.path(below: parent, function)
    learnPaths()
    paths.cached(below: parent, function).pointee = PathSums.CachedPath(
      parent: parent, function: function, path: path)
    return path
  }

  // MARK: Lent stacks

  func giveBack(_ lane: Int) {
    guard lanes[lane].isLent else { return }
    let state = lanes[lane]
    builder.takeBack(
      UnsafeBufferPointer(start: state.frames, count: state.count),
      entries: hasTimes ? (0..<state.count).map { state.entries[$0].timestamp } : [],
      paths: Array(UnsafeBufferPointer(start: state.paths, count: state.paths == nil ? 0 : state.count)),
      lostBelow: state.lostBelow, last: state.last, cpu: state.lastCPU, stack: state.stack)
    lanes[lane].lossesSeen = -1
  }

  func giveBackAll() {
    for lane in 0..<laneCount {
      giveBack(lane)
      lanes[lane].stack = -1
    }
  }

  /// After an event of the lane was taken by the builder.
  func borrow(_ lane: Int, _ nesting: borrowing InterruptNesting) {
    let stack = builder.stackOfLastEvent
    lanes[lane].stack = stack
    guard hasTasks || nesting.isRegular(cpu: lane), let lent = builder.frames(ofStack: stack),
      lent.frames.count <= Self.mostFrames, lent.frames.allSatisfy({ $0.depth >= 0 })
    else { return }
    // Two CPUs that run one task, where a switch was lost.
    for other in 0..<laneCount where other != lane && lanes[other].stack == stack {
      giveBack(other)
      return
    }
    for (index, frame) in lent.frames.enumerated() {
      lanes[lane].frames[index] = frame
      lanes[lane].entries[index] = SievedRange.Stamp(nanoseconds: lent.entries[index].value)
      if index < lent.paths.count { lanes[lane].paths?[index] = lent.paths[index] }
    }
    paths?.learn(stack: stack)
    lanes[lane].count = lent.frames.count
    lanes[lane].lostBelow = lent.lostBelow
    lanes[lane].last = builder.eventsTaken
    lanes[lane].lossesSeen = lossCount
  }

  // MARK: Results

  /// The end of the text: what is still open is unfinished.
  func finish() -> TraceTally? {
    giveBackAll()
    calls.removeAll(keepingCapacity: true)
    builder.finish(into: &calls)
    addCalls()
    guard !needsEvents else { return nil }
    var tally = TraceTally()
    tally.losses = builder.losses
    tally.lostEvents = builder.lostEvents
    tally.deepest = max(deepest, builder.deepest)
    tally.calls = exits
    for number in 0..<functionCount where functions[number].isSelected {
      deliver(number)
      let function = functions[number]
      tally.calls += function.unfinished
      guard function.complete + function.unfinished + function.noEntry + function.lost > 0 else { continue }
      var sums = TraceTally.Function(
        buffer: 0, function: FunctionID(rawValue: UInt32(number)), lane: 0, number: number)
      sums.complete = function.complete
      sums.unfinished = function.unfinished
      sums.noEntry = function.noEntry
      sums.lost = function.lost
      sums.selfTime = function.selfTime
      sums.selfTimeCalls = function.selfTimeCalls
      sums.resolution = function.resolution
      tally.functions.append(sums)
    }
    if let paths {
      tally.paths = builder.paths
      tally.sums = paths.sums.map { (0, $0.path, $0.sum) }
    }
    return tally
  }
}
