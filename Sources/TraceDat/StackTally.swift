internal import FunctionGraph

/// Pairs entries with exits and sums up the calls in one go, record by record, where no call is wanted by itself.
///
/// The rules are those of `CallBuilder` for records that name task, depth and function, and those of the analysis for
/// callees: what is below a selected call counts once that call has turned out whole. What those rules say of records
/// that only damage brings about (negative depths or durations, times that go back) is left to them: `needsEvents`.
///
/// This is the general path; `skim` takes the records that are as usual.
final class StackTally {
  /// An entered function; `frames[0]` of a task is none, so that there is always one below.
  struct Frame: BitwiseCopyable {
    var node: UInt32
    var depth: Int32
    /// What `skim` leaves to `leave` when the call ends; 0 where it is as usual.
    var oddities: UInt32 = 0
    /// Of an entry right below that `skim` takes: one more than `depth`, and no depth at all where a level is missing.
    var calleeDepth: Int32
    var calleeTime: Int64 = 0
    /// See `CallBuilder.addToCaller`.
    var skippedTime: Int64 = 0 {
      didSet { calleeDepth = skippedTime == 0 ? depth &+ 1 : .min }
    }
    /// Of the function, as the entry has it.
    var address: UInt64
    /// When it was entered.
    var start: UInt64

    init(node: UInt32, depth: Int32, address: UInt64, start: UInt64) {
      self.node = node
      self.depth = depth
      self.address = address
      self.start = start
      calleeDepth = depth &+ 1
    }

    /// No call, so that none ends it.
    static var none: Frame {
      var none = Frame(node: 0, depth: -1, address: 0, start: 0)
      none.oddities = hasNoCaller
      return none
    }

    /// One that was open when a continuation began: neither its function nor what happened before is known here.
    static func inherited(node: UInt32, depth: Int32) -> Frame {
      var frame = Frame(node: node, depth: depth, address: 0, start: 0)
      frame.oddities = isInherited
      return frame
    }

    private static var isPartial: UInt32 { 1 }
    private static var hasNoCaller: UInt32 { 2 }
    private static var isInherited: UInt32 { 4 }

    var isInherited: Bool { oddities & Self.isInherited != 0 }

    /// A direct callee's duration is not known.
    var isPartial: Bool { oddities & Self.isPartial != 0 }

    mutating func lose() { oddities |= Self.isPartial }

    /// The caller's callee time is more than a sum: a level is missing in between, or was before.
    mutating func strayFromCaller() { oddities |= Self.hasNoCaller }
  }

  /// A path of calls; 0 is "no call". Half a line of the cache, as there are many.
  struct Node: BitwiseCopyable {
    var function: UInt32
    /// The outermost selected call on the path, 0 where there is none.
    var root: UInt32
    /// What has happened since the outermost selected call of the current task began; see `touched`. Where there is none,
    /// since the beginning.
    var calls = 0
    var total: Int64 = 0
    var selfTime: Int64 = 0
  }

  /// Durations that the sink has not got yet.
  struct Function: BitwiseCopyable {
    /// Where the next one goes; at `end` there is no room for it, as at first.
    var next: UnsafeMutablePointer<TimedDuration>
    var end: UnsafeMutablePointer<TimedDuration>
    var waiting: UnsafeMutablePointer<TimedDuration>?
    /// Of others no duration is wanted.
    let isSelected: Bool
  }

  /// What is rarer than complete calls with a self time, which are counted by path.
  struct Rest {
    /// Of those on paths whose sums were dropped, less what those of the others count that are not complete.
    var complete = 0
    var selfTime: Int64 = 0
    var withoutSelfTime = 0
    var unfinished = 0
    var noEntry = 0
    var lost = 0
  }

