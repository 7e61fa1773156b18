/// Texts as the tools print them, of random calls: with losses, task switches, interrupts, remarks and damage in between.
///
/// Written from the kernel's and trace-cmd's formats, not from the reader: it knows nothing of columns but how to print
/// them.
struct GeneratedText {
  static let names = [
    "vfio_pin_map_dma [vfio_iommu_type1]", "vfio_unpin_pages_remote [vfio_iommu_type1]", "kfree", "a",
    "_raw_spin_lock",
    "__alloc_frozen_pages_noprof", "free_unref_page_commit.isra.0",
    "vfio_lock_acct.part.0 [vfio_iommu_type1]",
    "a_function_whose_name_is_longer_than_thirty_two_bytes",
    "a_function_whose_name_is_LONGER_than_thirty_two_bytes",
    "exactly16bytes__", "exactly_seventeen",
    // With what follows them 64 and 65 bytes, and two that differ behind those.
    "a_function_whose_name_and_parentheses_are_64_bytes_long______",
    "a_function_whose_name_and_parentheses_are_65_bytes_long_______",
    "a_function_whose_name_is_so_long_that_its_end_has_to_be_looked_at_first",
    "a_function_whose_name_is_so_long_that_its_end_has_to_be_looked_at_second",
  ]

  /// What the kernel prints in front of the duration besides the CPU.
  struct Columns: OptionSet {
    let rawValue: Int
    /// funcgraph-abstime, funcgraph-proc, latency-format.
    static let time = Columns(rawValue: 1)
    static let task = Columns(rawValue: 2)
    static let flags = Columns(rawValue: 4)

    static let all: Columns = [.time, .task, .flags]
  }

  /// What a text is laid out as: a report, or the kernel's own with some columns.
  struct Layout {
    var isReport = false
    var columns: Columns = []

    /// Whether a text of that seed keeps the layout to its end, and all of it is one that is known: three years of uptime have
    /// another one, and all columns at once may have too many bytes.
    func isPlain(_ seed: UInt64) -> Bool {
      !isReport && !columns.contains(.time) || seed % UInt64(starts.count) != 4 && columns != .all
    }
  }

  /// All that there are, for some seeds those with more columns too.
  static func layouts(_ seed: UInt64) -> [Layout] {
    let more = seed < 12 ? (1...Columns.all.rawValue).map { Layout(columns: Columns(rawValue: $0)) } : []
    return [Layout(), Layout(isReport: true)] + more
  }

  static let layoutsWithTasks = [
    Layout(isReport: true), Layout(columns: .task), Layout(columns: [.task, .time]),
  ]

  private(set) var text = ""
  private var random: SeededGenerator
  /// Microseconds: seconds of two digits, and some that get another digit on the way.
  private static let starts: [UInt64] = [
    79_859_992, 99_999_998_000, 999_999_998_000, 1_234_567_000_000, 99_999_999_998_000,
  ]
  private var time: UInt64
  private let columns: Columns
  private let values: Values

  /// Arguments and return values (funcgraph-args, funcgraph-retval).
  enum Values {
    case none
    /// Numbers alone.
    case plain
    /// Some with text, and some that are cut or laid out otherwise.
    case any
  }

