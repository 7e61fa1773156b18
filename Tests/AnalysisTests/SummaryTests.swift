import Foundation
import FunctionGraph
import Statistics
import Testing

@testable import Analysis

@Suite("Summaries that add up")
struct SummaryTests {
  static let kernels = ["6.17.13", "6.18.15"]

  /// A trace of some functions with random durations; `index` decides on everything.
  static func trace(_ index: Int, calls: Int = 30) -> TraceAnalysis {
    var random = TestGenerator(state: UInt64(index) &* 77 &+ 1)
    var functions: [FunctionDurations] = []
    for name in ["f", "g.isra.0", "h"] where random.roll(4) > 0 {
      let durations = (0..<1 + random.roll(calls)).map { _ in
        Int64(random.roll(1 << (5 + random.roll(25))))
      }
      var function = FunctionDurations(name, durations)
      function.complete = durations.count
      function.unfinished = random.roll(3)
      function.incomplete = function.unfinished
      functions.append(function)
    }
    var analysis = TraceAnalysis("trace\(index).dat", functions)
    analysis.host = "host\(index / 2)"
    analysis.description.kernelRelease = kernels[index % 2]
    analysis.quality.losses = random.roll(10) == 0 ? 1 : 0
    return analysis
  }

  private func merged(_ parts: [TraceSummary], limit: Int = KeptRunsLimit.usual) throws -> TraceSummary {
    var result = TraceSummary(rowLimit: limit)
    for part in parts { try result.merge(part) }
    return result
  }

  private enum KeptRunsLimit { static let usual = TraceSummary.KeptRuns.defaultLimit }

  /// All that is the same in whatever order, as text; the sum of squared deviations apart.
  private func exact(_ summary: TraceSummary) throws -> String {
    var document = SummaryDocument(summary, tool: .init(name: "pinstat", version: "0"))
    for index in document.functions.indices {
      document.functions[index].squaredDeviationsNs2 = 0
      document.functions[index].stddevUs = nil
    }
    return String(decoding: try document.encoded(), as: UTF8.self)
  }

  private func expectEqual(_ a: TraceSummary, _ b: TraceSummary) throws {
    #expect(try exact(a) == exact(b))
    for (key, function) in a.functions {
      let other = try #require(b.functions[key])
      let scale = max(function.sums.squaredDeviations, 1)
      #expect(abs(function.sums.squaredDeviations - other.sums.squaredDeviations) <= 1e-12 * scale)
    }
  }

  @Test("Merging is commutative and associative", arguments: 1...25 as ClosedRange<UInt64>)
  func order(seed: UInt64) throws {
    var random = TestGenerator(state: seed)
    let limit = [TraceSummary.KeptRuns.defaultLimit, 40, 7, 1][random.roll(4)]
    let parts = (0..<24).map { TraceSummary(Self.trace($0 + Int(seed) * 100)) }
    let straight = try merged(parts, limit: limit)

    var shuffled = parts
    for index in shuffled.indices.reversed() { shuffled.swapAt(index, random.roll(index + 1)) }
    try expectEqual(try merged(shuffled, limit: limit), straight)

    // A random tree of merges, through the written form now and then.
    var forest = shuffled.map { part -> TraceSummary in (try? merged([part], limit: limit)) ?? part }
    while forest.count > 1 {
      let left = forest.remove(at: random.roll(forest.count))
      let right = forest.remove(at: random.roll(forest.count))
      var sum = try merged([left, right], limit: limit)
      if random.roll(3) == 0 { sum = try stored(sum, limit: limit) }
      forest.append(sum)
    }
    try expectEqual(forest[0], straight)
  }

  private func stored(_ summary: TraceSummary, limit: Int = KeptRunsLimit.usual) throws -> TraceSummary {
    let line = try SummaryDocument(summary, tool: .init(name: "pinstat", version: "0")).encoded()
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(SummaryDocument.self, from: line).summary(rowLimit: limit)
  }

