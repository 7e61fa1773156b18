/// Something in the input that was not as it should be, and where. The rest was still read.
public struct Diagnostic: Sendable, Hashable {
  public enum Place: Sendable, Hashable {
    /// 1-based.
    case line(Int)
    /// Bytes from the start of the file.
    case byte(UInt64)
    case whole
  }

  /// What kind of trouble; diagnostics are counted by this.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A line that looks like function-graph output and is none.
    case unreadableLine
    /// A line longer than the reader takes.
    case overlongLine
    /// A sub-buffer (page) whose header or records contradict themselves.
    case damagedPage
    /// A compressed chunk or section that does not decompress.
    case damagedChunk
    /// A section, option or table of the container that cannot be used.
    case damagedSection
    /// The file ends before what it announces.
    case truncated
    /// Names could not be resolved.
    case missingSymbols
    /// An event format that is needed is missing or malformed.
    case missingFormat
    /// Timestamps are no time (`counter`, unconverted `x86-tsc`).
    case clockIsNotTime
    /// Timestamps that go back.
    case timeGoesBack
    /// A limit of this program was reached.
    case limitReached
    /// Something that the reader knows of and cannot use.
    case unsupported
  }

  public var kind: Kind
  public var place: Place
  /// What was expected and what was found: a phrase without file, place or full stop.
  public var detail: String

  public init(_ kind: Kind, at place: Place, _ detail: String) {
    self.kind = kind
    self.place = place
    self.detail = detail
  }
}

/// Diagnostics of one trace: every one counted, the first few of each kind kept.
public struct Diagnostics: Sendable {
  public static let keptPerKind = 8

  public private(set) var kept: [Diagnostic] = []
  public private(set) var counts: [Diagnostic.Kind: Int] = [:]

  public init() {}

  public var isEmpty: Bool { counts.isEmpty }

  /// Records a diagnostic. `detail` is only built when it is kept.
  public mutating func record(
    _ kind: Diagnostic.Kind, at place: Diagnostic.Place, _ detail: @autoclosure () -> String
  ) {
    let count = counts[kind, default: 0]
    counts[kind] = count + 1
    if count < Self.keptPerKind { kept.append(Diagnostic(kind, at: place, detail())) }
  }
}

/// Why a trace cannot be read at all.
public struct TraceError: Error, Sendable, Hashable {
  public enum Code: Sendable, Hashable {
    /// The system refused (errno).
    case io(Int32)
    /// Neither a text nor a trace.dat.
    case notATrace
    /// A trace.dat of which nothing can be trusted.
    case corrupt
    /// A trace.dat that this program cannot read (a version, a compression).
    case unsupported
    /// The input is empty.
    case empty
  }

  public var code: Code
  public var place: Diagnostic.Place
  /// What was expected and what was found: a phrase without file, place or full stop.
  public var detail: String

  public init(_ code: Code, at place: Diagnostic.Place = .whole, _ detail: String) {
    self.code = code
    self.place = place
    self.detail = detail
  }
}
