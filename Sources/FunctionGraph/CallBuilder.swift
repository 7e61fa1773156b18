/// Pairs entries with exits into calls.
///
/// The rules, in the order in which they apply:
/// - Calls pair by task; where the source names none, by CPU, and a task switch on that CPU changes the stack.
/// - Calls pair by depth, so that one missing record costs one call and shifts nothing. Only where a text has lost its
///   layout (depth −1) does an exit close whatever was entered last.
/// - An exit that names its function closes no other function's entry.
/// - Behind lost events, an exit closes an entry only if the time between them can be its duration: see `isPlausible`.
/// - What was entered and never left is `unfinished`; what was left and never entered is `noEntry`.
/// - Lost events mark every call that was open on that CPU.
///
/// Memory is that of the open calls, and of the call paths where they are tracked.
public struct CallBuilder: ~Copyable {
  /// Stacks that are empty are forgotten beyond this many, so that a million short tasks take no memory.
  package static let idleStacksLimit = 1 << 14
  /// CPUs of which something is remembered beyond their stacks; the kernel knows 8,192 at most (NR_CPUS).
  static let cpusLimit = 1 << 14
  /// Stacks of CPUs whose task is not known among which a named exit is looked for.
  static let anonymousLimit = 1 << 10

  let tracksPaths: Bool
  private let buffersFollowOneAnother: Bool

  var stacks: [CallStack] = []
  private var freeStacks: [Int] = []
  /// By the packed key.
  private var stackOf: [UInt64: Int] = [:]
  var stackCount: Int { stackOf.count }
  /// At how many stacks the empty ones are next forgotten; doubling keeps the sweeps' cost in proportion.
  private var nextSweep = CallBuilder.idleStacksLimit
  private var lastKey: StackKey?
  private(set) var lastStack = 0
  /// The stacks of the last tasks, by the low bits of their numbers: with several CPUs the task changes all the time.
  private var recent = [RecentStack?](repeating: nil, count: CallBuilder.recentCount)
  private static let recentCount = 64

  private struct RecentStack {
    var key: StackKey
    var index: Int
  }
  /// The stacks that belong to a CPU rather than to a task, the first `anonymousLimit` of them.
  private var anonymous: [AnonymousStack] = []

  private struct AnonymousStack {
    var key: StackKey
    var index: Int
  }

  struct CPUKey: Hashable {
    var cpu: Int32
    var buffer: UInt16
    var column: UInt8
  }

  struct RunningTask {
    var pid: Int32
    var comm: StringTable.ID
  }

  /// What task switches in a text without a task column have told.
  private(set) var running: [CPUKey: RunningTask] = [:]
  /// The same for the CPUs of the first buffer, by their number: looked up once an event.
  private var runningDirect: [RunningTask?] = []
  private static let mostDirect: Int32 = 1 << 10
  /// In which event (by its number) events were last lost on a CPU.
  private var lastLoss = LossTimes()
  /// The greatest of `lastLoss`: a task that was seen since has lost nothing.
  private var latestLoss: UInt64 = 0
  private(set) var sequence: UInt64 = 0
  private var side: Event.Side?
  private var currentBuffer: UInt16 = 0

  public internal(set) var paths = CallPaths()
  /// Headings of a text that holds both sides.
  public private(set) var sections = (before: 0, after: 0)
  /// Events that a source said were lost, as far as it gave numbers.
  public private(set) var lostEvents: UInt64 = 0
  /// How often a source said that events were lost.
  public private(set) var losses = 0
  /// What each buffer has records of, by its number.
  public private(set) var timeAwaySources: [Int: TimeAwaySources] = [:]
  /// The deepest depth seen, −1 before any call.
  public private(set) var deepest: Int32 = -1
  /// Calls deeper than the outermost were seen: the trace shows a graph, not single functions.
  public var isNested: Bool { deepest > 0 }

  /// - Parameters:
  ///   - tracksPaths: fills `Call.path`, at the cost of a look-up a call.
  ///   - buffersFollowOneAnother: true for trace.dat, where one buffer's events end before the next one's begin, so that
  ///     its unfinished calls can be reported there.
  public init(tracksPaths: Bool = false, buffersFollowOneAnother: Bool = false) {
    self.tracksPaths = tracksPaths
    self.buffersFollowOneAnother = buffersFollowOneAnother
  }