  @Test("Nothing and a summary are that summary, and writing and reading changes nothing")
  func neutral() throws {
    let summary = try merged((0..<9).map { TraceSummary(Self.trace($0)) })
    try expectEqual(try merged([TraceSummary(), summary, TraceSummary()]), summary)
    try expectEqual(try stored(summary), summary)
  }

  @Test("The whole is what one analysis of all calls says, quantiles within the stated error")
  func whole() throws {
    let traces = (0..<60).map { Self.trace($0, calls: 400) }
    let summary = try merged(traces.map { TraceSummary($0) })
    for kernel in Self.kernels {
      for name in ["f", "g.isra.0", "h"] {
        let all = traces.filter { $0.description.kernelRelease == kernel }.flatMap(\.functions)
          .filter { $0.function.symbol == name }
        let values = all.flatMap(\.durations.values)
        let found = try #require(summary.functions[.init(kernel: kernel, function: name, module: "")])
        #expect(found.runs == all.count)
        #expect(found.sums.count == values.count)
        #expect(found.sums.total == values.reduce(0, +))
        #expect(found.sums.minimum == values.min())
        #expect(found.sums.maximum == values.max())
        #expect(found.unfinished == all.reduce(0) { $0 + $1.unfinished })
        let one = FunctionDurations(name, values).durations
        #expect(abs((found.sums.standardDeviation ?? 0) / (one.standardDeviation ?? 1) - 1) < 1e-9)
        let sorted = values.sorted()
        for p in [0.01, 0.1, 0.25, 0.5, 0.9, 0.99] {
          let exact = Double(sorted[Int(p * Double(sorted.count - 1))])
          let error = abs((found.sums.quantile(p) ?? -1) - exact)
          #expect(error <= exact * QuantileSketch.defaultRelativeError * (1 + 1e-9))
        }
      }
    }
  }

  @Test("A sample of the runs is kept where there are too many, and it is a fair one")
  func sample() throws {
    var kept = [0, 0]
    for round in 0..<20 {
      let parts = (0..<100).map { index -> TraceSummary in
        var trace = Self.trace(index + round * 1_000)
        trace.host = index % 2 == 0 ? "a\(index)" : "b\(index)"
        return TraceSummary(trace)
      }
      let summary = try merged(parts, limit: 120)
      let runs = summary.runs.sorted
      #expect(runs.reduce(0) { $0 + 1 + $1.rows.count } <= 120)
      #expect(summary.runCount == 100 && runs.count > 20 && !summary.runs.isComplete)
      for run in runs { kept[run.host.hasPrefix("a") ? 0 : 1] += 1 }
    }
    // 20 rounds of some 36 runs: half of either kind, four standard deviations of a binomial allowed.
    #expect(abs(Double(kept[0] - kept[1])) < 4 * Double(kept[0] + kept[1]).squareRoot())
  }

  @Test("The same summary twice is noticed")
  func duplicates() throws {
    let parts = (0..<5).map { TraceSummary(Self.trace($0)) }
    #expect(try merged(parts).runs.duplicates.isEmpty)
    #expect(try merged(parts + [parts[3]]).runs.duplicates.map(\.path) == ["trace3.dat"])
  }

  @Test("Failures are kept with their errors, up to a limit and whatever the order")
  func failures() throws {
    let parts = (0..<3_000).map {
      TraceSummary(failure: .init(host: "h", path: "t\(($0 * 7919) % 3_000)", error: "bad"))
    }
    let summary = try merged(parts)
    #expect(summary.failedCount == 3_000)
    #expect(summary.failures.sorted.count == TraceSummary.KeptFailures.limit)
    #expect(try exact(merged(parts.reversed())) == exact(summary))
  }

  @Test("Sketches of other relative errors are refused, and nothing is changed")
  func otherError() throws {
    let other = TraceSummary(Self.trace(1))
    let key = try #require(other.functions.keys.first)
    var odd = TraceSummary.Function()
    var sums = DurationSums()
    sums.count = 1
    sums.sketch = QuantileSketch(relativeError: 0.02)
    sums.sketch.add(5)
    odd.sums = sums
    var summary = TraceSummary()
    let added = summary.add(odd, at: key)
    #expect(added)
    #expect(throws: SummaryError.self) { try summary.merge(other) }
    #expect(summary.runCount == 0 && summary.functions.count == 1)
  }