  /// - Parameters:
  ///   - oddities: one line in so many is not a plain call; 0 for none.
  init(seed: UInt64, _ layout: Layout, cpus: Int, lines: Int, oddities: Int, values: Values = .none) {
    let isReport = layout.isReport
    self.values = values
    random = SeededGenerator(state: seed)
    columns = layout.columns
    time = Self.starts[Int(seed % UInt64(Self.starts.count))]
    text =
      isReport
      ? "cpus=\(cpus)\n" : "# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n"
    // The open calls of each task; in the kernel's text of each CPU's.
    var open = [[String]](repeating: [], count: cpus + 3)
    var task = Array(0..<cpus)
    for _ in 0..<lines {
      let cpu = pick(cpus)
      if oddities > 0, pick(oddities) == 0 {
        if isReport {
          reportOddity(cpu)
        } else {
          graphOddity(cpu, cpus, &task, &open)
        }
        continue
      }
      if isReport || columns.contains(.task), pick(40) == 0 {
        // The task moves to another CPU, whose own comes here.
        task.swapAt(cpu, pick(cpus))
      }
      let depth = open[task[cpu]].count
      let name = Self.names[pick(Self.names.count)]
      let front = isReport ? reportFront(cpu, task[cpu]) : graphFront(cpu, task[cpu], cpus > 10 ? 2 : 1)
      switch pick(depth > 8 ? 2 : 4) {
      case 0:
        text +=
          front + column(isReport, isExit: false, duration()) + indent(depth)
          + "\(name)(\(arguments()));\(returned(nil))\n"
      case 1 where depth > 0:
        let last = open[task[cpu]].removeLast()
        let tail = !isReport && pick(4) == 0 ? " /* \(last) */" : returned(last)
        text += front + column(isReport, isExit: true, duration()) + indent(depth - 1) + "}\(tail)\n"
      default:
        open[task[cpu]].append(name)
        text +=
          front + column(isReport, isExit: false, nil) + indent(depth)
          + "\(name)(\(arguments())) {\n"
      }
    }
  }

  private mutating func arguments() -> String {
    guard values != .none else { return "" }
    let value = String(pick(1 << 30), radix: 16)
    return [
      "", "a=0x\(value)", "domain=0xff110000\(value), iova=0x\(value), prot=7, n=-\(pick(9))",
      "map=0x\(value), " + String(repeating: "b=0x\(value), ", count: pick(30)) + "c=1", "f=(no) \(value)",
      "name=\"a b\"", "s=\"x);\"", "p=a|b", "p=&lt;", "p=0x1...", "a=3D\(value), b=20",
    ][values == .plain || pick(4) > 0 ? pick(4) : pick(11)]
  }

  private mutating func returned(_ name: String?) -> String {
    guard values != .none else { return "" }
    let value = ["0x0", "-22", "0x" + String(pick(1 << 30), radix: 16), "ffff888"][pick(4)]
    let named = name.map { "\($0) " } ?? ""
    return [
      "", " /* \(named)ret=\(value) */", " /* \(named)= \(value) */", " /* ret=\(value) */",
      " /* = \(value) */",
      " /* \(named)\(value) */", " (ret=\(value))", " /* \(named)ret=\(value)*/",
      " /* \(named)ret=\(value) */ (3)",
      " /* \(named)<-caller+0x1/0x7 ret=\(value) */", " /*\(named)ret=\(value) */", " /* \(named)return= */",
      " /* ret=*/",
    ][values == .plain || pick(4) > 0 ? pick(4) : pick(13)]
  }

