internal import FunctionGraph
internal import Synchronization

/// How many durations all lanes of a trace keep one by one.
final class KeptDurations: Sendable {
  private let count = Atomic<Int>(0)
  private let limit: Int
  /// It is taken for granted that there will be too many: else 32 MB of them would be kept first and then let go.
  let isExpectedCrowded: Bool

  init(limit: Int, isExpectedCrowded: Bool = false) {
    self.limit = limit
    self.isExpectedCrowded = isExpectedCrowded
  }

  func add(_ number: Int) {
    count.wrappingAdd(number, ordering: .relaxed)
  }

  /// More calls than are kept for all functions of a trace.
  var isCrowded: Bool { count.load(ordering: .relaxed) > limit }
}

/// The durations of the functions that one lane of a `TraceTally` saw.
///
/// They are kept with the times of their ends until there are too many, so that all lanes' together can be put into the
/// order in which the calls ended, and come out as if they had been added one by one. What is kept of more does not depend
/// on when that was noticed, nor on how the trace was divided.
final class LaneDurations: DurationSink {
  /// Those of one function.
  struct Function {
    fileprivate var timed: [TimedDuration] = []
    /// Once there were too many.
    fileprivate var sample: DurationSample?
    /// How many of more than are kept stand for all.
    fileprivate var sampling = DurationSample.comparedLimit

    fileprivate var count: Int { sample?.count ?? timed.count }
  }

  private var functions: [Function] = []
  private let kept: KeptDurations
  private var isCrowded: Bool
  private var scratch = DurationSample.Scratch()
  /// All that it got.
  private var count = 0

  init(_ kept: KeptDurations) {
    self.kept = kept
    isCrowded = kept.isExpectedCrowded
  }

  func add(_ durations: UnsafeBufferPointer<TimedDuration>, of number: Int) {
    while functions.count <= number { functions.append(Function()) }
    kept.add(durations.count)
    count += durations.count
    if !isCrowded, kept.isCrowded {
      isCrowded = true
      for number in functions.indices {
        functions[number].sample?.lowerLimit(to: sampling)
        spillIfMany(number)
      }
    }
    if functions[number].sample != nil {
      functions[number].sample?.add(durations, &scratch, priority: Self.priority)
      return
    }
    functions[number].timed.append(contentsOf: durations)
    spillIfMany(number)
  }

  /// What it got is found elsewhere again.
  func withdraw() {
    kept.add(-count)
    functions = []
    count = 0
  }

  /// How many of a function are kept for comparisons: fewer once there are so many that all will be cut to that.
  private var sampling: Int { isCrowded ? TraceAnalyzer.crowdedLimit : DurationSample.comparedLimit }

  private func spillIfMany(_ number: Int) {
    let limit = isCrowded ? TraceAnalyzer.crowdedLimit : DurationSample.exactLimit
    if functions[number].sample == nil, functions[number].timed.count > limit { spill(number) }
  }

  private func spill(_ number: Int) {
    let sample = Self.sample(of: functions[number].timed, sampling: sampling, &scratch)
    functions[number] = Function(timed: [], sample: sample)
  }

  private static func sample(
    of timed: [TimedDuration], sampling: Int, _ scratch: inout DurationSample.Scratch
  ) -> DurationSample {
    var sample = DurationSample(limit: 0, sampling: sampling)
    timed.withUnsafeBufferPointer { timed in
      // As they came, so that it does not matter when they were too many.
      var start = 0
      while start < timed.count {
        let batch = start == 0 ? TimedDuration.firstBatch : TimedDuration.batchSize
        let part = timed[start..<min(start + batch, timed.count)]
        sample.add(UnsafeBufferPointer(rebasing: part), &scratch, priority: Self.priority)
        start += batch
      }
    }
    return sample
  }

  /// What the lane has of the function of this number, which it has no more then.
  func take(_ number: Int) -> Function {
    guard number < functions.count else { return Function() }
    var taken = Function(sampling: sampling)
    swap(&taken.timed, &functions[number].timed)
    swap(&taken.sample, &functions[number].sample)
    return taken
  }

  /// The durations of one function.
  ///
  /// - Parameters:
  ///   - parts: what some lanes have of it, in the order of the lanes; nothing is left of them.
  ///   - scratch: kept by the caller from one function to the next.
  static func merged(
    _ parts: inout [Function], limit: Int, _ scratch: inout DurationSample.Scratch
  ) -> DurationSample {
    // All of them are counted before the sample is cut to what so many functions may keep.
    var result = DurationSample(limit: limit, sampling: DurationSample.comparedLimit)
    guard parts.reduce(0, { $0 + $1.count }) > limit else {
      let lists = parts.map(\.timed)
      var all = lists.first ?? []
      // Of equal times the first lane's come first.
      for list in lists.dropFirst() where !list.isEmpty { all = all.isEmpty ? list : all.merged(with: list) }
      for timed in all { result.add(timed.duration, resolution: 1) }
      return result
    }
    for index in parts.indices {
      if let sample = parts[index].sample.take() {
        result.merge(sample)
      } else if !parts[index].timed.isEmpty {
        result.merge(sample(of: parts[index].timed, sampling: parts[index].sampling, &scratch))
        parts[index].timed = []
      }
    }
    result.lowerLimit(to: limit)
    return result
  }

  /// As good as drawn, and the same for the same call: the finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
  private static func priority(_ timed: TimedDuration) -> UInt64 {
    var mixed = timed.end &+ UInt64(bitPattern: timed.duration) &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}

extension [TimedDuration] {
  /// Both in the order of their ends; where ends go back, each keeps its own order.
  fileprivate func merged(with other: [TimedDuration]) -> [TimedDuration] {
    var result: [TimedDuration] = []
    result.reserveCapacity(count + other.count)
    var next = 0
    for timed in self {
      while next < other.count, other[next].end < timed.end {
        result.append(other[next])
        next += 1
      }
      result.append(timed)
    }
    result += other[next...]
    return result
  }
}