  // MARK: Comparing

  private func side(_ summary: TraceSummary, _ names: String...) -> ComparedSide {
    ComparedSide(runs: summary.hosts(path: "fleet.json", selection(names[0])))
  }

  private func fleet(_ hosts: Int, factor: Int64, kernel: String, tracesAHost: Int = 1) throws -> TraceSummary
  {
    try merged(
      (0..<hosts * tracesAHost).map { index in
        let base = Int64(1_000 + 13 * (index / tracesAHost) + index % tracesAHost)
        var trace = TraceAnalysis(
          "t\(index)", [FunctionDurations("f", [base * factor, base * factor * 2, base * factor * 3])])
        trace.host = "host\(index / tracesAHost)"
        trace.description.kernelRelease = kernel
        return TraceSummary(trace)
      })
  }

  @Test("Hosts are the samples, with the verdict that their traces give")
  func compared() throws {
    let before = try fleet(12, factor: 3, kernel: "a")
    let after = try fleet(12, factor: 1, kernel: "b")
    for metric in Metric.allCases {
      var request = ComparisonRequest()
      request.metric = metric
      let comparator = Comparator(selection: selection("f"), request: request)
      let result = try comparator.compare(side(before, "f"), side(after, "f"))
      let function = try #require(result.functions.first)
      // The same out of the traces themselves.
      func traces(_ factor: Int64) -> ComparedSide {
        ComparedSide(
          runs: (0..<12).map { index in
            let base = Int64(1_000 + 13 * index)
            return TraceAnalysis(
              "t\(index)", [FunctionDurations("f", [base * factor, base * factor * 2, base * factor * 3])])
          })
      }
      let exact = try #require(try comparator.compare(traces(3), traces(1)).functions.first)
      #expect(function.unit == .run && function.before.runs == 12 && function.before.calls == 36)
      #expect(function.before.samples.sorted() == exact.before.samples.sorted())
      #expect(function.speedup == exact.speedup && function.interval == exact.interval)
      #expect(function.pValue == exact.pValue && function.verdict == exact.verdict)
      #expect(function.before.total == exact.before.total)
      #expect(abs(function.before.median / exact.before.median - 1) < 0.011)
    }
  }

  @Test("Several traces of a host are one sample")
  func hosts() throws {
    let before = try fleet(5, factor: 2, kernel: "a", tracesAHost: 3)
    let after = try fleet(5, factor: 1, kernel: "b", tracesAHost: 3)
    let result = try Comparator(selection: selection("f"), request: ComparisonRequest()).compare(
      side(before, "f"), side(after, "f"))
    let function = try #require(result.functions.first)
    #expect((function.before.runs, function.before.calls) == (5, 45))
    #expect(function.before.samples.first == Double(2 * 2 * 1_001))
  }

  @Test("One host a side has figures but no test over calls, and says so")
  func oneHost() throws {
    let result = try Comparator(selection: selection("f"), request: ComparisonRequest()).compare(
      side(try fleet(1, factor: 2, kernel: "a"), "f"), side(try fleet(1, factor: 1, kernel: "b"), "f"))
    let function = try #require(result.functions.first)
    #expect(function.unit == .run && function.speedup == 2 && function.verdict == .unclear)
    #expect(function.pValue == nil && function.notes.contains(.callsMissing))
  }

  @Test("A host without the function is no sample; where none has it, it is missing")
  func missing() throws {
    var before = try fleet(6, factor: 2, kernel: "a")
    var other = TraceAnalysis("t", [FunctionDurations("g", [5])])
    other.host = "odd"
    try before.merge(TraceSummary(other))
    let after = try fleet(6, factor: 1, kernel: "b")
    let comparator = Comparator(selection: selection("f"), request: ComparisonRequest())
    #expect(try comparator.compare(side(before, "f"), side(after, "f")).functions.first?.before.runs == 6)
    let wanted = Comparator(selection: selection("g"), request: ComparisonRequest())
    #expect(throws: ComparisonError.self) { try wanted.compare(side(before, "g"), side(after, "g")) }
  }