  /// Takes the next events and appends the calls that end in them, in the order of their ends; an unfinished call where
  /// it is noticed that its exit is missing, after its callees.
  public mutating func consume(_ events: [Event], into calls: inout [Call]) {
    for event in events {
      sequence += 1
      if event.buffer != currentBuffer {
        if buffersFollowOneAnother { finish(into: &calls) }
        currentBuffer = event.buffer
      }
      switch event.kind {
      case .entry: enter(event, &calls)
      case .exit: leave(event, &calls)
      case .leaf: pass(event, &calls)
      case .lost: lose(event)
      case .taskSwitch: switchTask(event)
      case .heading:
        finish(into: &calls)
        if event.side == .before { sections.before += 1 } else { sections.after += 1 }
        lastLoss.removeAll()
        latestLoss = 0
        side = event.side
      case .unwound:
        let index = stack(for: event)
        abandon(from: event.depth, of: index, &calls)
      case .switched: noteSwitch(event)
      case .interruptEntry, .interruptExit: noteInterrupt(event)
      }
    }
  }

  /// Ends the trace: what is still open is unfinished.
  public mutating func finish(into calls: inout [Call]) {
    for index in stacks.indices where !stacks[index].frames.isEmpty {
      abandon(downTo: 0, of: index, &calls)
    }
    stackOf.removeAll(keepingCapacity: true)
    stacks.removeAll(keepingCapacity: true)
    freeStacks.removeAll(keepingCapacity: true)
    anonymous.removeAll(keepingCapacity: true)
    forgetRunning()
    forgetRecent()
  }

  private mutating func forgetRunning() {
    running.removeAll(keepingCapacity: true)
    runningDirect.removeAll(keepingCapacity: true)
  }

  private func runningTask(_ event: Event) -> RunningTask? {
    if event.buffer == 0, event.column == 0, event.cpu >= 0, event.cpu < Self.mostDirect {
      return Int(event.cpu) < runningDirect.count ? runningDirect[Int(event.cpu)] : nil
    }
    return running[CPUKey(cpu: event.cpu, buffer: event.buffer, column: event.column)]
  }

  private mutating func forgetRecent() {
    lastKey = nil
    for place in recent.indices { recent[place] = nil }
  }

  // MARK: Events

  private mutating func enter(_ event: Event, _ calls: inout [Call]) {
    let index = stack(for: event)
    if event.depth >= 0 { abandon(from: event.depth, of: index, &calls) }
    let parent = stacks[index].frames.last?.path ?? CallPaths.root
    let frame = Frame(
      function: event.function, depth: event.depth, cpu: event.cpu, timestamp: event.timestamp,
      path: tracksPaths ? paths.child(of: parent, event.function) : CallPaths.root,
      away: stacks[index].away?.mark(at: event.timestamp) ?? TimeAway.Mark.none, sequence: sequence)
    stacks[index].frames.append(frame)
    deepest = max(deepest, event.depth >= 0 ? event.depth : Int32(clamping: stacks[index].frames.count - 1))
  }

