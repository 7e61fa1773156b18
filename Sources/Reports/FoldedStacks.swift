public import Analysis
public import FunctionGraph

/// Folded stacks, as flamegraph.pl, inferno and speedscope read them: `task;caller;callee nanoseconds`, one line a path.
///
/// - The value is own time in whole nanoseconds: what the calls of this path took, less what the calls in them took. The sum of
///   all lines is the sum of the durations of the outermost calls.
/// - The first frame is the task's name; `CPU_n` where the trace names no task. In front of it stands the buffer where it is not
///   the top one, and in front of that the trace where there are several, so that different recordings of one thing are not added.
/// - Spaces, semicolons and control characters in a name become `_`, as stackcollapse-perf.pl has it: they would
///   end a frame or a stack.
public struct FoldedStacks {
  /// More lines than this are not told apart.
  public static let linesLimit = 1 << 20

  private struct Root: Hashable {
    var buffer: UInt16
    var column: UInt8
    var comm: StringTable.ID
    /// Only where there is no task.
    var cpu: Int32
  }

  private let prefix: String
  private var numbers: [Root: UInt32] = [:]
  private var roots: [Root] = []
  private var lastRoot: (root: Root, number: UInt32)?
  /// By root and path.
  private var places = PairMap()
  private var lines: [(root: UInt32, path: CallPaths.ID, time: Int64)] = []
  /// What stands on no line.
  private var rest: Int64 = 0
  private var isFull = false
  /// Time below zero on lines that were left out, nanoseconds; see `Call.selfTime`.
  public private(set) var negative: Int64 = 0

  /// - Parameter trace: what is put in front of every stack; nil for nothing.
  public init(trace: String?) {
    prefix = trace.map { Self.frame($0) + ";" } ?? ""
  }

  public mutating func add(_ member: SelectedTrees.Member, shownPath path: CallPaths.ID) {
    guard let time = member.ownTime, time != 0 else { return }
    guard let root = number(of: member.call) else {
      rest &+= time
      return
    }
    let key = UInt64(root) << 32 | UInt64(path.rawValue)
    if let place = places[key] {
      lines[Int(place)].time &+= time
    } else if lines.count < Self.linesLimit {
      places.insert(key, UInt32(lines.count))
      lines.append((root, path, time))
    } else {
      isFull = true
      rest &+= time
    }
  }

  private mutating func number(of call: Call) -> UInt32? {
    let root = Root(
      buffer: call.buffer, column: call.column, comm: call.comm,
      cpu: call.comm == .none && call.pid < 0 ? call.cpu : -1)
    if let lastRoot, lastRoot.root == root { return lastRoot.number }
    if let known = numbers[root] {
      lastRoot = (root, known)
      return known
    }
    guard roots.count < Self.linesLimit else {
      isFull = true
      return nil
    }
    let number = UInt32(roots.count)
    numbers[root] = number
    roots.append(root)
    lastRoot = (root, number)
    return number
  }

  /// How many lines `write` gives out at a time.
  private static let linesAtOnce = 256

  /// Writes the lines in the order in which their paths were seen first.
  public mutating func write<Failure: Error>(
    _ trees: borrowing SelectedTrees, to out: ((inout [UInt8]) -> Void) throws(Failure) -> Void
  ) throws(Failure) {
    let functions = trees.functions
    let comms = trees.comms
    let buffers = trees.description.buffers
    let heads = roots.map { root -> String in
      let name = Int(root.buffer) < buffers.count ? buffers[Int(root.buffer)].name : ""
      let column = root.column > 0 ? "column_\(root.column + 1);" : ""
      return prefix + column + (name.isEmpty ? "" : Self.frame(name) + ";") + Self.task(root, comms)
    }
    var names: [String?] = Array(repeating: nil, count: functions.count)
    negative = 0
    var next = 0
    while next < lines.count {
      let batch = lines[next..<min(next + Self.linesAtOnce, lines.count)]
      next = batch.endIndex
      var text = ""
      for line in batch {
        guard line.time > 0 else {
          negative &+= line.time
          continue
        }
        text += heads[Int(line.root)]
        for function in trees.functions(on: line.path) {
          let index = Int(function.rawValue)
          let name = names[index] ?? Self.frame(functions[function].symbol)
          names[index] = name
          text += ";"
          text += name
        }
        text += " \(line.time)\n"
      }
      try out { $0 += Array(text.utf8) }
    }
    if rest > 0 {
      let line = prefix + "[paths_beyond_the_first_\(Self.linesLimit)_lines] \(rest)\n"
      try out { $0 += Array(line.utf8) }
    }
  }

  /// What the user should know of what was written.
  public func remarks(_ trees: borrowing SelectedTrees) -> [String] {
    var remarks: [String] = []
    let unfinished = trees.counts[Int(Call.Status.unfinished.rawValue)]
    let noEntry = trees.counts[Int(Call.Status.noEntry.rawValue)]
    let lost = trees.counts[Int(Call.Status.lost.rawValue)]
    if unfinished > 0 {
      remarks.append(
        "warning: \(counted(unfinished, "call")) without an exit: only the callees' time is known")
    }
    if noEntry > 0 {
      remarks.append("warning: \(counted(noEntry, "call")) without an entry: their callees stand beside them")
    }
    if lost > 0 {
      remarks.append(
        "warning: \(counted(lost, "call")) with events lost inside: the time of callees that were lost counts as their own"
      )
    }
    if isFull || trees.isCut {
      remarks.append(
        "warning: more than \(Self.linesLimit) different paths, or longer ones than are shown: those count for their callers, or together"
      )
    }
    if negative < 0 {
      remarks.append(
        "warning: paths with \(negative.magnitude) ns less than nothing as their own time are left out: what ran inside was recorded as longer than they were"
      )
    }
    return remarks
  }

  private static func task(_ root: Root, _ comms: StringTable) -> String {
    if root.comm != .none { return frame(comms[root.comm]) }
    return root.cpu >= 0 ? "CPU_\(root.cpu)" : "[unknown]"
  }

  private static func frame(_ name: String) -> String {
    if name.isEmpty { return "[unknown]" }
    var result = String.UnicodeScalarView()
    for scalar in Escaping.terminal(name).unicodeScalars {
      result.append(scalar == ";" || scalar == "\u{fffd}" || scalar.properties.isWhitespace ? "_" : scalar)
    }
    return String(result)
  }
}
