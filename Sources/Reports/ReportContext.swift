internal import FunctionGraph

/// What a report is made with, besides its figures.
public struct ReportContext: Sendable {
  /// Bytes that one call maps.
  public var size: UInt64?
  public var pageSize: UInt64?
  public var backing: String?
  public var recorded: Recording
  /// `-f` as given, or `*`.
  public var functions: [String]
  /// The options that left out calls, as they were given.
  public var filters: [String]
  /// The program's name and its arguments, as they were given; empty where a report does not show them.
  public var commandLine: [String] = []
  public var wantsCallees = false
  public var wantsHistogram = false
  /// Whether interrupts and sleep inside calls were asked for, so that it is said where they cannot be told.
  public var wantsTimeAway = false

  public init(
    size: UInt64? = nil, pageSize: UInt64? = nil, backing: String? = nil, recorded: Recording = .unknown,
    functions: [String] = [], filters: [String] = []
  ) {
    self.size = size
    self.pageSize = pageSize
    self.backing = backing
    self.recorded = recorded
    self.functions = functions
    self.filters = filters
  }
}

/// How a trace was taken, as the user says.
public enum Recording: String, Sendable, CaseIterable {
  /// Only the functions themselves were hooked (`trace-cmd record -l`, set_ftrace_filter).
  case filter
  /// Everything below them was hooked too (`-g`), whatever depth was shown.
  case graph
  case unknown
}

extension Recording {
  /// The word in a trace.dat's version by which `pinstat record` says how it hooked functions.
  private static let mark = "recorded="

  /// What stands behind the version in a trace.dat that `pinstat record` writes.
  public var versionMark: String { Self.mark + rawValue }

  /// As the trace itself says; `unknown` of traces that others wrote.
  init(of description: TraceDescription) {
    let words = description.writerVersion.split(separator: " ")
    let mark = words.first == "pinstat" ? words.first { $0.hasPrefix(Self.mark) } : nil
    self = mark.flatMap { Recording(rawValue: String($0.dropFirst(Self.mark.count))) } ?? .unknown
  }
}

/// How a terminal is written to.
public struct TextStyle: Sendable {
  public var color: Bool
  public var unicode: Bool
  /// Columns.
  public var width: Int

  public init(color: Bool = false, unicode: Bool = true, width: Int = 80) {
    self.color = color
    self.unicode = unicode
    self.width = width
  }

  /// What stands for the rest of a name that is cut.
  var ellipsis: String { unicode ? "…" : "~" }

  func bold(_ text: String) -> String { paint(text, "1") }
  func dim(_ text: String) -> String { paint(text, "2") }
  func good(_ text: String) -> String { paint(text, "32") }
  func bad(_ text: String) -> String { paint(text, "31") }
  func warning(_ text: String) -> String { paint(text, "33") }

  private func paint(_ text: String, _ code: String) -> String {
    color && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}

/// The version of this program, as `--version` and every report give it.
public let pinstatVersion = "0.1.0"
