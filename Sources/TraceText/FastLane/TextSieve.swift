internal import FunctionGraph

/// Tells lines of wanted functions from all others, and sees to it that what is left out is not missed: what
/// `FunctionSieve` is for trace.dat.
///
/// Calls pair by stack and depth, so that of another function only one thing matters: that its stack came up to a depth
/// at which a wanted call is open. So each stack has a threshold, the depth of its innermost open wanted call, and a line
/// that is deeper and names no wanted function is counted and left out. The others are delivered, as `unwound` where
/// they are of another function.
///
/// Stacks are those of `CallBuilder`: a task's where lines name it, as in a report, else a CPU's, which task switches turn
/// into tasks'. Where a CPU's first switch comes, calls change owner by the names on the stacks; so the first lines are
/// delivered whole, and later on an unnamed CPU among named ones ends the sieve.
///
/// Lost events mark the stacks of a CPU by where and when each was last seen. Before a loss, and before its task is
/// switched out or seen on another CPU, a stack that had lines left out is therefore touched (an `unwound` below all depths): it
/// was seen before the one, and since the last.
///
/// One thread's, and nothing that it calls comes back to it: that its parts are not accessed twice at once is not checked at run
/// time, which took a tenth of the time of a text with many losses.
///
/// Whatever does not fit (another layout, another report behind this one, headings, times that go back) sets
/// `needsAll`: the text has to be read again as a whole.
final class TextSieve {
  /// Bytes at the start of which every line is delivered.
  static let wholeBytes: UInt64 = 1 << 21
  private let wholeBytes: UInt64
  /// After so many bytes in which every line was delivered it gives up.
  private let mostWhole: UInt64
  /// Stacks and CPUs that are told apart; more end the sieve.
  static let mostSlots = 1 << 14

  enum Source {
    /// Not known yet.
    case none
    /// The kernel's own text, lines of CPUs.
    case graph
    /// Lines of tasks: `trace-cmd report`, and the kernel's own text where it names them.
    case tasks
  }

  private struct Stack {
    /// Depths of the open wanted calls, outermost first.
    var open: [Int32] = []
    /// CPUs that run it at once, as far as the text tells: more than one where a switch was lost.
    var runners = 0
    /// The task, and what lines call it, where they name it.
    var pid: Int32 = -1
    var comm = StringTable.ID.none
    /// Losses in front of what was last delivered of it;
    var losses = 0
    /// it is in `opened`.
    var isListed = false
  }

  private struct Slot {
    /// Index into `stacks`; −1 before its first line.
    var stack = -1
    /// What task switches have told; −1 before the first.
    var pid: Int32 = -1
  }

  let isWantedName: @Sendable (String) -> Bool
  /// 1 wanted, 2 not.
  let verdicts = NameCache()
  /// The same by the function's number, for lines that took the general way.
  private var judged: [Bool] = []
  @exclusivity(unchecked) private var source = Source.none
  /// By CPU; where lines name tasks, by task, and that is the stack's number too.
  @exclusivity(unchecked) private var slots: [Slot] = []
  @exclusivity(unchecked) private var stacks: [Stack] = []
  /// Of CPUs: stacks by process ID, of idle tasks by −1 − CPU.
  private var stackOfTask: [Int64: Int] = [:]
  private var slotOfTask: [Int64: Int32] = [:]
  /// Where lines name tasks: stacks with open wanted calls, and some that had such.
  @exclusivity(unchecked) private var opened: [Int] = []
  @exclusivity(unchecked) private var losses = 0
  @exclusivity(unchecked) private var hasSwitched = false
  /// A task had calls on an unnamed CPU and, by name, on another one.
  @exclusivity(unchecked) private var isMixed = false
  @exclusivity(unchecked) private(set) var isWhole = true
  @exclusivity(unchecked) private var lastTime: UInt64 = 0

  /// By slot: lines as deep or less deep are delivered. Where nothing is known of a slot, all are.
  let thresholds: UnsafeMutablePointer<Int32>
  /// By CPU: the depth of the innermost open call after the lines that were left out since the last delivered one; `none`
  /// where there were none. By task, where lines name it: the CPU that they were on.
  let skippedTo: UnsafeMutablePointer<Int32>
  static let none = Int32.min

