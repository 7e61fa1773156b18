import Foundation
import Glibc

@testable import TraceCapture

/// What tracefs keeps while processes come and go.
final class TracefsState {
  /// Files of one value, by path.
  var values: [String: String] = [:]
  /// Files that hold a list, by path.
  var lists: [String: [String]] = [:]
  var instances: Set<String> = []
  /// function_graph runs in instances (Linux 6.11).
  var tracesInInstances: Bool
  /// By CPU: what trace_pipe_raw gives.
  var pages: [Int: Data] = [:]
  /// Descriptors of raw files that were handed out, by instance.
  var descriptors: [(instance: String, descriptor: Int32)] = []
  static let functions: Set<String> = ["vfs_read", "vfs_write", "do_x"]

  init(tracesInInstances: Bool) {
    self.tracesInInstances = tracesInInstances
    addBuffer("")
    values["available_tracers"] = "blk function_graph function nop"
    values["max_graph_depth"] = "0"
    values["tracing_thresh"] = "0"
    values["events/header_page"] =
      "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;"
    for path in ["set_graph_function", "set_graph_notrace", "set_event"] { lists[path] = [] }
  }

  func addBuffer(_ prefix: String) {
    values[prefix + "available_tracers"] = tracesInInstances ? "function_graph function nop" : "function nop"
    values[prefix + "current_tracer"] = "nop"
    values[prefix + "tracing_on"] = "1"
    values[prefix + "trace_clock"] = "local"
    values[prefix + "trace"] = ""
    values[prefix + "buffer_size_kb"] = "1408"
    for cpu in 0...1 {
      values[prefix + "per_cpu/cpu\(cpu)/buffer_size_kb"] = "1408"
      values[prefix + "per_cpu/cpu\(cpu)/stats"] = "entries: 0\noverrun: 0"
    }
    values[prefix + "options/function-fork"] = "0"
    values[prefix + "options/sleep-time"] = values["options/sleep-time"] ?? "1"
    for name in ["set_ftrace_filter", "set_ftrace_notrace", "set_ftrace_pid", "set_ftrace_notrace_pid"] {
      lists[prefix + name] = []
    }
  }

  /// Everything that a capture could leave changed; the contents of the trace are not.
  var picture: [String: String] {
    var picture = values.filter { !$0.key.hasSuffix("trace") }
    for (path, entries) in lists { picture[path] = "list " + entries.joined(separator: " ") }
    picture["instances"] = instances.sorted().joined(separator: " ")
    return picture
  }
}

/// A process's view of a tracefs that answers as the kernel does: lists refuse what is no function and show a remark where
/// they are empty, an instance is busy while its files are open, tracers are refused where they cannot run.
final class FakeKernel: TracingTree {
  enum Fault {
    case none
    /// This step, and none else, is refused.
    case refuse(Int, Int32)
    /// Files of this name are refused once so many steps were done.
    case refuseAll(String, after: Int)
    /// The process is killed before this step, or right behind it: nothing that it tries from there on happens.
    case killed(Int, behind: Bool)
    /// This signal comes at this step.
    case signal(Int, Int32)
  }

  let root: String
  let state: TracefsState
  private let fault: Fault
  /// Changes so far.
  private(set) var steps = 0
  private(set) var isDead = false

  init(_ state: TracefsState, root: String, _ fault: Fault = .none) {
    self.state = state
    self.root = root
    self.fault = fault
  }

  private func error(_ path: String, _ code: Int32) -> TracingFileError {
    TracingFileError("\(root)/\(path)", code)
  }

  private func change(_ path: String, _ body: () throws(TracingFileError) -> Void) throws(TracingFileError) {
    steps += 1
    if isDead { throw error(path, ESRCH) }
    switch fault {
    case .none: break
    case .refuse(let step, let code): if step == steps { throw error(path, code) }
    case .refuseAll(let name, let count):
      if steps > count, path.hasSuffix(name) { throw error(path, EIO) }
    case .killed(let step, let isBehind):
      if step == steps {
        isDead = true
        if isBehind { try body() }
        throw error(path, ESRCH)
      }
    case .signal(let step, let number):
      if step == steps {
        // To this thread, so that it has come when this returns; threads of a pool have signals blocked.
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
      }
    }
    try body()
  }

  func read(_ path: String) throws(TracingFileError) -> [UInt8] {
    if let entries = state.lists[path] {
      let remark =
        path.hasSuffix("pid") ? "no pid" : path == "set_event" ? "" : "#### all functions enabled ####"
      let shown = entries.map { entry in
        let parts = entry.components(separatedBy: ":mod:")
        return parts.count == 2 ? "\(parts[0]) [\(parts[1])]" : entry
      }
      return Array((entries.isEmpty ? remark + "\n" : shown.joined(separator: "\n") + "\n").utf8)
    }
    guard let value = state.values[path] else { throw error(path, ENOENT) }
    if path.hasSuffix("trace_clock") {
      return Array(
        ["local", "global", "mono"].map { $0 == value ? "[\($0)]" : $0 }.joined(separator: " ").utf8)
    }
    if path.hasSuffix("buffer_size_kb"), !path.contains("per_cpu") {
      let prefix = path.dropLast("buffer_size_kb".count)
      let sizes = Set((0...1).compactMap { state.values["\(prefix)per_cpu/cpu\($0)/buffer_size_kb"] })
      return Array((sizes.count > 1 ? "X" : sizes.first ?? value).utf8)
    }
    return Array((value + "\n").utf8)
  }