  /// The kernel's text of tasks that move between CPUs and lose events there: each CPU begins with a switch, few switches
  /// are missing, and the outermost calls are open for long. Where lines name their tasks there are no switches.
  ///
  /// - Parameter burst: about how many lines of one CPU follow one another, as where each CPU's buffer is printed when it is full.
  init(moving seed: UInt64, _ layout: Layout = Layout(), cpus: Int, lines: Int, burst: Int = 1) {
    let isReport = layout.isReport
    let hasTasks = isReport || layout.columns.contains(.task)
    random = SeededGenerator(state: seed)
    time = 79_000_000
    columns = layout.columns
    values = .none
    text =
      isReport
      ? "cpus=\(cpus)\n" : "# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n"
    let tasks = 2 * cpus
    var open = [[String]](repeating: [], count: tasks)
    var task = Array(0..<cpus)
    if !hasTasks { for cpu in 0..<cpus { switchTask(cpu, 1, from: tasks, to: cpu) } }
    var cpu = 0
    for _ in 0..<lines {
      if pick(burst) == 0 { cpu = pick(cpus) }
      let depth = open[task[cpu]].count
      let name = Self.names[pick(depth == 0 ? 5 : Self.names.count)]
      let front = isReport ? reportFront(cpu, task[cpu]) : graphFront(cpu, task[cpu], 1)
      switch pick(14) {
      case 0:
        let count = 1 + pick(5000)
        let note = count % 7 == 0 ? "EVENTS DROPPED" : "\(count) EVENTS DROPPED"
        text += isReport ? "CPU:\(cpu) [\(note)]\n" : "CPU:\(cpu) [LOST \(count) EVENTS]\n"
      case 1:
        let next = pick(tasks)
        guard !task.contains(next) else { continue }
        if !hasTasks, pick(12) > 0 { switchTask(cpu, 1, from: task[cpu], to: next) }
        task[cpu] = next
      case 2...4 where depth < 5:
        open[task[cpu]].append(name)
        text += front + column(isReport, isExit: false, nil) + indent(depth) + "\(name)() {\n"
      case 5...6 where depth > 0:
        let last = open[task[cpu]].removeLast()
        let tail = !isReport && pick(6) == 0 ? " /* \(last) */" : ""
        text += front + column(isReport, isExit: true, duration()) + indent(depth - 1) + "}\(tail)\n"
      default: text += front + column(isReport, isExit: false, duration()) + indent(depth) + "\(name)();\n"
      }
    }
  }

  private mutating func switchTask(_ cpu: Int, _ width: Int, from old: Int, to next: Int) {
    text += " ------------------------------------------\n"
    text += " \(pad(cpu, width)))   comm-\(100 + old)    =>   comm-\(100 + next)   \n"
    text += " ------------------------------------------\n\n"
  }