  private mutating func leave(_ event: Event, _ calls: inout [Call]) {
    var index = stack(for: event)
    deepest = max(deepest, event.depth)
    if event.depth >= 0, event.depth < .max { abandon(from: event.depth + 1, of: index, &calls) }
    if event.depth < 0, event.function != .none { abandonAbove(event.function, of: index, &calls) }
    if !fits(event, topOf: index), let stray = strayStack(for: event) {
      adopt(stray, inPlaceOf: index, &calls)
      index = self.stack(for: event)
    }
    guard fits(event, topOf: index), isPlausible(event, topOf: index) else {
      // An entry at the very depth that is left belongs to a call whose own exit is missing.
      if event.depth >= 0 { abandon(from: event.depth, of: index, &calls) }
      emitWithoutEntry(event, index, &calls)
      return
    }
    let frame = stacks[index].frames.removeLast()
    let isLost = stacks[index].frames.count < stacks[index].lostBelow
    stacks[index].lostBelow = min(stacks[index].lostBelow, stacks[index].frames.count)
    addToCaller(event.duration, depth: frame.depth, hasEntry: true, of: index)
    let selfTime: Int64? =
      if let duration = event.duration, !frame.calleeTimeIsPartial, !isLost {
        duration &- frame.calleeTime
      } else {
        nil
      }
    var call =
      Call(
        function: event.function == .none ? frame.function : event.function,
        status: isLost ? .lost : .complete,
        column: event.column, side: side, buffer: event.buffer, cpu: event.cpu, pid: stacks[index].pid,
        comm: stacks[index].comm, depth: frame.depth >= 0 ? frame.depth : event.depth,
        timestamp: frame.timestamp, end: event.timestamp,
        duration: event.duration, resolution: event.resolution, selfTime: selfTime, path: frame.path,
        stack: UInt32(truncatingIfNeeded: index), sequence: frame.sequence)
    let open = stacks[index].frames.count
    if !isLost, frame.timestamp.unit == .nanoseconds { setTimeAway(of: &call, frame.away, index) }
    if stacks[index].away != nil { stacks[index].away?.close(open: open) }
    calls.append(call)
  }

  private mutating func pass(_ event: Event, _ calls: inout [Call]) {
    let index = stack(for: event)
    if event.depth >= 0 { abandon(from: event.depth, of: index, &calls) }
    let parent = stacks[index].frames.last?.path ?? CallPaths.root
    let depth = event.depth >= 0 ? event.depth : Int32(clamping: stacks[index].frames.count)
    // Nothing was recorded between its entry and its exit, or they were two lines.
    let leafTimeAway: Int64 = event.timestamp.unit == .nanoseconds ? 0 : -1
    deepest = max(deepest, depth)
    addToCaller(event.duration, depth: event.depth, hasEntry: true, of: index)
    calls.append(
      Call(
        function: event.function, status: .complete, column: event.column, side: side, buffer: event.buffer,
        cpu: event.cpu, pid: stacks[index].pid, comm: stacks[index].comm, depth: event.depth,
        timestamp: event.timestamp, duration: event.duration, resolution: event.resolution,
        selfTime: event.duration, offCPUOrLess: leafTimeAway, interruptsOrLess: leafTimeAway,
        path: tracksPaths ? paths.child(of: parent, event.function) : CallPaths.root,
        stack: UInt32(truncatingIfNeeded: index), sequence: sequence))
  }

  private mutating func lose(_ event: Event) {
    losses += Int(event.losses)
    lostEvents &+= event.lostEvents
    lastLoss.set(CPUKey(cpu: event.cpu, buffer: event.buffer, column: event.column), sequence)
    latestLoss = sequence
  }

  private mutating func switchTask(_ event: Event) {
    let cpu = CPUKey(cpu: event.cpu, buffer: event.buffer, column: event.column)
    if running[cpu] == nil, event.previousPid >= 0 {
      nameStack(of: event)
    }
    if running.count >= Self.cpusLimit, running[cpu] == nil { forgetRunning() }
    let task = RunningTask(pid: event.pid, comm: event.comm)
    running[cpu] = task
    if event.buffer == 0, event.column == 0, event.cpu >= 0, event.cpu < Self.mostDirect {
      while runningDirect.count <= Int(event.cpu) { runningDirect.append(nil) }
      runningDirect[Int(event.cpu)] = task
    }
    forgetRecent()
  }

  /// What a CPU did before its first switch belongs to the task that the switch says ran before.
  private mutating func nameStack(of event: Event) {
    let nameless = StackKey(pid: -1, cpu: event.cpu, buffer: event.buffer, column: event.column)
    let named = StackKey(pid: event.previousPid, cpu: event.cpu, buffer: event.buffer, column: event.column)
    guard let index = stackOf[nameless.packed] else { return }
    if let other = stackOf[named.packed] {
      // The task was seen on another CPU before. With calls open in both places there is no telling what belongs together.
      guard stacks[other].frames.isEmpty else { return }
      stacks[other] = CallStack()
      freeStacks.append(other)
    }
    stackOf[nameless.packed] = nil
    anonymous.removeAll { $0.index == index }
    stackOf[named.packed] = index
    stacks[index].pid = event.previousPid
    stacks[index].comm = event.previousComm
  }

