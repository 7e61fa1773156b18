import FunctionGraph
import Testing

@testable import Analysis

@Suite("What drawings are made of")
struct DrawingTests {
  @Test(
    "A timeline keeps every call, then every second, fourth, ... one", arguments: [1, 7, 8, 9, 100, 1_000])
  func timeline(_ count: Int) {
    var timeline = CallTimeline(limit: 8)
    for call in 0..<count { timeline.add(.nanoseconds(UInt64(1_000 + call)), Int64(call)) }
    #expect(timeline.count <= 8)
    #expect(timeline.every == (count <= 8 ? 1 : timeline.every))
    #expect(timeline.starts == (0..<timeline.count).map { UInt64(1_000 + $0 * timeline.every) })
    #expect(timeline.durations == (0..<timeline.count).map { Int64($0 * timeline.every) })
    // No call that has its turn is missing.
    #expect(timeline.count == (count + timeline.every - 1) / timeline.every)
  }

  @Test("Calls without a time, and ticks among nanoseconds, have no place")
  func times() {
    var timeline = CallTimeline()
    timeline.add(.none, 1)
    timeline.add(.raw(5), 2)
    timeline.add(.nanoseconds(6), 3)
    #expect(timeline.starts == [5] && timeline.durations == [2] && !timeline.startsAreTime)
  }

  @Test("Points are in the order in which the calls began; their trend is of consecutive ones")
  func trend() {
    var timeline = CallTimeline()
    // The order in which nested calls end.
    for start in [3, 1, 2, 0] as [UInt64] { timeline.add(.nanoseconds(100 + start), Int64(start)) }
    #expect(CallTimeline.points([timeline]).map(\.offset) == [0, 1, 2, 3])
    #expect(CallTimeline.trend(CallTimeline.points([timeline])).isEmpty)
    let points = (0..<20).map { CallTimeline.Point(offset: Double($0), duration: $0 < 10 ? 9 : 5) }
    let trend = CallTimeline.trend(points, most: 2)
    #expect(trend == [.init(offset: 4.5, duration: 9), .init(offset: 14.5, duration: 5)])
  }

  @Test("All functions together stay within memory")
  func budget() {
    let kept = (0..<TraceAnalyzer.functionsLimit).reduce(0) { $0 + CallTimeline.limit(beside: $1) }
    #expect(kept * 16 < 64 << 20)
    #expect(CallTimeline.limit(beside: 0) == CallTimeline.limit)
  }

  @Test("Shared ranges by hand")
  func sharedHistogram() throws {
    let linear = try #require(SharedHistogram([[0, 1, 4.9], [5, 10]], bins: 2))
    #expect(linear.counts == [[3, 0], [0, 2]] && !linear.isLogarithmic)
    let logarithmic = try #require(SharedHistogram([[1, 9], [11, 100]], bins: 2))
    #expect(logarithmic.counts == [[2, 0], [0, 2]] && logarithmic.isLogarithmic)
    #expect(SharedHistogram([[3, 3], [3]], bins: 4) == nil)
    #expect(SharedHistogram([[], []], bins: 4) == nil)
  }

  @Test("A baseline keeps timeline and tree")
  func stored() throws {
    var function = FunctionDurations("f", [1_500, 2_500])
    function.timeline = CallTimeline()
    function.timeline?.add(.nanoseconds(7), 1_500)
    function.timeline?.add(.nanoseconds(1 << 60), 2_500)
    function.tree = CalleeTree(
      nodes: [
        .init(function: FunctionName(symbol: "f"), parent: 0, calls: 2, total: 4_000, selfTime: 1_000),
        .init(
          function: FunctionName(symbol: "g", module: "m"), parent: 0, calls: 3, total: 3_000, selfTime: -5,
          leftOut: 2),
      ])
    let document = AnalysisDocument(
      tool: .init(name: "pinstat", version: "0"), functionsSelected: ["f"], size: nil, pageSize: nil,
      backing: nil,
      recorded: nil, filters: [],
      traces: [.init(TraceAnalysis("t", [function]), size: nil, warnings: [])])
    let read = try AnalysisDocument(baseline: document.encoded()).traces[0].analysis().functions[0]
    #expect(read.timeline?.starts == function.timeline?.starts)
    #expect(read.timeline?.durations == function.timeline?.durations)
    #expect(read.tree == function.tree)
    // What cannot be is refused.
    var spoilt = document
    spoilt.traces[0].functions[0].tree?[1].parent = 1
    #expect(throws: BaselineError.self) { _ = try AnalysisDocument(baseline: spoilt.encoded()) }
    spoilt = document
    spoilt.traces[0].functions[0].timeline?.starts.removeLast()
    #expect(throws: BaselineError.self) { _ = try AnalysisDocument(baseline: spoilt.encoded()) }
    spoilt = document
    spoilt.traces[0].functions[0].timeline?.every = 0
    #expect(throws: BaselineError.self) { _ = try AnalysisDocument(baseline: spoilt.encoded()) }
  }
}
