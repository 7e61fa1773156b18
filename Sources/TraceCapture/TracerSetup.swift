internal import CLauncher
internal import Glibc

/// The steps that set the function graph tracer up, each through the ledger.
///
/// What the kernel has once for all buffers (set_graph_function, set_graph_notrace, max_graph_depth, tracing_thresh:
/// kernel/trace/trace_functions_graph.c, ftrace.c, trace.c) concerns a capture in an instance, too: it is brought to what
/// the capture needs, and put back.
struct TracerSetup {
  private static let tracer = "function_graph"

  private let tree: any TracingTree
  private let ledger: Ledger
  private let request: CaptureRequest
  private let check: () throws(CaptureError) -> Void

  /// - Parameter check: throws where the set-up shall not go on; called before every step.
  init(
    _ tree: any TracingTree, _ ledger: Ledger, _ request: CaptureRequest,
    check: @escaping () throws(CaptureError) -> Void
  ) {
    self.tree = tree
    self.ledger = ledger
    self.request = request
    self.check = check
  }

  /// - Returns: the name of the instance; empty where the top buffer is used.
  func perform() throws(CaptureError) -> String {
    if let instance = try ownInstance() {
      try demandOwnGlobals()
      try setUp("instances/\(instance)/")
      return instance
    }
    try demandUnused()
    try setUp("")
    return ""
  }

  /// Makes an instance, and keeps it where the kernel runs the tracer in it: asked of the kernel, whose version says
  /// nothing certain of what was built in or ported back (6.18 does, 6.1 does not).
  private func ownInstance() throws(CaptureError) -> String? {
    guard tree.exists("instances") else { return nil }
    let name = Instance.name(of: getpid())
    let path = "instances/\(name)"
    try check()
    try ledger.makeInstance(name)
    if let tracers = try? tree.words("\(path)/available_tracers"), tracers.contains(Self.tracer) {
      return name
    }
    try ledger.undo(onlyInstance: path)
    return nil
  }

  /// The top buffer is used by nobody else.
  private func demandUnused() throws(CaptureError) {
    let tracer = try read { () throws(TracingFileError) in try tree.text("current_tracer") }
    guard tracer == "nop" else { throw .tracerInUse(tracer: tracer) }
    if let events = try? tree.words("set_event"), !events.isEmpty { throw .eventsInUse(count: events.count) }
  }

  /// Nobody else's tracer depends on what all buffers share.
  private func demandOwnGlobals() throws(CaptureError) {
    let tracer = try read { () throws(TracingFileError) in try tree.text("current_tracer") }
    guard tracer != Self.tracer else { throw .tracerInUse(tracer: tracer) }
  }

  private func setUp(_ prefix: String) throws(CaptureError) {
    // Also where it is off: recording will switch it on and off again.
    let switchPath = "\(prefix)tracing_on"
    let isOn = try read { () throws(TracingFileError) in try tree.text(switchPath) }
    try step { () throws(CaptureError) in try ledger.set(switchPath, to: "0", from: isOn) }
    if let clock = request.clock {
      try step { () throws(CaptureError) in
        let path = "\(prefix)trace_clock"
        let text = try read { () throws(TracingFileError) in try tree.text(path) }
        let before = text.split(separator: " ").first { $0.hasPrefix("[") }?.dropFirst().dropLast() ?? "local"
        if before != clock { try ledger.set(path, to: clock, from: String(before)) }
      }
    }
    if let size = request.bufferSize { try setBufferSize(prefix, kibibytes: max(4, (size + 1023) >> 10)) }
    try setFunctions(prefix)
    try setScope(prefix)
    // Options that leave time of calls out, where somebody has set them.
    for option in ["options/sleep-time", "options/graph-time"]
    where tree.exists(option) && tree.exists(prefix + option) {
      try step { () throws(CaptureError) in try ledger.set(option: option, in: prefix, to: "1") }
    }
    if tree.exists("tracing_thresh") {
      try step { () throws(CaptureError) in try ledger.set("tracing_thresh", to: "0") }
    }
    let path = "\(prefix)current_tracer"
    try step { () throws(CaptureError) in try ledger.set(path, to: Self.tracer) }
    let found = try read { () throws(TracingFileError) in try tree.text(path) }
    guard found == Self.tracer else { throw .notTaken(path: path, wanted: Self.tracer, found: found) }
    try check()
  }

  /// `7 (expanded: 1408)` is a buffer that grows to its proper size when it is used first: that size is put back, since
  /// what pinstat writes would stay. `X` stands for sizes that differ by CPU.
  private func setBufferSize(_ prefix: String, kibibytes: UInt64) throws(CaptureError) {
    let path = "\(prefix)buffer_size_kb"
    let text = try read { () throws(TracingFileError) in try tree.text(path) }
    if text == "X" {
      for cpu in PageCollector.cpus(tree, prefix: prefix) {
        try step { () throws(CaptureError) in
          try ledger.set("\(prefix)per_cpu/cpu\(cpu)/buffer_size_kb", to: "\(kibibytes)")
        }
      }
      return
    }
    let numbers = text.split { !$0.isNumber }
    try step { () throws(CaptureError) in
      try ledger.set(path, to: "\(kibibytes)", from: numbers.last.map(String.init) ?? text)
    }
  }

  private func setFunctions(_ prefix: String) throws(CaptureError) {
    let filter: [String]
    let graph: [String]
    let depth: Int
    switch request.hooks {
    case .functions: (filter, graph, depth) = (request.functions, [], 0)
    case .graph(let levels): (filter, graph, depth) = ([], request.functions, levels)
    }
    // With a graph every function is hooked, and the tracer looks whether it is below one of these.
    for (path, entries) in [
      ("\(prefix)set_ftrace_notrace", []), ("set_graph_notrace", []), ("\(prefix)set_ftrace_filter", filter),
      ("set_graph_function", graph),
    ] {
      // Kernels without dynamic ftrace have none of them; one that is needed and missing is an error.
      if entries.isEmpty, !tree.exists(path) { continue }
      try step { () throws(CaptureError) in try ledger.set(list: path, to: entries) }
    }
    if depth != 0 || tree.exists("max_graph_depth") {
      try step { () throws(CaptureError) in try ledger.set("max_graph_depth", to: "\(depth)") }
    }
  }

  private func setScope(_ prefix: String) throws(CaptureError) {
    let option = "\(prefix)options/function-fork"
    let wantsChildren = request.scope == .descendants
    if wantsChildren || tree.exists(option) {
      try step { () throws(CaptureError) in try ledger.set(option, to: wantsChildren ? "1" : "0") }
    }
    let pids = "\(prefix)set_ftrace_pid"
    if tree.exists(pids) { try step { () throws(CaptureError) in try ledger.set(list: pids, to: []) } }
    // Reading the trace is itself made of functions such as vfs_read (Linux 5.7).
    let others = "\(prefix)set_ftrace_notrace_pid"
    if tree.exists(others) {
      let own =
        request.scope == .system ? Array(Set([getpid(), launcher_thread()])).sorted().map { "\($0)" } : []
      try step { () throws(CaptureError) in try ledger.set(list: others, to: own) }
    }
  }

  private func step(_ body: () throws(CaptureError) -> Void) throws(CaptureError) {
    try check()
    try body()
  }

  private func read<Value>(_ body: () throws(TracingFileError) -> Value) throws(CaptureError) -> Value {
    do { return try body() } catch { throw .file(error) }
  }
}
