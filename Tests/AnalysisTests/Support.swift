import FunctionGraph
import Statistics
import TraceInput

@testable import Analysis

/// Random numbers that are the same in every run.
struct TestGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
  }

  mutating func roll(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) / 9_007_199_254_740_992 }
  /// Normal, by twelve uniforms: good enough for noise.
  mutating func normal() -> Double { (0..<12).reduce(0) { sum, _ in sum + uniform() } - 6 }
}

extension DurationSample {
  init(_ durations: [Int64], resolution: UInt32 = 1, limit: Int = DurationSample.exactLimit) {
    self.init(limit: limit)
    for duration in durations { add(duration, resolution: resolution) }
  }
}

extension FunctionDurations {
  init(
    _ symbol: String, _ durations: [Int64], resolution: UInt32 = 1, buffer: String = "", module: String = ""
  ) {
    self.init(
      buffer: buffer, function: FunctionName(symbol: symbol, module: module),
      durations: DurationSample(durations, resolution: resolution))
    complete = durations.count
  }
}

extension TraceAnalysis {
  /// A run of some functions.
  init(_ path: String, _ functions: [FunctionDurations]) {
    self.init(
      path: path, description: TraceDescription(format: .traceDat(version: 7, compression: "none")),
      functions: functions, quality: TraceQuality(), missing: [])
  }
}

extension ComparedSide {
  /// A run for each list of durations of one function.
  init(_ name: String, _ runs: [[Int64]], function: String = "f", resolution: UInt32 = 1) {
    self.init(
      runs: runs.enumerated().map { index, durations in
        TraceAnalysis("\(name)\(index)", [FunctionDurations(function, durations, resolution: resolution)])
      })
  }
}

func selection(_ patterns: String...) -> FunctionSelection {
  FunctionSelection(patterns: patterns.map(FunctionPattern.init))
}