  @Test("Gates do not decide where a host may lack calls")
  func lossy() throws {
    var before = try fleet(6, factor: 2, kernel: "a")
    var trace = TraceAnalysis("t", [FunctionDurations("f", [4_000])])
    trace.host = "lossy"
    trace.quality.losses = 1
    try before.merge(TraceSummary(trace))
    var request = ComparisonRequest()
    request.gates = Gates(maxSlowdown: 0.05)
    let result = try Comparator(selection: selection("f"), request: request).compare(
      side(try stored(before), "f"), side(try fleet(6, factor: 1, kernel: "b"), "f"))
    #expect(result.gate == .undecided)
    let said = result.notes.contains {
      if case .summarized(.before, _, 7, 7, 0, 1) = $0 { true } else { false }
    }
    #expect(said)
  }

  // MARK: Hostile files

  @Test(
    "A line with any byte changed is read or refused, and what is read can be merged, compared and written")
  func mutated() throws {
    var random = TestGenerator(state: 11)
    let good = try fleet(3, factor: 1, kernel: "a")
    let line = try SummaryDocument(good, tool: .init(name: "pinstat", version: "0")).encoded()
    var read = 0
    for _ in 0..<2_000 {
      var bytes = line
      for _ in 0...random.roll(2) { bytes[random.roll(bytes.count)] = UInt8(32 + random.roll(95)) }
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      guard let document = try? decoder.decode(SummaryDocument.self, from: bytes),
        let summary = try? document.summary()
      else { continue }
      read += 1
      var sum = good
      try? sum.merge(summary)
      try? sum.merge(summary)
      _ = try exact(sum)
      let side = ComparedSide(runs: sum.hosts(path: "x", FunctionSelection(patterns: [], all: true)))
      _ = try? Comparator(
        selection: FunctionSelection(patterns: [], all: true), request: ComparisonRequest()
      ).compare(side, side)
    }
    #expect(read > 50)
  }

  static let spoilings: [(String, String)] = [
    ("\"run_count\":3", "\"run_count\":-1"), ("\"run_count\":3", "\"run_count\":1"),
    ("\"run_count\":3", "\"run_count\":9223372036854775807"), ("\"ddsketch\":\"C", "\"ddsketch\":\"!"),
    ("\"ddsketch\":\"C", "\"ddsketch\":\"D"), ("\"total_ns\":", "\"total_ns\":-"),
    ("\"total_ns\":", "\"total_ns\":999999999"), ("\"min_ns\":", "\"min_ns\":99999999999"),
    ("\"squared_deviations_ns2\":", "\"squared_deviations_ns2\":-"),
    ("\"median_ns\":", "\"median_ns\":9999999999999"), ("\"failed_count\":0", "\"failed_count\":-1"),
    ("\"incomplete\":", "\"incomplete\":-1"), ("\"losses\":", "\"losses\":-1"),
  ]

  @Test("A figure that no summary has is refused", arguments: spoilings.indices)
  func refused(_ index: Int) throws {
    let (old, new) = Self.spoilings[index]
    let good = try merged((0..<3).map { TraceSummary(Self.trace($0)) })
    let text = String(
      decoding: try SummaryDocument(good, tool: .init(name: "pinstat", version: "0")).encoded(), as: UTF8.self
    )
    let place = try #require(text.range(of: old))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    #expect(throws: (any Error).self) {
      _ = try decoder.decode(
        SummaryDocument.self, from: Data(text.replacingCharacters(in: place, with: new).utf8)
      ).summary()
    }
  }

  @Test(
    "Names of hosts out of uname",
    arguments: [
      ("Linux web7 6.17.13 #1 SMP x86_64", "web7"), ("Linux (none) 6.17.13 x86_64", ""), ("", ""),
      ("Linux localhost 6.1 x86_64", ""), ("Linux", ""), ("web7 6.17 x86_64 GNU", ""),
    ])
  func host(uname: String, name: String) {
    #expect(hostName(ofUname: uname) == name)
  }
}
