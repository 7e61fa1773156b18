import Foundation
import FunctionGraph
import Testing

@testable import Analysis

@Suite("The stored form of an analysis")
struct BaselineTests {
  private func document(_ traces: [TraceAnalysis], size: UInt64? = nil) -> AnalysisDocument {
    AnalysisDocument(
      tool: .init(name: "pinstat", version: "0"), functionsSelected: ["f"], size: size, pageSize: nil,
      backing: nil,
      recorded: nil, filters: [], traces: traces.map { .init($0, size: size, warnings: []) })
  }

  private func stored(_ analysis: TraceAnalysis) throws -> TraceAnalysis {
    let read = try AnalysisDocument(baseline: document([analysis]).encoded())
    return try #require(read.traces.first).analysis()
  }

  @Test("All durations come back to the nanosecond, in their order")
  func exact() throws {
    let durations: [Int64] = [33_813_703, 1, 999, 0, 1_000_000_007, 123_456_789_012_345, 33_813_703]
    var analysis = TraceAnalysis(
      "a \"trace\".dat", [FunctionDurations("f.isra.0", durations, buffer: "b", module: "m")])
    analysis.description.kernelRelease = "6.17"
    analysis.description.cpuCount = 8
    analysis.description.buffers[0].clock = "x86-tsc"
    analysis.description.buffers[0].timestampsAreTime = false
    analysis.description.buffers[0].overrun = 12
    analysis.quality.losses = 3
    analysis.quality.lostEvents = .max
    analysis.quality.isNested = true
    analysis.quality.deepest = 4
    analysis.functions[0].unfinished = 2
    analysis.functions[0].incomplete = 2
    analysis.functions[0].callees = CalleeTable(
      parentCalls: 7, parentTotal: 12_345, parentSelf: -7,
      rows: [
        .init(function: FunctionName(symbol: "g", module: "m"), calls: 9, total: 77, selfTime: -1, level: 2)
      ])
    let back = try stored(analysis)
    #expect(back.path == analysis.path)
    #expect(back.description.kernelRelease == "6.17")
    #expect(back.description.cpuCount == 8)
    #expect(back.description.buffers == analysis.description.buffers)
    #expect((back.quality.losses, back.quality.lostEvents) == (3, .max))
    #expect(back.quality.isNested && back.quality.deepest == 4)
    let function = try #require(back.functions.first)
    #expect(function.function == FunctionName(symbol: "f.isra.0", module: "m"))
    #expect(function.buffer == "b")
    #expect(function.durations.values == durations)
    #expect(function.durations.total == durations.reduce(0, +))
    #expect(
      function.durations.quantiles([0.5, 0.99]) == analysis.functions[0].durations.quantiles([0.5, 0.99]))
    #expect((function.unfinished, function.incomplete) == (2, 2))
    #expect(function.callees?.rows == analysis.functions[0].callees?.rows)
    #expect(function.callees?.parentSelf == -7)
  }

  @Test("A resolution comes back, that of zeros apart")
  func resolution() throws {
    var sample = DurationSample()
    sample.add(0, resolution: 10)
    sample.add(7_000_000, resolution: 1_000)
    var analysis = TraceAnalysis("t", [FunctionDurations("f", [])])
    analysis.functions[0].durations = sample
    let back = try #require(try stored(analysis).functions.first).durations
    #expect((back.resolution, back.zeroResolution) == (1_000, 10))
    #expect(back.compared(seed: 0) == [5, 7_000_000])
  }

  @Test("A sketch comes back with its figures and its sample")
  func sketch() throws {
    let analysis = TraceAnalysis("t", [FunctionDurations("f", (1...120_001).map { Int64($0) * 17 })])
    let sample = analysis.functions[0].durations
    let back = try #require(try stored(analysis).functions.first).durations
    #expect(!back.isExact)
    #expect((back.count, back.total) == (sample.count, sample.total))
    #expect((back.minimum, back.maximum) == (sample.minimum, sample.maximum))
    #expect(back.quantiles([0, 0.01, 0.5, 0.9, 0.99, 1]) == sample.quantiles([0, 0.01, 0.5, 0.9, 0.99, 1]))
    #expect(back.compared(seed: 3) == sample.compared(seed: 3))
    #expect(abs((back.standardDeviation ?? 0) / (sample.standardDeviation ?? 1) - 1) < 1e-12)
    #expect(abs((back.mean ?? 0) / (sample.mean ?? 1) - 1) < 1e-12)
  }

  @Test("A sketch without a sample, as of a summary, has figures but no calls")
  func sketchAlone() throws {
    var sums = DurationSums()
    #expect(sums.merge(try #require(DurationSample((1...500).map { Int64($0) * 17 }).sums)))
    var analysis = TraceAnalysis("t", [FunctionDurations("f", [])])
    analysis.functions[0].durations = DurationSample(sums)
    let back = try #require(try stored(analysis).functions.first).durations
    #expect(!back.isExact && !back.hasCalls)
    #expect((back.count, back.total, back.minimum, back.maximum) == (500, 17 * 125_250, 17, 8_500))
    #expect(back.quantile(0.5) == sums.quantile(0.5))
  }

  @Test("Equal analyses are equal files, and reading and writing again changes nothing")
  func stability() throws {
    let analysis = TraceAnalysis("t", [FunctionDurations("f", [3, 1, 2]), FunctionDurations("g", [])])
    let first = try document([analysis], size: 1 << 30).encoded()
    #expect(try document([analysis], size: 1 << 30).encoded() == first)
    let again = try AnalysisDocument(baseline: first).encoded()
    #expect(again == first)
  }

  @Test("The columns' names and units are those of the contract")
  func keys() throws {
    let data = try document([TraceAnalysis("t", [FunctionDurations("f", [33_813_703])])], size: 1 << 33)
      .encoded()
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["schema"] as? String == "pinstat/analysis/1")
    let trace = try #require((object["traces"] as? [[String: Any]])?.first)
    let function = try #require((trace["functions"] as? [[String: Any]])?.first)
    #expect(function["p50_us"] as? Double == 33_813.703)
    #expect(function["durations_us"] as? [Double] == [33_813.703])
    #expect(function["stddev_us"] == nil)
    #expect(abs((function["throughput_gib_s"] as? Double ?? 0) - 8 / 0.033813703) < 1e-9)
  }

  // MARK: Hostile files

  /// A good document with one value replaced, by its path.
  private func spoilt(_ path: String, _ value: Any?, sketched: Bool = false) throws -> Data {
    let durations: [Int64] = sketched ? (1...100_001).map { Int64($0) } : [1_000, 2_000]
    var analysis = TraceAnalysis("t", [FunctionDurations("f", durations), FunctionDurations("g", [5])])
    analysis.functions[0].callees = CalleeTable(
      parentCalls: 1, parentTotal: 1, parentSelf: 1,
      rows: [.init(function: FunctionName(symbol: "c"), calls: 1, total: 1, selfTime: 1, level: 1)])
    func replacing(_ keys: ArraySlice<String>, in node: Any) -> Any {
      guard let key = keys.first else { return value ?? NSNull() }
      if var list = node as? [Any], let index = Int(key) {
        list[index] = replacing(keys.dropFirst(), in: list[index])
        return list
      }
      guard var object = node as? [String: Any] else { return node }
      if keys.count == 1, value == nil {
        object[key] = nil
      } else {
        object[key] = replacing(keys.dropFirst(), in: object[key] ?? NSNull())
      }
      return object
    }
    let good = try JSONSerialization.jsonObject(with: document([analysis]).encoded())
    return try JSONSerialization.data(
      withJSONObject: replacing(path.split(separator: ".").map(String.init)[...], in: good))
  }

  struct Spoiling: Sendable, CustomTestStringConvertible {
    enum Value: Sendable {
      case none
      case integer(Int)
      case number(Double)
      case text(String)
      case integers([Int])
      case numbers([Double])
      case empty
      var any: Any? {
        switch self {
        case .none: nil
        case .integer(let value): value
        case .number(let value): value
        case .text(let value): value
        case .integers(let value): value
        case .numbers(let value): value
        case .empty: [Any]()
        }
      }
    }
    var path: String
    var value: Value
    var sketched = false
    var testDescription: String { "\(path) = \(value)" }

    private static let function = "traces.0.functions.0."
    static let all: [Spoiling] =
      [
        Spoiling(path: "schema", value: .text("pinstat/analysis/2")), Spoiling(path: "schema", value: .none),
        Spoiling(path: "schema", value: .integer(1)), Spoiling(path: "traces", value: .empty),
        Spoiling(path: "traces", value: .none), Spoiling(path: "traces", value: .text("x")),
        Spoiling(path: "traces.0.quality", value: .none), Spoiling(path: "traces.0.path", value: .integer(3)),
        Spoiling(path: "traces.0.quality.calls", value: .integer(-1)),
        Spoiling(path: "traces.0.quality.losses", value: .integer(.max)),
        Spoiling(path: "traces.0.quality.skipped", value: .integer(.max)),
        Spoiling(path: "traces.0.quality.deepest", value: .integer(Int(Int32.max))),
        Spoiling(path: "traces.0.quality.deepest", value: .integer(.max)),
        Spoiling(path: "traces.0.quality.lost_events", value: .integer(-1)),
        Spoiling(path: function + "count", value: .integer(3)),
        Spoiling(path: function + "count", value: .integer(-2)),
        Spoiling(path: function + "count", value: .number(1e300)),
        Spoiling(path: function + "durations_us", value: .numbers([-1, 2])),
        Spoiling(path: function + "durations_us", value: .numbers([1e300, 2])),
        Spoiling(path: function + "durations_us", value: .numbers([1])),
        Spoiling(path: function + "durations_us", value: .none),
        Spoiling(path: function + "durations_us.0", value: .text("NaN")),
        Spoiling(path: function + "durations_us.0", value: .none),
        Spoiling(path: function + "total_us", value: .number(1e300)),
        Spoiling(path: function + "total_us", value: .number(-1)),
        Spoiling(path: function + "resolution_us", value: .number(-1)),
        Spoiling(path: function + "zero_resolution_us", value: .number(1e200)),
        Spoiling(path: function + "callees.parent_calls", value: .integer(.max)),
        Spoiling(path: function + "callees.rows.0.calls", value: .integer(.max)),
        Spoiling(path: function + "callees.rows.0.calls", value: .integer(-1)),
        Spoiling(path: function + "callees.rows.0.total_us", value: .number(1e300)),
        Spoiling(path: function + "callees.rows.0.level", value: .integer(.min)),
        Spoiling(path: function + "sketch.bin_indexes", value: .integers([1]), sketched: true),
        Spoiling(path: function + "sketch.bin_indexes.0", value: .integer(.max), sketched: true),
        Spoiling(path: function + "sketch.bin_indexes.0", value: .integer(.min), sketched: true),
        Spoiling(path: function + "sketch.bin_counts.0", value: .integer(-1), sketched: true),
        Spoiling(path: function + "sketch.bin_counts.0", value: .integer(.max), sketched: true),
        Spoiling(path: function + "sketch.zero_count", value: .integer(.max), sketched: true),
        Spoiling(path: function + "sketch.squared_deviations_us2", value: .number(-1), sketched: true),
        Spoiling(path: function + "sketch.squared_deviations_us2", value: .number(1e308), sketched: true),
        Spoiling(path: function + "min_us", value: .number(1e9), sketched: true),
        Spoiling(path: function + "min_us", value: .none, sketched: true),
        Spoiling(path: function + "mean_us", value: .number(-5), sketched: true),
        Spoiling(path: function + "max_us", value: .number(1e300), sketched: true),
      ]
      + ["incomplete", "complete", "unfinished", "no_entry", "lost"].flatMap { key in
        [-1, Int.max].map { Spoiling(path: function + key, value: .integer($0)) }
      }
  }

  @Test("A value that no analysis has is refused", arguments: Spoiling.all)
  func spoilt(_ spoiling: Spoiling) throws {
    let data = try spoilt(spoiling.path, spoiling.value.any, sketched: spoiling.sketched)
    #expect { _ = try AnalysisDocument(baseline: data) } throws: {
      ($0 as? BaselineError)?.detail.isEmpty == false
    }
  }

  @Test(
    "An unspoilt document is taken, so that it is the spoiling that is refused", arguments: [false, true])
  func unspoilt(sketched: Bool) throws {
    let data = try spoilt("tool.name", "pinstat", sketched: sketched)
    #expect(try AnalysisDocument(baseline: data).traces.count == 1)
  }

  @Test(
    "What is no JSON at all is refused",
    arguments: [
      "", "{", "{}", "[]", "null", "{\"schema\":\"pinstat/analysis/1\"}", "{\"schema\":NaN}", "\u{0}",
      "{\"schema\":\"pinstat/analysis/1\",\"traces\":[{\"functions\":[{\"count\":1e999}]}]}",
      String(repeating: "[", count: 200_000), String(repeating: "{\"a\":", count: 200_000),
      "{\"schema\":\"pinstat/analysis/1\",\"schema\":\"x\",\"traces\":[]}", "{\"schema\":\"\\ud800\"}",
    ])
  func garbage(_ text: String) {
    #expect(throws: BaselineError.self) { try AnalysisDocument(baseline: Data(text.utf8)) }
  }

  @Test("A document cut short anywhere is refused")
  func truncated() throws {
    let whole = try document([TraceAnalysis("t", [FunctionDurations("f", [1, 2, 3])])]).encoded()
    for length in 0..<whole.count {
      #expect(throws: BaselineError.self) { try AnalysisDocument(baseline: whole.prefix(length)) }
    }
  }

  @Test("A document with any byte changed is read or refused, and what is read can be compared and written")
  func mutated() throws {
    var random = TestGenerator(state: 4)
    let whole = try document([TraceAnalysis("t", [FunctionDurations("f", [1_000, 2_000, 3_000])])]).encoded()
    var read = 0
    for _ in 0..<3_000 {
      var bytes = whole
      for _ in 0...random.roll(3) { bytes[random.roll(bytes.count)] = UInt8(32 + random.roll(95)) }
      guard let document = try? AnalysisDocument(baseline: bytes) else { continue }
      read += 1
      _ = try document.encoded()
      let side = ComparedSide(runs: document.traces.map { $0.analysis() })
      _ = try? Comparator(
        selection: FunctionSelection(patterns: [], all: true), request: ComparisonRequest()
      ).compare(side, side)
    }
    #expect(read > 50)
  }

  @Test("The greatest counts that are taken do not overflow where they are summed")
  func greatest() throws {
    var analysis = TraceAnalysis("t", [])
    for name in ["f", "f.isra.0", "f.constprop.0"] {
      var function = FunctionDurations(name, [1, 2])
      function.unfinished = 1_000_000_000_000
      function.incomplete = 1_000_000_000_000
      function.callees = CalleeTable(
        parentCalls: 1_000_000_000_000, parentTotal: .max / 2, parentSelf: 0,
        rows: [
          .init(
            function: FunctionName(symbol: "c"), calls: 1_000_000_000_000, total: .max / 2, selfTime: 0,
            level: 1)
        ])
      analysis.functions.append(function)
    }
    let back = try stored(analysis)
    let side = ComparedSide(runs: [back, back, back, back])
    let comparison = try Comparator(selection: selection("f"), request: ComparisonRequest()).compare(
      side, side)
    #expect(comparison.functions.map(\.before.incomplete) == [12_000_000_000_000])
  }
}
