import FunctionGraph

/// A random well-formed trace, and what it truly holds.
///
/// Some tasks run on some CPUs, are preempted and moved, and call functions in each other; every event has its own
/// nanosecond, so that an entry's time tells its call apart from all others.
struct GeneratedTrace {
  struct TrueCall: Equatable {
    var entry: UInt64
    var duration: Int64
    var selfTime: Int64
    var depth: Int32
    var pid: Int32
    /// Of the exit.
    var cpu: Int32
    /// From the outermost call down.
    var path: [FunctionID]
  }

  enum Tasks {
    /// Events name their task (trace.dat, trace-cmd report).
    case named
    /// Events name only their CPU; task switches are told (tracefs).
    case bySwitches
  }

  var events: [Event] = []
  /// In the order of their ends.
  var calls: [TrueCall] = []
  /// For each event the entry time of the call it belongs to, 0 for task switches.
  var owners: [UInt64] = []

  private struct Open {
    var entry: UInt64
    var function: FunctionID
    var callees: Int64 = 0
  }

  init(
    seed: UInt64, tasks: Tasks, namesExits: Bool, taskCount: Int = 6, cpuCount: Int = 3, steps: Int = 3_000
  ) {
    var random = TestGenerator(state: seed)
    var clock: UInt64 = 1_000
    var stacks = [[Open]](repeating: [], count: taskCount)
    // Task numbers start at 1; 0 is idle.
    var running = [Int?](repeating: nil, count: cpuCount)

    func switchTask(_ cpu: Int, to next: Int?) {
      if tasks == .bySwitches {
        var event = Event(kind: .taskSwitch)
        event.cpu = Int32(cpu)
        event.previousPid = Int32((running[cpu] ?? -1) + 1)
        event.pid = Int32((next ?? -1) + 1)
        events.append(event)
        owners.append(0)
      }
      running[cpu] = next
    }

    func record(_ kind: Event.Kind, _ task: Int, _ cpu: Int, _ open: Open, depth: Int) {
      var event = Event(kind: kind)
      event.cpu = Int32(cpu)
      if tasks == .named { event.pid = Int32(task + 1) }
      event.depth = Int32(depth)
      event.timestamp = .nanoseconds(kind == .leaf ? open.entry : clock)
      if kind != .exit || namesExits { event.function = open.function }
      if kind != .entry { event.duration = Int64(clock - open.entry) }
      events.append(event)
      owners.append(open.entry)
    }

    func end(_ task: Int, _ cpu: Int, _ open: Open, _ kind: Event.Kind) {
      let depth = stacks[task].count
      record(kind, task, cpu, open, depth: depth)
      let duration = Int64(clock - open.entry)
      calls.append(
        TrueCall(
          entry: open.entry, duration: duration, selfTime: duration - open.callees, depth: Int32(depth),
          pid: Int32(task + 1), cpu: Int32(cpu), path: stacks[task].map(\.function) + [open.function]))
      if depth > 0 { stacks[task][depth - 1].callees += duration }
    }

    func step(_ task: Int, _ cpu: Int, leaving: Bool) {
      clock += UInt64(1 + random.roll(50))
      if leaving, let open = stacks[task].popLast() {
        end(task, cpu, open, .exit)
      } else if !leaving {
        let open = Open(entry: clock, function: FunctionID(rawValue: UInt32(1 + random.roll(5))))
        if random.chance(30) {
          clock += UInt64(1 + random.roll(50))
          end(task, cpu, open, .leaf)
        } else {
          record(.entry, task, cpu, open, depth: stacks[task].count)
          stacks[task].append(open)
        }
      }
    }

    for _ in 0..<steps {
      let cpu = random.roll(cpuCount)
      if random.chance(15) || running[cpu] == nil {
        let idle = (0..<taskCount).filter { !running.contains($0) }
        switchTask(cpu, to: random.chance(10) ? nil : idle[random.roll(idle.count)])
      }
      guard let task = running[cpu] else { continue }
      step(task, cpu, leaving: stacks[task].count > 7 || (!stacks[task].isEmpty && random.chance(48)))
    }
    // Every call ends, so that the trace is well-formed.
    for cpu in running.indices { switchTask(cpu, to: nil) }
    for task in 0..<taskCount where !stacks[task].isEmpty {
      switchTask(0, to: task)
      while !stacks[task].isEmpty { step(task, 0, leaving: true) }
      switchTask(0, to: nil)
    }
  }
}

extension CallPaths {
  /// The functions from the outermost call down.
  func functions(_ id: ID) -> [FunctionID] {
    var result: [FunctionID] = []
    var id = id
    while id != CallPaths.root {
      result.append(function(id))
      id = parent(id)
    }
    return result.reversed()
  }
}
