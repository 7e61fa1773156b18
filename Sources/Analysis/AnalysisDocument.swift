public import FoundationEssentials
internal import Statistics

/// The JSON of an analysis, `pinstat/analysis/1`: what `analyze --format json` writes and `compare` reads as a baseline.
///
/// Durations and derived figures are microseconds, sizes bytes.
public struct AnalysisDocument: Codable, Sendable {
  public static let schemaName = "pinstat/analysis/1"

  public struct Tool: Codable, Sendable {
    public var name: String
    public var version: String
    public init(name: String, version: String) {
      self.name = name
      self.version = version
    }
  }

  public struct Buffer: Codable, Sendable {
    public var name: String
    public var clock: String
    public var timestampsAreTime: Bool
    public var overrun: UInt64
  }

  public struct DiagnosticEntry: Codable, Sendable {
    public var kind: String
    /// 1-based line, or byte offset, of the place; neither for the whole file.
    public var line: Int?
    public var byte: UInt64?
    public var detail: String
  }

  public struct Quality: Codable, Sendable {
    public var calls: Int
    public var losses: Int
    public var lostEvents: UInt64
    public var nested: Bool
    public var deepest: Int32
    public var skipped: Int
    public var diagnosticCounts: [String: Int]
    public var diagnostics: [DiagnosticEntry]
  }

  public struct Callee: Codable, Sendable {
    public var function: String
    public var module: String
    public var calls: Int
    public var totalUs: Double
    public var selfUs: Double
    public var level: Int
    /// Of the total; null where it cannot be told.
    public var offCpuUs: Double?
    public var irqUs: Double?
  }

  public struct Callees: Codable, Sendable {
    public var parentCalls: Int
    public var parentTotalUs: Double
    public var parentSelfUs: Double
    public var parentOffCpuUs: Double?
    public var parentIrqUs: Double?
    public var rows: [Callee]
  }

  /// When calls began: every one, or every second, fourth, ... of them.
  public struct Timeline: Codable, Sendable {
    public var every: Int
    /// Whether `starts` are nanoseconds of the trace clock; else its ticks.
    public var startsAreTime: Bool
    public var starts: [UInt64]
    /// As many, of the same calls.
    public var durationsUs: [Double]
  }

  /// A path below the function: the function itself first, callers before callees.
  public struct TreeNode: Codable, Sendable {
    public var function: String
    public var module: String
    /// Index of the caller's node; 0 for the first too.
    public var parent: Int
    public var calls: Int
    public var totalUs: Double
    public var selfUs: Double
    /// Callees right below that are not stored.
    public var leftOut: Int
  }

  public struct Sketch: Codable, Sendable {
    /// DDSketch, logarithmic mapping, of durations in nanoseconds.
    public var relativeError: Double
    public var zeroCount: UInt64
    public var binIndexes: [Int]
    public var binCounts: [UInt64]
    public var squaredDeviationsUs2: Double
  }

  /// Written for other programs; `durationsUs`, or `sketch` and the rest, are what is read again.
  public struct Sums: Codable, Sendable {
    public var squaredDeviationsUs2: Double
    public var relativeError: Double
    /// The message DDSketch of the durations in nanoseconds, base64.
    public var ddsketch: String
  }

  public struct Function: Codable, Sendable {
    public var buffer: String
    public var function: String
    public var module: String
    public var count: Int
    public var incomplete: Int
    public var complete: Int
    public var unfinished: Int
    public var noEntry: Int
    public var lost: Int
    public var minUs: Double?
    public var p50Us: Double?
    public var p90Us: Double?
    public var p99Us: Double?
    public var maxUs: Double?
    public var meanUs: Double?
    public var stddevUs: Double?
    public var totalUs: Double
    public var selfUs: Double?
    /// Inside the calls, during which the task was off the CPU: part of the total, how many calls had any, and of how many
    /// it is known. All three missing where the trace has no records of it.
    public var offCpuUs: Double?
    public var offCpuCalls: Int?
    public var offCpuKnownCalls: Int?
    /// The same of interrupts.
    public var irqUs: Double?
    public var irqCalls: Int?
    public var irqKnownCalls: Int?
    public var throughputGibS: Double?
    public var resolutionUs: Double
    public var zeroResolutionUs: Double
    /// In the order in which the calls ended: all of them, or a seeded uniform sample where there is a sketch.
    public var durationsUs: [Double]
    public var sketch: Sketch?
    /// What adds up over traces, beside count, total, minimum and maximum.
    public var summary: Sums?
    public var callees: Callees?
    public var tree: [TreeNode]?
    public var timeline: Timeline?
    public var model: Model?
  }