  /// The open calls of one task.
  final class Task {
    let frames = GrowingTable<Frame>(capacity: 32)
    /// Frames up to this number (`frames[0]` not counted) had events lost inside.
    var lostBelow = 0
    /// The lane that had it last.
    var lane: Int
    /// How many losses that one had had when the task was last seen.
    var lastLoss = 0
    /// When it was last seen; of the task whose turn it is, see `StackTally.seen`.
    var seen: UInt64 = 0
    /// All calls below the outermost selected one had both their ends.
    var isWhole = true
    /// Sums of that call that another task's turn put aside.
    var aside: [UInt32: TraceTally.PathSum] = [:]
    var hasAside = false
    /// Of every task that a continuation has seen.
    var inherited: Inherited?

    init(on lane: Int) {
      self.lane = lane
      frames.append(.none)
    }
  }

  static let cacheSlots = 1 << 14

  /// The node that an entry at this address leads to.
  struct CachedNode: BitwiseCopyable {
    var address: UInt64
    var parent: UInt32
    var node: UInt32

    /// Below no node.
    static var none: CachedNode { CachedNode(address: 0, parent: .max, node: 0) }
  }

  let layout: SkimLayout
  /// The CPUs.
  let lanes: [TallyLane]
  private let isWanted: @Sendable (String) -> Bool
  /// Whether sums by path are wanted. Where they are not, nothing has to be put aside until an outermost selected call has
  /// turned out whole, as of functions that are not selected.
  let hasPaths: Bool
  private let symbols: SymbolIndex
  var names = FunctionTable()
  private var known = IntegerMap()
  private var children = PairMap()
  var rest: [Rest] = [Rest()]
  /// Of each node the one above it.
  private(set) var parents: [UInt32] = [0]

  /// Of each function whether its durations and callees are wanted; 0 is none.
  private(set) var isSelected = [false]
  let nodes = GrowingTable<Node>(capacity: 4096)
  /// Of whole calls, by node.
  let whole = GrowingTable<TraceTally.PathSum>(capacity: 4096)
  /// Nodes with something in their sums; has room for all of them.
  let touched = GrowingTable<UInt32>(capacity: 1024)

  var tasks: [UInt64: Task] = [:]
  /// Of those that were forgotten.
  var inheritances: [UInt64: Inherited] = [:]
  /// All that were seen: tasks without open calls are forgotten when there are many.
  private var pids = IntegerMap()
  private var pidCount = 0
  private let owners: TaskOwners?
  /// Of tasks that were forgotten, when each was last seen; where they may move.
  private var seenTimes: [UInt64: (time: UInt64, lane: Int)] = [:]
  /// When the task whose turn it is was last seen.
  var seen: UInt64 = 0
  private var nextSweep = CallBuilder.idleStacksLimit
  /// Whose turn it is, and on which CPU; nil where the next record has to be looked at by `take`.
  private(set) var current: Task?
  private(set) var currentPID: Int32 = .min
  private(set) var here: TallyLane
  /// A task ran on two CPUs at once, as far as they were read: they have to be read in the order of time, record by record.
  private(set) var isBroken = false
  /// A turn ends where nothing was recorded for a while (see `Turn`), unless that goes on before `horizon`.
  let endsTurnsAtGaps: Bool
  /// Nothing of another CPU comes before this time.
  var horizon: UInt64 = 0

  private(set) var losses = 0
  private(set) var lostEvents: UInt64 = 0
  var deepest: Int32 = -1
  /// Added to every stamp.
  let offset: UInt64
  /// Of the stamps.
  let unit: Timestamp.Unit
  /// `skim` takes no record behind this time.
  var latest = UInt64.max
  /// Of the last entry and exit that were looked at: most others are as long.
  var entryHead = RecordHead.none
  var exitHead = RecordHead.none
  /// The calls cannot be summed up in this way.
  var needsEvents = false
  /// Another continuation than one that can be joined: a depth that no task has, or too many paths.
  var cannotJoin = false
  /// Records of other events are looked at.
  let stopsAtOthers: Bool
  /// It begins inside a CPU's data, where calls are open that it has not seen begin, and has not been joined to what stands in
  /// front of it.
  var isContinuation: Bool
  /// Of the first record that was taken.
  private(set) var firstTimestamp: UInt64?