  /// Lines of exits and leaves, delivered or not.
  @exclusivity(unchecked) var exits: UInt64 = 0
  /// The deepest depth of all lines.
  @exclusivity(unchecked) var deepest: Int32 = -1
  /// The text has to be read again with all functions.
  @exclusivity(unchecked) private(set) var needsAll = false

  init(wholeBytes: UInt64, mostWhole: UInt64, isWanted: @escaping @Sendable (String) -> Bool) {
    self.wholeBytes = wholeBytes
    self.mostWhole = mostWhole
    isWantedName = isWanted
    thresholds = .allocate(capacity: Self.mostSlots)
    thresholds.initialize(repeating: .max, count: Self.mostSlots)
    skippedTo = .allocate(capacity: Self.mostSlots)
    skippedTo.initialize(repeating: Self.none, count: Self.mostSlots)
  }

  deinit {
    thresholds.deallocate()
    skippedTo.deallocate()
  }

  func giveUp() { needsAll = true }

  // MARK: Names

  /// For a name that `verdicts` does not know: 1 wanted, 2 not.
  @inline(never)
  func judge(_ name: StrictName) -> UInt32 {
    let verdict: UInt32 = isWantedName(String(decoding: name.symbol, as: UTF8.self)) ? 1 : 2
    verdicts.remember(name, verdict)
    return verdict
  }

  private func isWanted(_ function: FunctionID, _ functions: borrowing FunctionTable) -> Bool {
    if function == .none { return false }
    let number = Int(function.rawValue)
    while judged.count <= number {
      judged.append(isWantedName(functions[FunctionID(rawValue: UInt32(judged.count))].symbol))
    }
    return judged[number]
  }

  // MARK: Events

  /// The slot of a task that lines name; nil where there are too many, or where it has got another name, which its open calls have too
  /// then.
  func slot(pid: Int32, cpu: Int32, comm: StringTable.ID) -> Int32? {
    if source == .none {
      source = .tasks
      isWhole = false
    }
    let key = Self.key(pid: pid, cpu: cpu)
    if let known = slotOfTask[key] {
      if stacks[Int(known)].comm == comm { return known }
      giveUp()
      return nil
    }
    guard stacks.count < Self.mostSlots else {
      giveUp()
      return nil
    }
    let slot = Int32(stacks.count)
    stacks.append(Stack(pid: pid, comm: comm))
    slotOfTask[key] = slot
    thresholds[Int(slot)] = -1
    return slot
  }

  /// A line was at this time; false where it goes back, and what is left out may not be in the order in which
  /// it is read.
  @inline(__always)
  func passes(_ time: UInt64) -> Bool {
    if time < lastTime { return false }
    lastTime = time
    return true
  }

  /// Delivers an event that a line gave, or what is left of it.
  func deliver(
    _ event: Event, isWanted: Bool? = nil, _ functions: borrowing FunctionTable, into batch: inout [Event]
  ) {
    guard event.column == 0, event.buffer == 0 else { return giveUp() }
    switch event.kind {
    case .entry, .exit, .leaf:
      guard event.depth >= 0, event.cpu >= 0, let slot = slot(of: event) else { return giveUp() }
      if event.kind != .entry { exits += 1 }
      deepest = max(deepest, event.depth)
      deliverCall(event, slot, isWanted: isWanted ?? self.isWanted(event.function, functions), &batch)
    case .lost: lose(event, &batch)
    case .taskSwitch:
      guard Int(event.cpu) < Self.mostSlots, event.cpu >= 0 else { return giveUp() }
      // Lines that name their task need no switch for that.
      if source == .tasks {
        batch.append(event)
      } else {
        switchTask(event, &batch)
      }
    case .heading, .unwound, .switched, .interruptEntry, .interruptExit:
      giveUp()
    }
  }

  /// Whether lines of this kind can come here.
  func accepts(_ kind: Source) -> Bool { source == .none || source == kind }