  public struct Trace: Codable, Sendable {
    public var path: String
    /// The traced machine's name, where it is known.
    public var host: String?
    public var bytes: UInt64?
    public var format: String
    public var kernel: String
    public var uname: String
    public var writer: String
    public var tracer: String
    public var cpus: Int?
    public var buffers: [Buffer]
    public var quality: Quality
    public var functions: [Function]
    public var warnings: [String]
  }

  public var schema: String
  public var tool: Tool
  public var functionsSelected: [String]
  public var size: UInt64?
  public var pageSize: UInt64?
  public var backing: String?
  public var recorded: String?
  /// Options that left out calls, as they were given.
  public var filters: [String]
  public var traces: [Trace]

  public init(
    tool: Tool, functionsSelected: [String], size: UInt64?, pageSize: UInt64?, backing: String?,
    recorded: String?,
    filters: [String], traces: [Trace]
  ) {
    schema = Self.schemaName
    self.tool = tool
    self.functionsSelected = functionsSelected
    self.size = size
    self.pageSize = pageSize
    self.backing = backing
    self.recorded = recorded
    self.filters = filters
    self.traces = traces
  }

  /// Keys in a fixed order, so that equal analyses are equal files.
  public func encoded() throws -> Data {
    try encodedJSON(self)
  }
}

/// A value as compact JSON with sorted keys.
public func encodedJSON(_ value: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  encoder.keyEncodingStrategy = .convertToSnakeCase
  return try encoder.encode(value)
}

/// Why a baseline cannot be used.
public struct BaselineError: Error, Sendable {
  /// A phrase: what was expected and what was found.
  public var detail: String

  public init(_ detail: String) {
    self.detail = detail
  }
}

extension AnalysisDocument {
  /// Reads a stored baseline and checks that its figures can be figures.
  public init(baseline data: Data) throws(BaselineError) {
    struct Header: Decodable {
      var schema: String?
    }
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let header = try decoder.decode(Header.self, from: data)
      guard header.schema == Self.schemaName else {
        throw BaselineError(
          "its schema is \(header.schema.map { "\"\($0)\"" } ?? "missing"), expected \"\(Self.schemaName)\"")
      }
      self = try decoder.decode(Self.self, from: data)
    } catch let error as BaselineError {
      throw error
    } catch let error as DecodingError {
      throw BaselineError(Self.phrase(error))
    } catch {
      throw BaselineError("it is no JSON")
    }
    if traces.isEmpty { throw BaselineError("it holds no traces") }
    for trace in traces {
      if let problem = trace.quality.problem { throw BaselineError("\(problem) for \(trace.path)") }
      for function in trace.functions {
        if let problem = function.problem {
          throw BaselineError("\(problem) for \(function.function) of \(trace.path)")
        }
      }
    }
  }

  static func phrase(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(
        separator: ".")
      return path.isEmpty ? "at the top" : "at \(path)"
    }
    switch error {
    case .keyNotFound(let key, let context): return "\"\(key.stringValue)\" is missing \(place(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "a value of the wrong type stands \(place(context))"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty
        ? "it is no whole JSON" : "an impossible value stands \(place(context))"
    @unknown default: return "it cannot be decoded"
    }
  }
}

/// What a stored figure can be. The limits keep the sums over all that a file may hold within their types.
private enum Plausible {
  /// A year in microseconds.
  static let longestDuration = 3.2e13
  /// Microseconds; 300 years, what an `Int64` of nanoseconds holds.
  static let longestTotal = 9e15
  static let mostCalls = 1_000_000_000_000
  static let deepest = 1_000_000