  /// - Parameters:
  ///   - offset: added to every stamp.
  ///   - unit: of the stamps.
  ///   - hasPaths: whether sums by path are wanted.
  ///   - sinks: of each CPU that is to be read, in the order of their numbers.
  ///   - endsTurnsAtGaps: where several are read in step.
  ///   - owners: where CPUs are read each by itself.
  init(
    _ layout: SkimLayout, symbols: SymbolIndex, offset: UInt64, unit: Timestamp.Unit,
    isWanted: @escaping @Sendable (String) -> Bool,
    hasPaths: Bool = true, sinks: [any DurationSink], endsTurnsAtGaps: Bool = false,
    stopsAtOthers: Bool = false,
    isContinuation: Bool = false, owners: TaskOwners? = nil
  ) {
    self.endsTurnsAtGaps = endsTurnsAtGaps
    self.owners = owners
    self.stopsAtOthers = stopsAtOthers
    self.isContinuation = isContinuation
    self.layout = layout
    self.symbols = symbols
    self.offset = offset
    self.unit = unit
    self.isWanted = isWanted
    self.hasPaths = hasPaths
    lanes = sinks.enumerated().map { TallyLane($0.offset, sink: $0.element) }
    here = lanes[0]
    nodes.append(Node(function: 0, root: 0))
    whole.append(TraceTally.PathSum())
  }

  // MARK: Records

  /// Takes the record that `stream` stands on.
  func take(_ stream: CPUStream, _ formats: GraphFormats, _ diagnostics: inout Diagnostics) {
    let record = GraphRecord(stream, formats, &diagnostics)
    let lane = stream.lane
    if firstTimestamp == nil { firstTimestamp = record.timestamp }
    switch record.kind {
    case .lost:
      losses += 1
      lostEvents &+= record.lostEvents
      lanes[lane].losses.append(record.timestamp)
      current = nil
    case .entry, .exit:
      guard record.pid >= 0, record.depth >= 0, record.depth <= Int32(FunctionSieve.deepestPlausible),
        record.address != 0, record.kind == .entry || record.duration >= 0
      else {
        needsEvents = true
        return
      }
      let task = task(record.pid, stream, at: record.timestamp)
      seen = record.timestamp
      if isContinuation, task.inherited == nil {
        let open = record.kind == .entry ? record.depth : record.depth + 1
        inherit(open, task, at: record.timestamp)
      }
      let function = function(record.address, at: record.timestamp)
      deepest = max(deepest, record.depth)
      let head = RecordHead.of(stream.cursor, formats)
      if record.kind == .entry {
        entryHead = head
        abandon(from: record.depth, of: task)
        enter(record, function, task)
      } else {
        exitHead = head
        leave(record, function, task)
      }
    default: break
    }
  }

  /// The trace's end: what is still open is unfinished.
  func finish() {
    for (_, task) in tasks where task.frames.count > 1 {
      takeTurn(task)
      abandon(from: 0, of: task)
    }
    close()
  }

  /// The data's end: the sink gets all durations, and each task its sums.
  func close() {
    current = nil
    if let lastTask {
      putAside(lastTask)
      lastTask.seen = seen
    }
    lastTask = nil
    for lane in lanes { lane.close() }
  }

  private func enter(_ record: GraphRecord, _ function: UInt32, _ task: Task) {
    let caller = task.frames.base + (task.frames.count - 1)
    let parent = caller.pointee.node
    let node = child(of: parent, function)
    here.nodeCache.base[Self.slot(parent, record.address)] = CachedNode(
      address: record.address, parent: parent, node: node)
    var frame = Frame(
      node: node, depth: record.depth, address: record.address, start: record.timestamp)
    if task.frames.count == 1 {
      // Where the trace begins inside of calls, those below are mostly as deep as this one.
      caller.pointee.calleeDepth = record.depth
    } else if record.depth != caller.pointee.calleeDepth {
      frame.strayFromCaller()
    }
    task.frames.append(frame)
  }