  // MARK: Stacks

  /// The stack that an event belongs on, with what was lost since the task was last seen marked on it.
  private mutating func stack(for event: Event) -> Int {
    var pid = event.pid
    var comm = event.comm
    if pid < 0, !running.isEmpty, let task = runningTask(event) {
      pid = task.pid
      comm = task.comm
    }
    let key = StackKey(pid: pid, cpu: event.cpu, buffer: event.buffer, column: event.column)
    let index: Int
    let place = Int(truncatingIfNeeded: key.packed) & (Self.recentCount - 1)
    if key == lastKey {
      index = lastStack
    } else if let known = recent[place], known.key == key {
      index = known.index
    } else if let known = stackOf[key.packed] {
      index = known
      recent[place] = RecentStack(key: key, index: index)
    } else {
      index = newStack()
      stackOf[key.packed] = index
      if key.isOfCPU, anonymous.count < Self.anonymousLimit {
        anonymous.append(AnonymousStack(key: key, index: index))
      }
    }
    lastKey = key
    lastStack = index
    if stacks[index].lastSequence < latestLoss { markLosses(on: index, event) }
    stacks[index].lastCPU = event.cpu
    stacks[index].lastSequence = sequence
    stacks[index].pid = pid
    stacks[index].comm = comm
    stacks[index].buffer = event.buffer
    stacks[index].column = event.column
    return index
  }

  private mutating func newStack() -> Int {
    if stackOf.count >= nextSweep { forgetIdleStacks() }
    if let free = freeStacks.popLast() { return free }
    stacks.append(CallStack())
    return stacks.count - 1
  }

  private mutating func forgetIdleStacks() {
    let before = stackOf.count
    forgetRecent()
    var open: [UInt64: Int] = [:]
    for (key, index) in stackOf {
      if stacks[index].frames.isEmpty {
        stacks[index] = CallStack()
        freeStacks.append(index)
      } else {
        open[key] = index
      }
    }
    if open.count < before {
      stackOf = open
      anonymous.removeAll { open[$0.key.packed] == nil }
    }
    nextSweep = max(Self.idleStacksLimit, 2 * open.count)
  }

  /// Events lost on the CPU where the task was, or on the one where it now is, since its last event.
  private mutating func markLosses(on index: Int, _ event: Event) {
    let seen = stacks[index].lastSequence
    var key = CPUKey(cpu: event.cpu, buffer: event.buffer, column: event.column)
    var isLost = lastLoss[key] > seen
    key.cpu = stacks[index].lastCPU
    isLost = isLost || lastLoss[key] > seen
    // A loss without a CPU may have been anyone's.
    key.cpu = -1
    isLost = isLost || lastLoss[key] > seen
    if isLost {
      stacks[index].lostBelow = stacks[index].frames.count
      if stacks[index].away != nil { stacks[index].away?.forget() }
    }
  }

  /// Of a text without layout a named exit still tells which call it closes: what was entered inside it has no exit.
  private mutating func abandonAbove(_ function: FunctionID, of index: Int, _ calls: inout [Call]) {
    guard let last = stacks[index].frames.lastIndex(where: { $0.function == function }) else { return }
    abandon(downTo: last + 1, of: index, &calls)
  }

  /// Whether the innermost open call has the exit's depth and function, as far as they are known.
  private func fits(_ event: Event, topOf index: Int) -> Bool {
    guard let top = stacks[index].frames.last else { return false }
    if event.depth >= 0, top.depth >= 0, event.depth != top.depth { return false }
    return event.function == .none || top.function == event.function || top.function == .none
  }

  /// Whether the exit can be that of the innermost open call, where events were lost inside that one.
  private func isPlausible(_ event: Event, topOf index: Int) -> Bool {
    guard stacks[index].lostBelow == stacks[index].frames.count, let duration = event.duration,
      let top = stacks[index].frames.last
    else { return true }
    return Self.isPlausible(duration, from: top.timestamp, to: event.timestamp)
  }

