/// What a trace says about itself and how it was taken. What it does not say is nil or empty.
public struct TraceDescription: Sendable, Hashable {
  public enum Format: Sendable, Hashable {
    /// trace.dat, with its container version (6 or 7) and compression (`none`, `zlib`, `zstd`).
    case traceDat(version: Int, compression: String)
    /// The kernel's own text: tracefs `trace`, `trace_pipe`, `perf ftrace`.
    case tracefs
    /// `trace-cmd report`.
    case traceCmdReport
    /// Lines of either kind with the front cut off.
    case pasted
    /// Text in which no line was recognised.
    case unknownText

    public var name: String {
      switch self {
      case .traceDat(let version, _): "trace.dat v\(version)"
      case .tracefs: "tracefs text"
      case .traceCmdReport: "trace-cmd report"
      case .pasted: "pasted text"
      case .unknownText: "text"
      }
    }
  }

  public struct Buffer: Sendable, Hashable {
    /// Empty for the top buffer.
    public var name: String
    /// The trace clock's name (`local`, `global`, `mono`, `x86-tsc`, `counter`, ...), empty where unknown.
    public var clock: String
    /// False where timestamps of this buffer are ticks or event numbers.
    public var timestampsAreTime: Bool
    package var unit: Timestamp.Unit { timestampsAreTime ? .nanoseconds : .raw }
    /// Events that the tracer reports as lost in this buffer by its own statistics (overruns, dropped).
    public var overrun: UInt64

    public init(name: String = "", clock: String = "", timestampsAreTime: Bool = true, overrun: UInt64 = 0) {
      self.name = name
      self.clock = clock
      self.timestampsAreTime = timestampsAreTime
      self.overrun = overrun
    }
  }

  public var format: Format
  public var buffers: [Buffer]
  /// `6.17.13+deb13-amd64`.
  public var kernelRelease: String = ""
  /// `uname -a` of the traced machine, as the file has it.
  public var uname: String = ""
  /// The tool that wrote the file (`3.1.6 ...`).
  public var writerVersion: String = ""
  /// `function_graph`, `function`, ...
  public var tracer: String = ""
  public var cpuCount: Int?
  /// Bytes of the input, where it is a file.
  public var byteCount: UInt64?

  public init(format: Format, buffers: [Buffer] = [Buffer()]) {
    self.format = format
    self.buffers = buffers
  }
}