  private func leave(_ record: GraphRecord, _ function: UInt32, _ task: Task) {
    abandon(from: record.depth + 1, of: task)
    let top = task.frames.base[task.frames.count - 1]
    if top.isInherited, top.depth == record.depth {
      endInherited(
        top, task, .init(function: function, duration: record.duration, time: record.timestamp))
      addToCaller(record, hasEntry: true, task)
      deliver(record, function)
      return
    }
    let isLost = task.lostBelow == task.frames.count - 1
    guard top.depth == record.depth, nodes.base[Int(top.node)].function == function,
      !isLost || record.isPlausible(since: top.start, unit)
    else {
      abandon(from: record.depth, of: task)
      addToCaller(record, hasEntry: false, task)
      deliver(record, function)
      addWithoutEntry(function, record.duration, task)
      return
    }
    pop(task)
    addToCaller(record, hasEntry: true, task)
    deliver(record, function)
    complete(top, record.duration, isLost: isLost, task)
  }

  /// Takes the innermost open call off the stack.
  ///
  /// - Returns: whether events were lost inside it.
  @discardableResult
  func pop(_ task: Task) -> Bool {
    task.frames.removeLast()
    let left = task.frames.count - 1
    defer { task.lostBelow = min(task.lostBelow, left) }
    return left < task.lostBelow
  }

  /// A call has its exit; `frame` is what was known of it.
  func complete(_ frame: Frame, _ duration: Int64, isLost: Bool, _ task: Task) {
    let function = Int(nodes.base[Int(frame.node)].function)
    var sum = TraceTally.PathSum(calls: 1, total: duration)
    if isLost {
      rest[function].lost += 1
      rest[function].complete -= 1
    } else if frame.isPartial {
      rest[function].withoutSelfTime += 1
      rest[function].complete -= 1
    } else {
      sum.selfTime = duration &- frame.calleeTime
    }
    end(frame.node, sum, isWhole: !isLost, task)
  }

  /// A call without its exit.
  func leaveUnfinished(_ frame: Frame, _ task: Task) {
    let function = Int(nodes.base[Int(frame.node)].function)
    rest[function].unfinished += 1
    rest[function].complete -= 1
    end(frame.node, TraceTally.PathSum(calls: 1), isWhole: false, task)
  }

  /// A call without its entry.
  func addWithoutEntry(_ function: UInt32, _ duration: Int64, _ task: Task) {
    let node = child(of: task.frames.base[task.frames.count - 1].node, function)
    rest[Int(function)].noEntry += 1
    rest[Int(function)].complete -= 1
    end(node, TraceTally.PathSum(calls: 1, total: duration), isWhole: false, task)
  }

  /// The open calls of `depth` and deeper have no exit.
  func abandon(from depth: Int32, of task: Task) {
    let frames = task.frames
    var isAny = false
    while frames.base[frames.count - 1].depth >= depth {
      let frame = frames.base[frames.count - 1]
      if frame.isInherited {
        endInherited(frame, task, nil)
      } else {
        frames.removeLast()
        leaveUnfinished(frame, task)
      }
      isAny = true
    }
    guard isAny else { return }
    task.lostBelow = min(task.lostBelow, frames.count - 1)
    frames.base[frames.count - 1].lose()
  }

  /// As `CallBuilder.addToCaller`.
  private func addToCaller(_ record: GraphRecord, hasEntry: Bool, _ task: Task) {
    let last = task.frames.count - 1
    guard last > 0 else { return }
    let frame = task.frames.base + last
    let isDirect = record.depth - frame.pointee.depth <= 1
    if !hasEntry, frame.pointee.skippedTime != 0 {
      if isDirect {
        frame.pointee.calleeTime &-= frame.pointee.skippedTime
      } else {
        frame.pointee.lose()
      }
    }
    if isDirect {
      frame.pointee.skippedTime = 0
    } else {
      frame.pointee.skippedTime &+= record.duration
    }
    frame.pointee.calleeTime &+= record.duration
  }

  // MARK: Tasks