  private func slot(of event: Event) -> Int? {
    let hasTask = event.pid >= 0
    guard accepts(hasTask ? .tasks : .graph) else { return nil }
    switch event.timestamp.unit {
    case .none: break
    case .nanoseconds: guard passes(event.timestamp.value) else { return nil }
    default: return nil
    }
    if hasTask { return slot(pid: event.pid, cpu: event.cpu, comm: event.comm).map { Int($0) } }
    source = .graph
    let cpu = Int(event.cpu)
    guard cpu < Self.mostSlots else { return nil }
    while slots.count <= cpu { slots.append(Slot()) }
    if slots[cpu].stack < 0 {
      // A CPU of which no task is known, among those of which one is.
      if hasSwitched, !isWhole { return nil }
      slots[cpu].stack = stacks.count
      stacks.append(Stack(runners: 1))
    }
    return cpu
  }

  private func deliverCall(_ event: Event, _ slot: Int, isWanted: Bool, _ batch: inout [Event]) {
    let stack = source == .tasks ? slot : slots[slot].stack
    if isWhole, hasSwitched, event.kind == .exit, event.function != .none { noteNamedExit() }
    if source == .tasks { noteMove(of: slot, to: event.cpu, &batch) }
    // Of a stack on two CPUs it matters which of them saw it last.
    let touches = stacks[stack].runners > 1
    var closed = false
    while let last = stacks[stack].open.last, last >= event.depth {
      stacks[stack].open.removeLast()
      closed = true
    }
    if isWhole || isWanted || closed && event.kind == .exit && event.function == .none {
      batch.append(event)
      if isWanted, event.kind == .entry { open(stack, event.depth) }
    } else if closed || touches {
      batch.append(unwound(event))
    } else {
      // Nothing hangs on it.
      skippedTo[slot] =
        source == .tasks ? event.cpu : event.kind == .entry ? event.depth : event.depth - 1
      return
    }
    skippedTo[slot] = Self.none
    stacks[stack].losses = losses
    updateThreshold(slot)
  }

  private func open(_ stack: Int, _ depth: Int32) {
    stacks[stack].open.append(depth)
    guard source == .tasks, !stacks[stack].isListed else { return }
    stacks[stack].isListed = true
    opened.append(stack)
  }

  private func unwound(_ event: Event) -> Event {
    var event = event
    event.kind = .unwound
    event.function = .none
    event.duration = nil
    return event
  }

  private func updateThreshold(_ slot: Int) {
    if isWhole { return }
    let stack = source == .tasks ? slot : slots[slot].stack
    thresholds[slot] = stacks[stack].runners > 1 ? .max : stacks[stack].open.last ?? -1
  }

  // MARK: Tasks

  /// Whose a stack is: a task's, and an idle task's is its CPU's.
  static func key(pid: Int32, cpu: some BinaryInteger) -> Int64 { pid > 0 ? Int64(pid) : -1 - Int64(cpu) }

  /// Lines of a task were left out, all of them on one CPU.
  func saw(pid: Int32, on cpu: Int32, into batch: inout [Event]) {
    guard let slot = slotOfTask[Self.key(pid: pid, cpu: cpu)] else { return }
    noteMove(of: Int(slot), to: cpu, &batch)
    skippedTo[Int(slot)] = cpu
  }

  /// What was lost where the task was seen in between is not known to the builder otherwise.
  private func noteMove(of slot: Int, to cpu: Int32, _ batch: inout [Event]) {
    guard skippedTo[slot] != Self.none, skippedTo[slot] != cpu, losses > stacks[slot].losses else { return }
    touchTask(slot, &batch)
  }

  private func touchTasks(_ batch: inout [Event]) {
    opened.removeAll { slot in
      if stacks[slot].open.isEmpty {
        stacks[slot].isListed = false
        return true
      }
      touchTask(slot, &batch)
      return false
    }
  }

  private func touchTask(_ slot: Int, _ batch: inout [Event]) {
    guard skippedTo[slot] != Self.none, !stacks[slot].open.isEmpty else { return }
    var event = Event(kind: .unwound)
    event.cpu = skippedTo[slot]
    event.pid = stacks[slot].pid
    event.comm = stacks[slot].comm
    event.depth = .max
    batch.append(event)
    skippedTo[slot] = Self.none
    stacks[slot].losses = losses
  }

  // MARK: The kernel's own text

  /// CPUs that were seen are below this.
  var cpuEnd: Int { source == .graph ? slots.count : 0 }