  static func counts(_ values: Int...) -> Bool { values.allSatisfy { (0...mostCalls).contains($0) } }
  static func durations(_ values: some Sequence<Double>) -> Bool {
    values.allSatisfy { $0.isFinite && $0 >= 0 && $0 <= longestDuration }
  }
  static func totals(_ values: Double...) -> Bool {
    values.allSatisfy { $0.isFinite && $0 >= 0 && $0 <= longestTotal }
  }
}

extension AnalysisDocument.Quality {
  fileprivate var problem: String? {
    guard Plausible.counts(calls, losses, skipped), deepest >= -1, deepest <= Plausible.deepest else {
      return "an impossible count stands"
    }
    return nil
  }
}

extension AnalysisDocument.Function {
  fileprivate var problem: String? {
    guard Plausible.counts(count, incomplete, complete, unfinished, noEntry, lost) else {
      return "an impossible number of calls stands"
    }
    guard Plausible.durations(durationsUs) else { return "an impossible duration stands" }
    guard Plausible.totals(totalUs, resolutionUs, zeroResolutionUs) else {
      return "an impossible figure stands"
    }
    for (time, calls, known) in [
      (offCpuUs, offCpuCalls, offCpuKnownCalls), (irqUs, irqCalls, irqKnownCalls),
    ] where !Plausible.totals(time ?? 0) || !Plausible.counts(calls ?? 0, known ?? 0) {
      return "an impossible time in interrupts or off the CPU stands"
    }
    if let sketch {
      if let problem = problem(of: sketch) { return problem }
    } else if durationsUs.count != count {
      return "the number of durations (\(durationsUs.count)) is not the number of calls (\(count))"
    }
    if let callees, !callees.isPlausible { return "an impossible callee stands" }
    if let tree, !tree.isPlausibleTree { return "an impossible tree of callees stands" }
    if let timeline, !timeline.isPlausible { return "an impossible timeline stands" }
    return nil
  }

  private func problem(of sketch: AnalysisDocument.Sketch) -> String? {
    guard sketch.binIndexes.count == sketch.binCounts.count else { return "an uneven sketch stands" }
    // None at all is the figures of a summary, which has no sample.
    guard durationsUs.count <= count else { return "a sample larger than its whole stands" }
    let bins = zip(sketch.binIndexes, sketch.binCounts).map { QuantileSketch.Bin(index: $0, count: $1) }
    guard
      let whole = QuantileSketch(
        relativeError: sketch.relativeError, bins: bins, zeroCount: sketch.zeroCount, sum: 0, minimum: 0,
        maximum: 0),
      whole.count == UInt64(count)
    else { return "a sketch that does not hold its calls stands" }
    guard sketch.squaredDeviationsUs2.isFinite, sketch.squaredDeviationsUs2 >= 0,
      sketch.squaredDeviationsUs2 <= 1e300
    else { return "an impossible spread stands" }
    guard let low = minUs, let high = maxUs, let mean = meanUs, Plausible.durations([low, high, mean]),
      low <= high, mean >= low, mean <= high
    else { return "minimum, mean and maximum contradict one another" }
    return nil
  }
}

extension AnalysisDocument.Callees {
  fileprivate var isPlausible: Bool {
    // Self time may be negative as recorded.
    Plausible.counts(parentCalls)
      && Plausible.totals(parentTotalUs, abs(parentSelfUs), parentOffCpuUs ?? 0, parentIrqUs ?? 0)
      && rows.allSatisfy {
        Plausible.counts($0.calls) && Plausible.totals(abs($0.totalUs), abs($0.selfUs))
          && Plausible.totals($0.offCpuUs ?? 0, $0.irqUs ?? 0)
          && (0...Plausible.deepest).contains($0.level)
      }
  }
}

extension [AnalysisDocument.TreeNode] {
  fileprivate var isPlausibleTree: Bool {
    count <= CalleeTree.limit && calleeTree != nil
      && allSatisfy {
        Plausible.counts($0.calls, $0.leftOut) && Plausible.totals(abs($0.totalUs), abs($0.selfUs))
      }
  }
}

extension AnalysisDocument.Timeline {
  fileprivate var isPlausible: Bool {
    Plausible.counts(every) && Plausible.durations(durationsUs) && callTimeline != nil
  }
}