  private func task(_ pid: Int32, _ stream: CPUStream, at time: UInt64) -> Task {
    let lane = stream.lane
    if let current, pid == currentPID, lane == here.number { return current }
    // Task 0 is another one on every CPU.
    let key = pid > 0 ? UInt64(pid) : 1 << 32 | UInt64(lane)
    let losses = lanes[lane].losses
    let task: Task
    if let known = tasks[key] {
      task = known
      let seen = task === lastTask ? self.seen : task.seen
      demandOrder(seen, from: task.lane, to: lane, time)
      let isLost = LaneLosses.concern(
        from: (lanes[task.lane].losses, task.lane), known: task.lastLoss, seen: seen, to: (losses, lane),
        before: losses.count, time: time)
      if isLost { task.lostBelow = task.frames.count - 1 }
    } else {
      if pid > 0, pids[key] == nil {
        pids.insert(key, 0)
        owners?.claim(key, stream.cpu)
        pidCount += 1
        if pidCount > FunctionSieve.mostTasks { needsEvents = true }
      }
      if tasks.count >= nextSweep { forgetIdleTasks() }
      task = Task(on: lane)
      if isContinuation { task.inherited = inheritances.removeValue(forKey: key) }
      if let last = seenTimes[key] { demandOrder(last.time, from: last.lane, to: lane, time) }
      tasks[key] = task
    }
    task.lane = lane
    task.lastLoss = losses.count
    takeTurn(task)
    current = task
    currentPID = pid
    here = lanes[lane]
    return task
  }

  /// A task comes to a lane. Of equal times the lower CPU's come first.
  private func demandOrder(_ seen: UInt64, from source: Int, to lane: Int, _ time: UInt64) {
    if source != lane, seen > time || seen == time && source > lane { isBroken = true }
  }

  /// The task whose sums the nodes hold; it stays when a loss ends its turn.
  private var lastTask: Task?

  /// What ends from now on adds to this task's sums.
  func takeTurn(_ task: Task) {
    guard lastTask !== task else { return }
    if let lastTask {
      putAside(lastTask)
      lastTask.seen = seen
    }
    lastTask = task
    seen = task.seen
  }

  /// Whether the record that `stream` stands on is one of the turn at hand.
  func isTurn(of stream: CPUStream, _ formats: GraphFormats) -> Bool {
    current != nil && stream.isRecord(of: currentPID, formats)
      && (!endsTurnsAtGaps || stream.timestamp &- seen < Turn.gap || stream.timestamp < horizon)
  }

  private func forgetIdleTasks() {
    if isContinuation {
      for (key, task) in tasks where task.frames.count == 1 && task !== lastTask {
        inheritances[key] = task.inherited
      }
    }
    if lanes.count > 1 {
      for (key, task) in tasks { seenTimes[key] = (task.seen, task.lane) }
    }
    tasks = tasks.filter { $0.value.frames.count > 1 || $0.value === lastTask }
    nextSweep = max(CallBuilder.idleStacksLimit, 2 * tasks.count)
  }

  func putAside(_ task: Task) {
    for index in 0..<touched.count {
      let number = touched.base[index]
      task.aside[number, default: TraceTally.PathSum()].add(takeSum(of: number))
      task.hasAside = true
    }
    touched.removeAll()
  }

  private func takeSum(of number: UInt32) -> TraceTally.PathSum {
    let node = nodes.base + Int(number)
    let sum = TraceTally.PathSum(
      calls: node.pointee.calls, total: node.pointee.total, selfTime: node.pointee.selfTime)
    node.pointee.calls = 0
    node.pointee.total = 0
    node.pointee.selfTime = 0
    return sum
  }

  // MARK: Functions and paths

  private func function(_ address: UInt64, at time: UInt64) -> UInt32 {
    let number: UInt32
    if let found = known[address] {
      number = found
    } else {
      number = symbols.function(at: address, in: &names).rawValue
      // 0 stands for none here.
      if number == 0 { needsEvents = true }
      known.insert(address, number)
      addFunctions()
    }
    here.note(number, at: time)
    return number
  }

