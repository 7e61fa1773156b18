internal import FunctionGraph

/// Puts interrupts below the call that they interrupt.
///
/// The kernel prints arrows around an interrupt and goes on with the depth of the interrupted call, except where its
/// own depth starts anew: with a filter on a process and a graph function, kernel 4.18 prints
///
///      4)               |  vfs_read() {
///      4)   ==========> |
///      4)               |  smp_irq_work_interrupt() {
///
/// By depth alone, the interrupt would close `vfs_read`, and the exit of that would be one without an entry.
struct InterruptNesting {
  private struct State {
    /// Depth of the innermost call that is open.
    var open = unknown
    /// Levels that are added up to the closing arrow.
    var offset: Int32 = 0
    /// The arrow came and its first call did not yet.
    var isPending = false
  }

  private static let unknown = Int32.min
  /// More than any machine has (NR_CPUS); garbage shall not fill the memory.
  private static let mostCPUs = 8192

  private var states: [State] = []
  /// Arrows were seen, on whatever CPU.
  private(set) var sawInterrupt = false

  /// Corrects the depth of a call inside an interrupt; `event.cpu` is known.
  mutating func adjust(_ event: inout Event) {
    let cpu = Int(event.cpu)
    if cpu >= states.count {
      guard cpu < Self.mostCPUs else { return }
      states.append(contentsOf: repeatElement(State(), count: cpu + 1 - states.count))
    }
    guard event.depth >= 0 else {
      states[cpu] = State()
      return
    }
    if states[cpu].isPending {
      states[cpu].isPending = false
      let open = states[cpu].open
      states[cpu].offset = open >= event.depth ? open + 1 - event.depth : 0
    }
    event.depth += states[cpu].offset
    states[cpu].open = event.kind == .entry ? event.depth : event.depth - 1
  }

  /// An arrow on that CPU.
  mutating func pass(_ arrow: FunctionPart.Shape, cpu: Int32) {
    sawInterrupt = true
    guard Int(cpu) < states.count else { return }
    states[Int(cpu)].isPending = arrow == .interruptEntry
    states[Int(cpu)].offset = 0
  }

  /// Another task runs there, or events were lost.
  mutating func forget(cpu: Int32) {
    if cpu >= 0, Int(cpu) < states.count { states[Int(cpu)] = State() }
  }

  /// Whether calls on that CPU are as deep as they are indented.
  func isRegular(cpu: Int) -> Bool {
    cpu >= states.count || !states[cpu].isPending && states[cpu].offset == 0
  }

  /// For lines that were not adjusted, which a regular CPU's need not be: the depth of the innermost call that is open
  /// behind them.
  mutating func setOpen(_ depth: Int32, cpu: Int) {
    guard cpu >= 0, cpu < Self.mostCPUs else { return }
    if cpu >= states.count {
      states.append(contentsOf: repeatElement(State(), count: cpu + 1 - states.count))
    }
    states[cpu].open = depth
  }
}