  /// Tells `nesting` of the lines that were left out.
  func bringUpToDate(_ nesting: inout InterruptNesting) {
    for cpu in 0..<cpuEnd where skippedTo[cpu] != Self.none { nesting.setOpen(skippedTo[cpu], cpu: cpu) }
  }

  /// Lines inside an interrupt are deeper than they are indented, and all delivered so that they are read right.
  func heed(_ nesting: borrowing InterruptNesting, cpu: Int) {
    if nesting.isRegular(cpu: cpu) {
      if slots[cpu].stack >= 0 { updateThreshold(cpu) }
    } else {
      thresholds[cpu] = .max
    }
  }

  /// Tells the builder where a stack was last seen, if lines of it were left out since and a wanted call is open.
  private func touch(_ cpu: Int, _ batch: inout [Event]) {
    guard slots[cpu].stack >= 0, skippedTo[cpu] != Self.none, !stacks[slots[cpu].stack].open.isEmpty else {
      return
    }
    var event = Event(kind: .unwound)
    event.cpu = Int32(cpu)
    event.depth = .max
    batch.append(event)
  }

  private func lose(_ event: Event, _ batch: inout [Event]) {
    if source == .tasks {
      touchTasks(&batch)
    } else if !isWhole {
      for cpu in slots.indices { touch(cpu, &batch) }
    }
    batch.append(event)
    losses += 1
    for cpu in slots.indices { skippedTo[cpu] = Self.none }
  }

  private func switchTask(_ event: Event, _ batch: inout [Event]) {
    let cpu = Int(event.cpu)
    while slots.count <= cpu { slots.append(Slot()) }
    if !isWhole {
      guard hasSwitched else { return giveUp() }
      touch(cpu, &batch)
    }
    hasSwitched = true
    if slots[cpu].stack >= 0 {
      if slots[cpu].pid < 0 { name(cpu, event.previousPid) }
      stacks[slots[cpu].stack].runners -= 1
    }
    let key = Self.key(pid: event.pid, cpu: cpu)
    let stack: Int
    if let known = stackOfTask[key] {
      stack = known
    } else {
      guard stacks.count < Self.mostSlots else { return giveUp() }
      stack = stacks.count
      stacks.append(Stack())
      stackOfTask[key] = stack
    }
    // Before it is seen here.
    for other in slots.indices where slots[other].stack == stack && other != cpu {
      touch(other, &batch)
      skippedTo[other] = Self.none
    }
    stacks[stack].runners += 1
    slots[cpu].stack = stack
    slots[cpu].pid = event.pid
    skippedTo[cpu] = Self.none
    batch.append(event)
    for cpu in slots.indices where slots[cpu].stack >= 0 { updateThreshold(cpu) }
  }

  /// What a CPU did before its first switch belongs to the task that ran before.
  private func name(_ cpu: Int, _ previous: Int32) {
    let key = Self.key(pid: previous, cpu: cpu)
    if stackOfTask[key] != nil { isMixed = true }
    stackOfTask[key] = slots[cpu].stack
  }

  /// While there are unnamed CPUs beside named ones, an exit that names its function may move calls from one stack to
  /// another (`CallBuilder.strayStack`), which is not followed here.
  private func noteNamedExit() {
    if !isMixed, slots.contains(where: { $0.stack >= 0 && $0.pid < 0 }),
      stacks.contains(where: { !$0.open.isEmpty })
    {
      isMixed = true
    }
  }

  /// Up to where lines are delivered whole, as far as that is known; nil where they are not, or it is not known what they are.
  var wholeEnd: UInt64? { isWhole && source == .graph ? wholeBytes : nil }

  /// To be called between lines: from here on lines are left out, if all CPUs are named or none is.
  ///
  /// - Parameter nesting: lines inside an interrupt go on being delivered.
  func endWhole(after bytes: UInt64, _ nesting: borrowing InterruptNesting) {
    guard isWhole, source == .graph, bytes >= wholeBytes else { return }
    if isMixed || hasSwitched && slots.contains(where: { $0.stack >= 0 && $0.pid < 0 }) {
      if bytes >= mostWhole { giveUp() }
      return
    }
    isWhole = false
    for cpu in slots.indices { heed(nesting, cpu: cpu) }
  }
}
