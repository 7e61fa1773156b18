/// What is recorded.
public struct CaptureRequest: Sendable {
  /// How functions are chosen in the kernel.
  public enum Hooks: Sendable, Hashable {
    /// Only the functions themselves are hooked (set_ftrace_filter): nothing below them takes longer for it.
    case functions
    /// Everything below them is hooked too (set_graph_function), shown this many levels deep, 0 for all (max_graph_depth).
    case graph(levels: Int)
  }

  /// Whose calls are recorded.
  public enum Scope: Sendable, Hashable {
    /// Every task's, but for this process.
    case system
    /// The command's first thread's (set_ftrace_pid).
    case process
    /// The command's threads' and its children's too (the option function-fork).
    case descendants
  }

  /// Symbols as `TraceableFunctions` has them.
  public var functions: [String]
  public var hooks: Hooks
  public var scope: Scope
  /// Bytes of ring buffer a CPU; nil leaves the kernel's.
  public var bufferSize: UInt64?
  /// A name in trace_clock; nil leaves the kernel's, `local`.
  public var clock: String?
  /// Seconds until a run is ended.
  public var duration: Double?

  public init(
    functions: [String], hooks: Hooks = .functions, scope: Scope = .system, bufferSize: UInt64? = nil,
    clock: String? = nil, duration: Double? = nil
  ) {
    self.functions = functions
    self.hooks = hooks
    self.scope = scope
    self.bufferSize = bufferSize
    self.clock = clock
    self.duration = duration
  }
}

/// The functions that the kernel lets be traced (`available_filter_functions`).
public struct TraceableFunctions: Sendable {
  /// Symbols without their modules; several modules may have the same.
  public let symbols: Set<String>

  init(list text: [UInt8]) {
    var symbols: Set<String> = []
    symbols.reserveCapacity(1 << 16)
    for line in text.split(separator: UInt8(ascii: "\n")) {
      // `symbol`, `symbol [module]`, and where no symbol is known any more `__ftrace_invalid_address___8`.
      let name = line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
      if name.isEmpty || name.starts(with: "__ftrace_invalid".utf8) { continue }
      symbols.insert(String(decoding: name, as: UTF8.self))
    }
    self.symbols = symbols
  }
}
