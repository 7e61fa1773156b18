/// The tasks of a text whose lines name them, and the CPUs that each was seen on, as a `RangeSieve` numbers both.
///
/// A local is a task on a CPU; a stack is a task, and of an idle task, of which each CPU has one, a CPU's.
struct RangeTasks {
  private struct Local {
    let stack: Int
    let cpu: Int32
    let pid: Int32
  }

  private var locals: [Local] = []
  private var numbers: [UInt64: Int] = [:]
  private var stacks: [Int64: Int] = [:]
  /// What lines call them, by stack.
  private var names: [[UInt8]] = []
  /// By stack: the local on which it was last seen; −1 before the first.
  private var lasts: [Int] = []

  var count: Int { locals.count }

  func cpu(of local: Int) -> Int32 { locals[local].cpu }
  func pid(of local: Int) -> Int32 { locals[local].pid }
  func stack(of local: Int) -> Int { locals[local].stack }
  func last(of stack: Int) -> Int { lasts[stack] }

  /// The local of a task on a CPU, if it has been seen there.
  func find(pid: Int32, cpu: Int32) -> Int? { numbers[Self.key(pid, cpu)] }

  func isNamed(_ local: Int, _ comm: UnsafeRawBufferPointer) -> Bool {
    names[locals[local].stack].elementsEqual(comm)
  }

  /// A new local; nil where the task had another name on another CPU, unless it may.
  mutating func add(pid: Int32, cpu: Int32, _ comm: UnsafeRawBufferPointer, mayDiffer: Bool) -> Int? {
    let owner = TextSieve.key(pid: pid, cpu: cpu)
    let stack: Int
    if let known = stacks[owner] {
      guard mayDiffer || names[known].elementsEqual(comm) else { return nil }
      stack = known
    } else {
      stack = names.count
      stacks[owner] = stack
      names.append(Array(comm))
      lasts.append(-1)
    }
    numbers[Self.key(pid, cpu)] = locals.count
    locals.append(Local(stack: stack, cpu: cpu, pid: pid))
    return locals.count - 1
  }

  /// A local's task is seen there.
  ///
  /// - Returns: where it was before, if that was another CPU.
  mutating func move(to local: Int) -> Int? {
    let stack = locals[local].stack
    let before = lasts[stack]
    lasts[stack] = local
    return before == local || before < 0 ? nil : before
  }

  private static func key(_ pid: Int32, _ cpu: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: pid)) << 32 | UInt64(UInt32(bitPattern: cpu))
  }
}