  private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  private func pad(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: " ", count: max(0, width - digits.count)) + digits
  }

  private func indent(_ depth: Int) -> String { "|  " + String(repeating: "  ", count: depth) }

  /// Other events, some of which look like something else, or like a part of it.
  private static let otherEvents = [
    "sched_waking: comm=a", "sched_switch:         a:1546 [120] R ==> b:12 [120]", "irq_handler_exit: ret=1",
    "mm_page_alloc: page=0x1 gfp_flags=GFP_KERNEL|__GFP_COMP|__GFP_ZERO",
    "softirq_raise: vec=7 [action=SCHED]", "kvm_entry:            vcpu 0", "local_timer_entry: vector=236",
    "print: a-12 [003]", "print: 79.860046:", "print: a=b  =", "print: x || y() {", "print: a &lt; b",
    "print: a*/ || 1)",
    "print: CPU:0 [LOST 12 EVENTS]", "print: a-7 [001] 7.125: funcgraph_entry: + 1.500 us |  kfree();",
    "print: before:", "p: a-1|", "print: \u{a0}x", "print: [120]", "print: a-5 (7) [120]", "print: x*",
    "a_long_event:         "
      + "one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12 thirteen=13",
  ]

  /// Nanoseconds, of every magnitude.
  private mutating func duration() -> Int {
    pick([900, 90_000, 9_000_000, 900_000_000, 3_000_000_000][pick(5)])
  }

  private mutating func column(_ isReport: Bool, isExit: Bool, _ duration: Int?) -> String {
    let event = isReport ? (isExit ? "funcgraph_exit:       " : "funcgraph_entry:      ") : ""
    guard let duration else { return event + String(repeating: " ", count: isReport ? 13 : 14) }
    let mark =
      switch duration {
      case 1_000_000_000...: "$"
      case 100_000_000...: isReport ? "#" : "@"
      case 10_000_000...: isReport ? "#" : "*"
      case 1_000_000...: "#"
      case 100_000...: "!"
      case 10_000...: "+"
      default: " "
      }
    var number = String(duration / 1000)
    let decimals = isReport ? (duration < 1_000_000_000 ? 3 : 0) : max(0, min(3, 7 - number.count))
    if decimals > 0 { number += "." + String(String(1000 + duration % 1000).dropFirst().prefix(decimals)) }
    let width = isReport ? 7 : 8
    return event + "\(mark) \(number) us " + String(repeating: " ", count: max(0, width - number.count))
  }

  private mutating func reportFront(_ cpu: Int, _ task: Int) -> String {
    time += UInt64(pick(30))
    let comm = ["<...>", "vfiomap", "kworker/0:1"][task % 3]
    let pid = task == 2 ? "0" : task == 1 ? "1234567" : String(421 + task)
    let stamp = "\(time / 1_000_000).\(String(1_000_000 + time % 1_000_000).dropFirst())"
    return String(repeating: " ", count: 16 - comm.count) + comm + "-" + pid
      + String(repeating: " ", count: max(0, 5 - pid.count))
      + " [\(String(1000 + cpu).dropFirst())]" + String(repeating: " ", count: max(1, 13 - stamp.count))
      + stamp + ": "
  }

  /// `print_graph_prologue` of kernel/trace/trace_functions_graph.c.
  private mutating func graphFront(_ cpu: Int, _ task: Int, _ width: Int) -> String {
    var front = ""
    if columns.contains(.time) {
      time += UInt64(pick(30))
      front += pad(Int(time / 1_000_000), 5) + "." + String(1_000_000 + time % 1_000_000).dropFirst() + " |  "
    }
    front += " \(pad(cpu, width))) "
    if columns.contains(.task) {
      let name = ["<idle>-0", "kworker-1234567", "vfiomap-\(420 + task)", "a|b c-\(42 + task)"][task % 4]
      let blanks = max(0, 14 - name.count)
      front +=
        String(repeating: " ", count: blanks / 2) + name + String(repeating: " ", count: blanks - blanks / 2)
        + " | "
    }
    if columns.contains(.flags) { front += " " + ["...1.", "d..1.", "dNh2."][pick(3)] + " | " }
    return front
  }

  private mutating func reportOddity(_ cpu: Int) {
    switch pick(8) {
    case 0, 6, 7: text += reportFront(cpu, pick(3)) + Self.otherEvents[pick(Self.otherEvents.count)] + "\n"
    case 1: text += reportFront(cpu, cpu) + "funcgraph_entry:      + 12.345 us  |  kfree(); \n"
    case 2: text += reportFront(cpu, cpu) + "funcgraph_entry:                   |  kfree(ptr=0x0) {\r\n"
    case 3: text += "CPU:\(cpu) [\(pick(900)) EVENTS DROPPED]\n"
    case 4: time -= min(time, UInt64(pick(3)) * 17)
    default: text += String(reportFront(cpu, cpu).dropLast(pick(30))) + "\n"
    }
  }

  private mutating func graphOddity(_ cpu: Int, _ cpus: Int, _ task: inout [Int], _ open: inout [[String]]) {
    let front = graphFront(cpu, task[cpu], cpus > 10 ? 2 : 1)
    switch pick(columns.contains(.time) ? 13 : 9) {
    case 0, 1:
      let next = cpus + pick(3)
      guard !task.contains(next) else { return }
      switchTask(cpu, cpus > 10 ? 2 : 1, from: task[cpu], to: next)
      task[cpu] = next
    case 2, 3: text += "CPU:\(cpu) [LOST \(1 + pick(5000)) EVENTS]\n"
    case 4: text += "\(front)  ==========> |\n"
    case 5: text += "\(front)  <========== |\n"
    case 6, 11, 12:
      text += "\(front)              |  /* \(Self.otherEvents[pick(Self.otherEvents.count)]) */\n"
    case 7: text += "\(front)  1.5 us      |  kfree();\n"
    case 9: time -= min(time, UInt64(pick(3)) * 17)
    case 10: text += String(front.dropLast(pick(30))) + "\n"
    default:
      let depth = open[task[cpu]].count
      text +=
        "\(front)  0.500 us    |" + String(repeating: " ", count: 2 + 2 * depth + pick(2)) + "kfree();\r\n"
    }
  }
}