  private func store(_ path: String, _ text: String, keeps: Bool) throws(TracingFileError) {
    let word = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if let before = state.lists[path] {
      if path.hasSuffix("pid") {
        guard Int32(word) != nil else { throw error(path, EINVAL) }
      } else if path != "set_event" {
        let name = word.components(separatedBy: ":mod:")[0]
        guard TracefsState.functions.contains(name) else { throw error(path, EINVAL) }
      }
      state.lists[path] = (keeps ? before : []) + [word]
      return
    }
    guard state.values[path] != nil else { throw error(path, ENOENT) }
    let name = path.components(separatedBy: "/").last ?? ""
    let accepted: Bool
    switch name {
    case "current_tracer":
      let prefix = path.dropLast(name.count)
      accepted = (state.values["\(prefix)available_tracers"] ?? "").components(separatedBy: " ").contains(
        word)
    case "tracing_on", "function-fork", "sleep-time": accepted = word == "0" || word == "1"
    case "trace_clock": accepted = ["local", "global", "mono"].contains(word)
    case "buffer_size_kb", "max_graph_depth", "tracing_thresh": accepted = Int(word) != nil
    default: accepted = false
    }
    guard accepted else { throw error(path, EINVAL) }
    state.values[path] = word
    if name == "sleep-time" {
      // One for all buffers.
      for other in state.values.keys where other.hasSuffix(name) { state.values[other] = word }
    }
    if name == "buffer_size_kb", !path.contains("per_cpu") {
      let prefix = path.dropLast(name.count)
      for cpu in 0...1 { state.values["\(prefix)per_cpu/cpu\(cpu)/buffer_size_kb"] = word }
    }
  }

  func write(_ path: String, _ text: String) throws(TracingFileError) {
    try change(path) { () throws(TracingFileError) in try store(path, text, keeps: false) }
  }

  func append(_ path: String, _ text: String) throws(TracingFileError) {
    try change(path) { () throws(TracingFileError) in try store(path, text, keeps: true) }
  }

  func clear(_ path: String) throws(TracingFileError) {
    try change(path) { () throws(TracingFileError) in
      if state.lists[path] != nil {
        state.lists[path] = []
      } else if state.values[path] == nil {
        throw error(path, ENOENT)
      }
    }
  }

  func exists(_ path: String) -> Bool {
    path == "instances" || state.values[path] != nil || state.lists[path] != nil
      || state.instances.contains { path == "instances/\($0)" }
  }

  func names(in path: String) -> [String] {
    if path == "instances" { return state.instances.sorted() }
    return path.hasSuffix("per_cpu") ? ["cpu0", "cpu1"] : []
  }

  func makeInstance(_ name: String) throws(TracingFileError) {
    try change("instances/\(name)") { () throws(TracingFileError) in
      guard state.instances.insert(name).inserted else { throw error(name, EEXIST) }
      state.addBuffer("instances/\(name)/")
    }
  }

  func removeInstance(_ name: String) throws(TracingFileError) {
    try change("instances/\(name)") { () throws(TracingFileError) in
      guard state.instances.contains(name) else { throw error(name, ENOENT) }
      // A descriptor that was closed may have been given out again for something else, which has a name then.
      let isBusy = state.descriptors.contains { entry in
        var status = stat()
        return entry.instance == name && fstat(entry.descriptor, &status) == 0 && status.st_nlink == 0
          && status.st_mode & 0o1000 != 0
      }
      guard !isBusy else { throw error(name, EBUSY) }
      state.instances.remove(name)
      let prefix = "instances/\(name)/"
      state.values = state.values.filter { !$0.key.hasPrefix(prefix) }
      state.lists = state.lists.filter { !$0.key.hasPrefix(prefix) }
    }
  }

  func open(_ path: String) throws(TracingFileError) -> Int32 {
    let parts = path.components(separatedBy: "/")
    let cpu = Int(parts[parts.count - 2].dropFirst(3)) ?? 0
    var template = Array("/tmp/pinstat-fake-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw error(path, errno) }
    unlink(template)
    // Marked, to be told from other files without a name.
    fchmod(descriptor, 0o1600)
    let data = state.pages[cpu] ?? Data()
    _ = data.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    lseek(descriptor, 0, SEEK_SET)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    state.descriptors.append((parts[0] == "instances" ? parts[1] : "", descriptor))
    return descriptor
  }
}