  /// After a loss an exit may be another call's of the same function and depth. Where there are times, the time between entry
  /// and exit must be the duration. Without them it is believed: the kernel's own text names every exit that has lost its entry
  /// (`print_graph_return` in trace_functions_graph.c).
  package static func isPlausible(_ duration: Int64, from entry: Timestamp, to exit: Timestamp) -> Bool {
    guard exit.unit == .nanoseconds, entry.unit == .nanoseconds, exit.value >= entry.value else {
      return true
    }
    let between = Int64(clamping: exit.value - entry.value)
    // Of 1,081 such exits in a lossy capture of which trace-cmd's raw numbers tell the truth, those of another call were
    // off by 8 us at least and by over 100 us in 99 of 100; a third of the right ones by less than 10 us. In the trace.dat of that
    // capture, whose exits have names and nanoseconds, 162 were off by 8.3 us at most and 1,084 by 114 us at least. A right one that is
    // given up keeps its duration without its start, a wrong one that is believed would be a false figure.
    let slack = max(20_000, between / 1_000)
    return (between &- duration).magnitude <= slack.magnitude
  }

  /// A named exit whose entry stands on a CPU whose task was not known then: the task has moved here since.
  ///
  /// - Returns: its place in `anonymous`; nil where there is none, or more than one.
  private func strayStack(for event: Event) -> Int? {
    guard event.function != .none, event.pid < 0, !running.isEmpty else { return nil }
    var found: Int?
    for (place, stack) in anonymous.enumerated()
    where stack.key.buffer == event.buffer && stack.key.column == event.column {
      if let top = stacks[stack.index].frames.last, top.function == event.function, top.depth == event.depth {
        if found != nil { return nil }
        found = place
      }
    }
    return found
  }

  /// Exchanges two stacks, so that calls keep the number of the stack on which their callees ended.
  private mutating func adopt(_ place: Int, inPlaceOf index: Int, _ calls: inout [Call]) {
    let stray = anonymous[place]
    guard let key = lastKey, stray.index != index else { return }
    abandon(downTo: 0, of: index, &calls)
    stackOf[key.packed] = stray.index
    stackOf[stray.key.packed] = index
    forgetRecent()
    lastKey = key
    for other in anonymous.indices where anonymous[other].key == key { anonymous[other].index = stray.index }
    anonymous[place].index = index
    lastStack = stray.index
  }

  // MARK: Time that is not the function's

  private func setTimeAway(of call: inout Call, _ mark: TimeAway.Mark, _ index: Int) {
    guard let away = stacks[index].away else {
      call.offCPU = 0
      call.interrupts = 0
      return
    }
    let number = stacks[index].frames.count
    call.offCPU = away.offCPU(since: mark, entry: call.timestamp, number: number)
    call.interrupts = away.interrupts(since: mark, number: number)
  }

  private mutating func noteSwitch(_ event: Event) {
    guard event.timestamp.unit == .nanoseconds else { return }
    timeAwaySources[Int(event.buffer), default: TimeAwaySources()].hasSwitches = true
    if let index = openStack(of: event.previousPid, event) {
      changeTimeAway(of: index) { $0.switchOut(at: event.timestamp.value, open: $1) }
    }
    if let index = openStack(of: event.pid, event, isOnCPU: false) {
      changeTimeAway(of: index) { $0.switchIn(at: event.timestamp.value, open: $1) }
    }
  }

  private mutating func noteInterrupt(_ event: Event) {
    guard event.timestamp.unit == .nanoseconds else { return }
    let isEntry = event.kind == .interruptEntry
    timeAwaySources[Int(event.buffer), default: TimeAwaySources()].note(isEntry: isEntry)
    guard let index = openStack(of: event.pid >= 0 ? event.pid : runningTask(event)?.pid ?? -1, event) else {
      return
    }
    changeTimeAway(of: index) { away, open in
      if isEntry {
        away.enterInterrupt(event.interrupt, at: event.timestamp.value)
      } else {
        away.leaveInterrupt(event.interrupt, at: event.timestamp.value, open: open)
      }
    }
  }

  /// `change` gets the number of open calls too.
  private mutating func changeTimeAway(of index: Int, _ change: (inout TimeAway, Int) -> Void) {
    var away = stacks[index].away ?? TimeAway()
    change(&away, stacks[index].frames.count)
    stacks[index].away = away
  }