  /// For names that came up.
  func addFunctions() {
    while isSelected.count < names.count {
      isSelected.append(isWanted(names[FunctionID(rawValue: UInt32(isSelected.count))].symbol))
      for lane in lanes { lane.addFunction(isSelected: isSelected[isSelected.count - 1]) }
      rest.append(Rest())
    }
  }

  @inline(__always)
  static func slot(_ number: UInt64) -> Int {
    // Fibonacci hashing: the high bits of the product depend on all.
    Int(truncatingIfNeeded: (number &* 0x9e37_79b9_7f4a_7c15) >> 50)
  }

  @inline(__always)
  static func slot(_ parent: UInt32, _ address: UInt64) -> Int {
    // The high halves of all addresses are the same.
    slot(address &+ UInt64(parent) << 32)
  }

  func child(of parent: UInt32, _ function: UInt32) -> UInt32 {
    let key = UInt64(parent) << 32 | UInt64(function)
    if let found = children[key] { return found }
    let number = UInt32(nodes.count)
    // What is beyond is told apart in another way.
    if nodes.count >= CallPaths.limit - 1 {
      needsEvents = true
      return parent
    }
    children.insert(key, number)
    let above = nodes.base[Int(parent)].root
    // What is below an inherited call may be below a selected one.
    let isRoot = hasPaths && isSelected[Int(function)] || isInherited(parent)
    add(Node(function: function, root: above != 0 ? above : isRoot ? number : 0), below: parent)
    return number
  }

  private func add(_ node: Node, below parent: UInt32) {
    nodes.append(node)
    parents.append(parent)
    whole.append(TraceTally.PathSum())
    touched.reserve(nodes.count)
  }

  /// A node for a call of which the function is not known.
  func addInheritedNode(below parent: UInt32) -> UInt32 {
    let number = UInt32(nodes.count)
    add(Node(function: 0, root: 0), below: parent)
    return number
  }

  func isInherited(_ node: UInt32) -> Bool { node != 0 && nodes.base[Int(node)].function == 0 }

  // MARK: Calls that end

  /// A call of `node` has ended; `isWhole` says whether both its ends were seen, and nothing lost between.
  func end(_ number: UInt32, _ sum: TraceTally.PathSum, isWhole: Bool, _ task: Task) {
    let node = nodes.base + Int(number)
    let isBelowSelected = node.pointee.root != 0
    if isBelowSelected, node.pointee.calls == 0 { touched.append(number) }
    node.pointee.calls += sum.calls
    node.pointee.total &+= sum.total
    node.pointee.selfTime &+= sum.selfTime
    guard isBelowSelected else { return }
    if !isWhole { task.isWhole = false }
    if node.pointee.root == number { endOutermost(task) }
  }

  /// The outermost selected call has ended: what was below it counts if all of it was whole.
  func endOutermost(_ task: Task) {
    if !task.isWhole { noteBroken(task) }
    for index in 0..<touched.count {
      let number = touched.base[index]
      settle(number, takeSum(of: number), isWhole: task.isWhole)
    }
    touched.removeAll()
    if task.hasAside {
      for (number, sum) in task.aside { settle(number, sum, isWhole: task.isWhole) }
      task.aside.removeAll(keepingCapacity: task.aside.count < 4096)
      task.hasAside = false
    }
    task.isWhole = true
  }

  private func settle(_ number: UInt32, _ sum: TraceTally.PathSum, isWhole: Bool) {
    if isWhole {
      whole.base[Int(number)].add(sum)
    } else {
      // The function's own sums count all the same.
      let function = Int(nodes.base[Int(number)].function)
      rest[function].complete += sum.calls
      rest[function].selfTime &+= sum.selfTime
    }
  }

  private func deliver(_ record: GraphRecord, _ function: UInt32) {
    guard isSelected[Int(function)] else { return }
    here.append(TimedDuration(duration: record.duration, end: record.timestamp), Int(function))
  }
}
