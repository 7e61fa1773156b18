import Foundation
import FunctionGraph
import Testing
import TraceInput

@testable import Analysis

/// A trace that its reader sums up against the same trace call by call: nothing of the analysis may differ.
@Suite struct TallyAnalysisTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/traces")

  static func traces(endingIn suffix: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
      .filter { $0.hasSuffix(suffix) }.sorted()
  }

  static let traces = traces(endingIn: ".dat")
  static let texts = traces(endingIn: ".txt")

  private func analysis(
    _ name: String, _ request: AnalysisRequest, tallies: Bool, jobs: Int
  ) throws -> TraceAnalysis {
    let path = Self.folder.appendingPathComponent(name).path
    var analyzer = TraceAnalyzer(path: name, request: request, jobs: jobs)
    analyzer.tallies = tallies
    return try analyzer.analyze(SniffedInput(path: path))
  }

  private func text(_ function: FunctionDurations) -> String {
    let sample = function.durations
    let callees = function.callees.map { table in
      "\(table.parentCalls) \(table.parentTotal) \(table.parentSelf)\n"
        + table.rows.map { "\($0)\n" }.joined()
    }
    return """
      \(function.buffer) \(function.function) \(function.complete) \(function.unfinished) \(function.noEntry) \
      \(function.lost) \(function.incomplete) \(function.selfTime) \(function.selfTimeCalls) \(sample.values) \
      \(sample.total) \(sample.minimum) \(sample.maximum) \(sample.mean ?? -1) \
      \(sample.standardDeviation ?? -1) \(sample.quantiles([0.5, 0.99])) \(callees ?? "") \
      \(function.timeline.map { "\($0)" } ?? "") \(function.tree.map { "\($0)" } ?? "")
      """
  }

  /// Functions picked out, of which no self times are wanted: few of a trace's, many, and one that is not there; and those of
  /// some tasks.
  @Test(arguments: traces)
  func sameSelection(name: String) throws {
    func without(_ selfTime: FunctionDurations) -> FunctionDurations {
      var rest = selfTime
      rest.selfTime = 0
      rest.selfTimeCalls = 0
      return rest
    }
    var someTasks = CallFilter()
    someTasks.pids = [0...248]
    for filter in [CallFilter(), someTasks] {
      for patterns in [["vfio_pin_map_dma"], ["*p*"], ["no_such_function"]] {
        let request = AnalysisRequest(
          selection: FunctionSelection(patterns: patterns.map(FunctionPattern.init), all: false),
          filter: filter,
          wantsSelfTime: false)
        let plain = try analysis(name, request, tallies: false, jobs: 1)
        let fast = try analysis(name, request, tallies: true, jobs: 2)
        #expect(fast.functions.map { text(without($0)) } == plain.functions.map { text(without($0)) })
        #expect(text(fast.quality) == text(plain.quality))
        #expect(fast.missing == plain.missing)
        #expect(fast.description == plain.description)
      }
    }
  }

  private func text(_ quality: TraceQuality) -> String {
    """
    \(quality.losses) \(quality.lostEvents) \(quality.diagnostics) \(quality.isNested) \(quality.deepest) \
    \(quality.withoutDuration) \(quality.skipped) \(quality.calls) \(quality.pathsTruncated)
    """
  }

  @Test(arguments: traces)
  func sameAnalysis(name: String) throws {
    for request in [
      AnalysisRequest(selection: FunctionSelection(patterns: [], all: true), wantsCallees: true),
      AnalysisRequest(selection: FunctionSelection(patterns: [], all: true)),
      AnalysisRequest(selection: selection("vfio_pin_map_dma", "iommu_*"), wantsCallees: true),
      AnalysisRequest(selection: FunctionSelection(patterns: [], all: true), wantsTimeline: true),
      AnalysisRequest(
        selection: selection("vfio_pin_map_dma", "iommu_*"), wantsCallees: true, wantsTimeline: true,
        wantsTimeAway: true),
    ] {
      let plain = try analysis(name, request, tallies: false, jobs: 1)
      if request.wantsTimeline {
        // Calls of which the start is known are there.
        let known = plain.functions.count { $0.complete > 0 }
        #expect(plain.functions.count { ($0.timeline?.count ?? 0) > 0 } >= known)
      }
      for jobs in [1, 2] {
        let fast = try analysis(name, request, tallies: true, jobs: jobs)
        #expect(fast.functions.map(text) == plain.functions.map(text))
        #expect(text(fast.quality) == text(plain.quality))
        #expect(fast.missing == plain.missing)
        #expect(fast.description == plain.description)
      }
    }
  }

  @Test func fixturesAreThere() {
    #expect(!Self.traces.isEmpty && !Self.texts.isEmpty)
  }

  /// With the times of calls and without, and where sleep and interrupts are asked for. Most of these are too short to be summed up.
  @Test(arguments: texts)
  func sameAnalysisOfText(name: String) throws {
    for request in [
      AnalysisRequest(selection: FunctionSelection(patterns: [], all: true)),
      AnalysisRequest(selection: selection("vfio_pin_map_dma", "iommu_*")),
      AnalysisRequest(selection: FunctionSelection(patterns: [], all: true), wantsTimeline: true),
      AnalysisRequest(selection: selection("vfio_pin_map_dma", "iommu_*"), wantsTimeline: true),
      AnalysisRequest(
        selection: selection("vfio_pin_map_dma", "iommu_*"), wantsTimeline: true, wantsTimeAway: true),
      AnalysisRequest(
        selection: selection("*"), wantsSelfTime: false, wantsTimeline: true, wantsTimeAway: true),
      AnalysisRequest(
        selection: FunctionSelection(patterns: [], all: true), wantsCallees: true, wantsTimeAway: true),
      AnalysisRequest(
        selection: selection("vfio_pin_map_dma", "iommu_*"), wantsCallees: true, wantsTree: true,
        wantsTimeline: true, wantsTimeAway: true),
    ] {
      guard let plain = try? analysis(name, request, tallies: false, jobs: 1) else { continue }
      let fast = try analysis(name, request, tallies: true, jobs: 2)
      #expect(fast.functions.map(text) == plain.functions.map(text))
      #expect(text(fast.quality) == text(plain.quality))
      #expect(fast.functions.map(\.offCPU) == plain.functions.map(\.offCPU))
      #expect(fast.functions.map(\.interrupts) == plain.functions.map(\.interrupts))
    }
  }

  /// A report of several megabytes: one of the fixtures again and again, each time later.
  private func longReport(_ name: String, times: Int) throws -> URL {
    let lines = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
      .split(separator: "\n")
    var text = ""
    for round in 0..<times {
      for line in lines {
        // `comm-pid [cpu] seconds.microseconds: ...`
        guard let point = line.utf8.firstIndex(of: UInt8(ascii: ".")),
          let blank = line[..<point].lastIndex(of: " "),
          let seconds = Int(line[line.index(after: blank)..<point])
        else {
          if round == 0 { text += line + "\n" }
          continue
        }
        text += line[...blank] + "\(seconds + 100 * round)" + line[point...] + "\n"
      }
    }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).txt")
    try text.write(to: path, atomically: false, encoding: .utf8)
    return path
  }

  /// When its calls began is told by a second look, in which functions have other numbers; what they call by the first one.
  @Test func sameTimelinesOfALongReport() throws {
    let path = try longReport("6.17-nest3-256m-2m.report.txt", times: 12)
    defer { try? FileManager.default.removeItem(at: path) }
    let request = AnalysisRequest(
      selection: selection("vfio_pin_map_dma", "free_pages", "irq_*"), wantsCallees: true, wantsTree: true,
      wantsTimeline: true, wantsTimeAway: true)
    var texts: [[String]] = []
    for tallies in [false, true] {
      var analyzer = TraceAnalyzer(path: "report", request: request, jobs: 2)
      analyzer.tallies = tallies
      let analysis = try analyzer.analyze(SniffedInput(path: path.path))
      #expect(analysis.functions.count > 1)
      #expect(analysis.functions.allSatisfy { $0.count == $0.timeline?.count && $0.count % 12 == 0 })
      #expect(analysis.functions.contains { ($0.callees?.rows.count ?? 0) > 10 })
      texts.append(analysis.functions.map(text) + [text(analysis.quality)])
    }
    #expect(texts[0] == texts[1])
  }

  /// A long run tells how far it is, however its trace is read.
  @Test(arguments: [true, false], ["6.18-nest3-256m-2m.dat", "6.18-fmt-multicpu-zlib-stripped.dat"])
  func progress(tallies: Bool, name: String) throws {
    let path = Self.folder.appendingPathComponent(name).path
    let size = UInt64(try Data(contentsOf: URL(fileURLWithPath: path)).count)
    let told = Guarded<[(read: UInt64, size: UInt64?)]>([])
    var analyzer = TraceAnalyzer(
      path: name, request: AnalysisRequest(selection: FunctionSelection(patterns: [], all: true)), jobs: 2)
    analyzer.tallies = tallies
    _ = try analyzer.analyze(SniffedInput(path: path)) { read, size in
      told.withLock { $0.append((read, size)) }
    }
    told.withLock { told in
      #expect(told.allSatisfy { $0.size == size })
      // Windows over the metadata overlap.
      #expect(told.map(\.read).max() ?? 0 >= size * 9 / 10)
    }
  }

  /// What becomes of more durations than are kept in all does not depend on whether that was foreseen; and where it was
  /// foreseen wrongly, all are kept.
  @Test(arguments: [100, 1_000, 2_000_000], ["6.18-nest3-256m-2m.dat", "6.17-nest3-256m-2m.dat"])
  func crowded(budget: Int, name: String) throws {
    let file = Self.folder.appendingPathComponent(name).path
    var texts: [[String]] = []
    for expected in [UInt64.max, 0] {
      var analyzer = TraceAnalyzer(
        path: name, request: AnalysisRequest(selection: FunctionSelection(patterns: [], all: true)), jobs: 2)
      analyzer.exactBudget = budget
      analyzer.crowdExpected = expected
      let analysis = try analyzer.analyze(SniffedInput(path: file))
      #expect(analysis.quality.calls > 100)
      texts.append(analysis.functions.map { text($0) + " \($0.durations.compared(seed: 1))" })
    }
    #expect(texts[0] == texts[1])
  }

  /// More durations than are kept: what stands for them does not depend on how the trace was divided.
  @Test(arguments: [DurationSample.exactLimit, TraceAnalyzer.crowdedLimit])
  func manyDurations(limit: Int) throws {
    var random = TestGenerator(state: 7)
    let all = (0..<150_000).map { index in
      TimedDuration(duration: Int64(exp(random.uniform() * 18)) - 1, end: UInt64(index) * 1_000)
    }
    func sample(lanes: Int) -> DurationSample {
      let kept = KeptDurations(limit: .max)
      var parts = (0..<lanes).map { lane in
        let durations = LaneDurations(kept)
        let own = all.indices.filter { $0 % lanes == lane }.map { all[$0] }
        var start = 0
        while start < own.count {
          let size = start == 0 ? TimedDuration.firstBatch : TimedDuration.batchSize
          Array(own[start..<min(start + size, own.count)]).withUnsafeBufferPointer {
            durations.add($0, of: lane + 1)
          }
          start += size
        }
        return durations.take(lane + 1)
      }
      var scratch = DurationSample.Scratch()
      return LaneDurations.merged(&parts, limit: limit, &scratch)
    }
    var plain = DurationSample(limit: limit)
    for timed in all { plain.add(timed.duration, resolution: 1) }
    let one = sample(lanes: 1)
    for lanes in [1, 2, 7] {
      let found = sample(lanes: lanes)
      #expect(!found.isExact)
      #expect(found.count == plain.count)
      #expect(found.total == plain.total)
      #expect(found.minimum == plain.minimum)
      #expect(found.maximum == plain.maximum)
      #expect(found.mean == plain.mean)
      #expect(found.zeroResolution == plain.zeroResolution)
      #expect(found.quantiles([0.01, 0.5, 0.9, 0.99]) == plain.quantiles([0.01, 0.5, 0.9, 0.99]))
      let spread = try #require(plain.standardDeviation)
      #expect(abs(try #require(found.standardDeviation) - spread) < 1e-9 * spread)
      #expect(found.compared(seed: 1) == one.compared(seed: 1))
      #expect(found.compared(seed: 1).count == min(limit, DurationSample.comparedLimit))
    }
  }
}

@Suite struct SortedByDigitsTests {
  @Test func sameAsSorted() {
    var random = TestGenerator(state: 3)
    for count in [0, 1, 256, 257, 5_000] {
      for top: Int64 in [1, 2_000, 1 << 22, 1 << 40, .max] {
        let values = (0..<count).map { _ in Int64(truncatingIfNeeded: random.next() >> 1) % top }
        #expect(values.sortedByDigits() == values.sorted())
        #expect((values + [top, -1, 0]).sortedByDigits() == (values + [top, -1, 0]).sorted())
      }
    }
  }
}