  /// The stack of a task that has calls open; of others there is nothing to remember.
  ///
  /// - Parameter isOnCPU: the task runs on the event's CPU, so that calls of which only the CPU is known are its own.
  private mutating func openStack(of pid: Int32, _ event: Event, isOnCPU: Bool = true) -> Int? {
    var key = StackKey(pid: pid, cpu: event.cpu, buffer: event.buffer, column: event.column)
    var index = stackOf[key.packed]
    if index == nil, isOnCPU, pid >= 0, running.isEmpty || runningTask(event) == nil {
      key = StackKey(pid: -1, cpu: event.cpu, buffer: event.buffer, column: event.column)
      index = stackOf[key.packed]
    }
    guard let index else { return nil }
    if stacks[index].frames.isEmpty {
      stacks[index].away = nil
      return nil
    }
    return index
  }

  // MARK: Ends

  /// Gives up the open calls of `depth` and deeper: their exits are missing.
  private mutating func abandon(from depth: Int32, of index: Int, _ calls: inout [Call]) {
    var keep = stacks[index].frames.count
    while keep > 0, stacks[index].frames[keep - 1].depth >= depth { keep -= 1 }
    if keep < stacks[index].frames.count { abandon(downTo: keep, of: index, &calls) }
  }

  private mutating func abandon(downTo keep: Int, of index: Int, _ calls: inout [Call]) {
    while stacks[index].frames.count > keep {
      let frame = stacks[index].frames.removeLast()
      calls.append(
        Call(
          function: frame.function, status: .unfinished, column: stacks[index].column, side: side,
          buffer: stacks[index].buffer, cpu: frame.cpu, pid: stacks[index].pid, comm: stacks[index].comm,
          depth: frame.depth, timestamp: frame.timestamp, duration: nil, resolution: 1, selfTime: nil,
          path: frame.path, stack: UInt32(truncatingIfNeeded: index), sequence: frame.sequence))
    }
    stacks[index].lostBelow = min(stacks[index].lostBelow, keep)
    if stacks[index].away != nil { stacks[index].away?.close(open: keep) }
    if keep > 0 { stacks[index].frames[keep - 1].calleeTimeIsPartial = true }
  }

  private mutating func emitWithoutEntry(_ event: Event, _ index: Int, _ calls: inout [Call]) {
    let parent = stacks[index].frames.last?.path ?? CallPaths.root
    addToCaller(event.duration, depth: event.depth, hasEntry: false, of: index)
    calls.append(
      Call(
        function: event.function, status: .noEntry, column: event.column, side: side, buffer: event.buffer,
        cpu: event.cpu, pid: stacks[index].pid, comm: stacks[index].comm, depth: event.depth,
        timestamp: .none, end: event.timestamp,
        duration: event.duration, resolution: event.resolution, selfTime: nil,
        path: tracksPaths ? paths.child(of: parent, event.function) : CallPaths.root,
        stack: UInt32(truncatingIfNeeded: index), sequence: sequence))
  }

  /// Adds a call to the callee time of the innermost open call.
  ///
  /// A callee more than one deeper than that stands below a call that this trace does not show: one whose entry is
  /// missing, or that only another tracer instance records. It counts as a direct callee until an exit without an entry
  /// turns up above it, whose duration holds it already.
  private mutating func addToCaller(_ duration: Int64?, depth: Int32, hasEntry: Bool, of index: Int) {
    let last = stacks[index].frames.count - 1
    guard last >= 0 else { return }
    guard let duration else {
      stacks[index].frames[last].calleeTimeIsPartial = true
      return
    }
    let caller = stacks[index].frames[last].depth
    let isDirect = depth < 0 || caller < 0 || depth - caller <= 1
    if !hasEntry, stacks[index].frames[last].skippedTime != 0 {
      if isDirect {
        stacks[index].frames[last].calleeTime &-= stacks[index].frames[last].skippedTime
      } else {
        // Which of them lie inside is not known.
        stacks[index].frames[last].calleeTimeIsPartial = true
      }
    }
    if isDirect {
      stacks[index].frames[last].skippedTime = 0
    } else {
      stacks[index].frames[last].skippedTime &+= duration
    }
    stacks[index].frames[last].calleeTime &+= duration
  }
}
