import Foundation
import FunctionGraph
import Synchronization
import Testing

@testable import TraceDat

/// Summing up while reading against making every call and adding it up: the random traces of `SieveTests`, and captures.
@Suite struct TallyTests {
  final class Sink: DurationSink, Sendable {
    let durations = Mutex<[Int: [TimedDuration]]>([:])
    func add(_ durations: UnsafeBufferPointer<TimedDuration>, of number: Int) {
      self.durations.withLock { $0[number, default: []] += durations }
    }
  }

  struct Sums: Equatable {
    var complete = 0
    var unfinished = 0
    var noEntry = 0
    var lost = 0
    var selfTime: Int64 = 0
    var selfTimeCalls = 0
    /// In the order in which the calls ended.
    var durations: [Int64] = []
  }

  struct PathSums: Equatable {
    var calls = 0
    var total: Int64 = 0
    var selfTime: Int64 = 0
  }

  struct Outcome: Equatable {
    var functions: [String: Sums] = [:]
    var paths: [String: PathSums] = [:]
    /// In the order of their numbers.
    var names: [String] = []
    var calls = 0
    var losses = 0
    var lostEvents: UInt64 = 0
    var deepest: Int32 = -1
    var tracer = ""

    func differences(from other: Outcome) -> [String] {
      var result: [String] = []
      for key in Set(functions.keys).union(other.functions.keys).sorted()
      where functions[key] != other.functions[key] {
        result.append("\(key): \(functions[key] as Any), not \(other.functions[key] as Any)")
      }
      for key in Set(paths.keys).union(other.paths.keys).sorted() where paths[key] != other.paths[key] {
        result.append("\(key): \(paths[key] as Any), not \(other.paths[key] as Any)")
      }
      if names != other.names { result.append("\(names), not \(other.names)") }
      let rest = "\(calls) calls, \(losses) losses, \(lostEvents) lost, \(deepest) deep, \(tracer)"
      let others =
        "\(other.calls) calls, \(other.losses) losses, \(other.lostEvents) lost, \(other.deepest) deep, "
        + other.tracer
      if rest != others { result.append("\(rest), not \(others)") }
      return result
    }
  }

  static func reader(
    _ bytes: [UInt8], jobs: Int, parts: TallyParts.Limits = .init(), pairing: PairedBuffer.Limits = .init()
  ) throws -> DatReader {
    var limits = DatReader.Limits(leastForThreads: 0, tallying: parts, pairing: pairing)
    if jobs > 1 { limits.sieving.pieceSize = 4096 }
    return try DatReader(size: UInt64(bytes.count), jobs: jobs, limits: limits) {
      (offset, target) throws(TraceError) -> Int in
      let count = min(target.count, bytes.count - Int(offset))
      bytes.withUnsafeBytes { source in
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[Int(offset)..<Int(offset) + count]))
      }
      return count
    }
  }

  static func names(_ functions: FunctionTable) -> [String] {
    (0..<functions.count).map { "\(functions[FunctionID(rawValue: UInt32($0))])" }
  }

  /// The functions on a path, outermost first.
  static func text(_ path: CallPaths.ID, _ paths: CallPaths, _ names: [String]) -> String {
    var parts: [String] = []
    var path = path
    while path != CallPaths.root {
      parts.append(names[Int(paths.function(path).rawValue)])
      path = paths.parent(path)
    }
    return parts.reversed().joined(separator: ";")
  }

  /// nil where the reader says that it has to read event by event.
  static func tallied(
    _ bytes: [UInt8], _ wanted: Set<String>?, jobs: Int, parts: TallyParts.Limits = .init(),
    withPaths: Bool = true
  ) throws -> Outcome? {
    var lanes = 0
    return try tallied(bytes, wanted, jobs: jobs, parts: parts, withPaths: withPaths, lanes: &lanes)
  }

  /// - Parameter lanes: gets how many sinks got durations.
  static func tallied(
    _ bytes: [UInt8], _ wanted: Set<String>?, jobs: Int, parts: TallyParts.Limits, withPaths: Bool = true,
    lanes: inout Int
  ) throws -> Outcome? {
    var reader = try reader(bytes, jobs: jobs, parts: parts)
    let sinks = Mutex<[Int: Sink]>([:])
    let found = try reader.tally(
      withPaths: withPaths, { wanted?.contains($0) ?? true },
      makeSink: { lane in
        let sink = Sink()
        sinks.withLock { $0[lane] = sink }
        return sink
      })
    guard let tally = found else { return nil }
    var result = Outcome()
    result.names = names(reader.functions)
    var durations: [String: [(end: UInt64, lane: Int, duration: Int64)]] = [:]
    for function in tally.functions {
      let key = "\(function.buffer) \(result.names[Int(function.function.rawValue)])"
      result.functions[key, default: Sums()].complete += function.complete
      result.functions[key]?.unfinished += function.unfinished
      result.functions[key]?.noEntry += function.noEntry
      result.functions[key]?.lost += function.lost
      result.functions[key]?.selfTime += function.selfTime
      result.functions[key]?.selfTimeCalls += function.selfTimeCalls
      let sink = sinks.withLock { $0[function.lane] }
      for timed in sink?.durations.withLock({ $0[function.number] }) ?? [] {
        durations[key, default: []].append((timed.end, function.lane, timed.duration))
      }
    }
    for (key, values) in durations {
      // A lane's own order counts among equals.
      let sorted = values.enumerated().sorted {
        ($0.element.end, $0.element.lane, $0.offset) < ($1.element.end, $1.element.lane, $1.offset)
      }
      result.functions[key]?.durations = sorted.map(\.element.duration)
    }
    for (buffer, path, sum) in tally.sums {
      let key = "\(buffer) \(text(path, tally.paths, result.names))"
      // Once a lane.
      result.paths[key, default: PathSums()].calls += sum.calls
      result.paths[key]?.total += sum.total
      result.paths[key]?.selfTime += sum.selfTime
    }
    lanes = sinks.withLock { $0.values.count { !$0.durations.withLock(\.isEmpty) } }
    let given = sinks.withLock {
      $0.values.reduce(0) { $0 + $1.durations.withLock { $0.values.reduce(0) { $0 + $1.count } } }
    }
    #expect(
      given == durations.values.reduce(0) { $0 + $1.count }, "no sink holds what another one has got too")
    result.calls = tally.calls
    result.losses = tally.losses
    result.lostEvents = tally.lostEvents
    result.deepest = tally.deepest
    result.tracer = reader.description.tracer
    return result
  }

  /// Call by call; what is below an outermost selected call is kept until that one has ended.
  static func added(_ bytes: [UInt8], _ wanted: Set<String>?) throws -> Outcome {
    var reader = try reader(bytes, jobs: 1)
    var builder = CallBuilder(tracksPaths: true, buffersFollowOneAnother: true)
    var batch: [Event] = []
    var calls: [Call] = []
    while try reader.next(&batch) { builder.consume(batch, into: &calls) }
    builder.finish(into: &calls)
    var result = Outcome()
    result.names = names(reader.functions)
    let functions = reader.functions
    func isWanted(_ function: FunctionID) -> Bool {
      wanted?.contains(functions[function].symbol) ?? true
    }
    var pending: [UInt32: [Call]] = [:]
    for call in calls {
      let selected = isWanted(call.function)
      if call.status != .unfinished || selected { result.calls += 1 }
      if selected {
        let key = "\(call.buffer) \(result.names[Int(call.function.rawValue)])"
        switch call.status {
        case .complete: result.functions[key, default: Sums()].complete += 1
        case .unfinished: result.functions[key, default: Sums()].unfinished += 1
        case .noEntry: result.functions[key, default: Sums()].noEntry += 1
        case .lost: result.functions[key, default: Sums()].lost += 1
        }
        if let duration = call.duration { result.functions[key]?.durations.append(duration) }
        if let selfTime = call.selfTime {
          result.functions[key]?.selfTime += selfTime
          result.functions[key]?.selfTimeCalls += 1
        }
      }
      var outermost: CallPaths.ID?
      var path = call.path
      while path != CallPaths.root {
        if isWanted(builder.paths.function(path)) { outermost = path }
        path = builder.paths.parent(path)
      }
      guard let outermost else { continue }
      pending[call.stack, default: []].append(call)
      guard outermost == call.path else { continue }
      let below = pending.removeValue(forKey: call.stack) ?? []
      guard below.allSatisfy({ $0.status == .complete }) else { continue }
      for call in below {
        let key = "\(call.buffer) \(text(call.path, builder.paths, result.names))"
        result.paths[key, default: PathSums()].calls += 1
        result.paths[key]?.total += call.duration ?? 0
        result.paths[key]?.selfTime += call.selfTime ?? 0
      }
    }
    result.losses = builder.losses
    result.lostEvents = builder.lostEvents
    result.deepest = builder.deepest
    result.tracer = reader.description.tracer
    return result
  }

  static let wanted: [Set<String>?] = [nil, ["outer"], ["in_module", "0xd0000000"], ["no_such"]]

  @Test(arguments: [
    SieveTests.Sort(harm: [], least: 45), SieveTests.Sort(harm: .gaps, least: 45),
    SieveTests.Sort(harm: .losses, least: 45), SieveTests.Sort(harm: [.gaps, .losses], least: 45),
    SieveTests.Sort(harm: .migration, least: 45), SieveTests.Sort(harm: .midway, least: 45),
    SieveTests.Sort(harm: [.midway, .gaps, .losses], least: 45),
    SieveTests.Sort(harm: [.gaps, .losses, .migration], least: 45),
    SieveTests.Sort(harm: [.losses, .migration, .ties], least: 20),
    SieveTests.Sort(harm: [.gaps, .losses, .migration, .nonsense], least: 0),
    SieveTests.Sort(harm: .nonsense, least: 0),
    SieveTests.Sort(harm: .alone, least: 45), SieveTests.Sort(harm: [.alone, .gaps, .losses], least: 45),
    SieveTests.Sort(harm: [.alone, .losses, .nonsense], least: 0),
  ])
  func sameSums(_ sort: SieveTests.Sort) throws {
    var complete = 0
    var apart = 0
    var calls = 0
    for seed in 1...60 as ClosedRange<UInt64> {
      let bytes = SieveTests.trace(seed: seed, sort.harm).written()
      let wanted = Self.wanted[Int(seed) % Self.wanted.count]
      var lanes = 0
      let limits = TallyParts.Limits(least: .max / 2)
      guard let fast = try Self.tallied(bytes, wanted, jobs: 1, parts: limits, lanes: &lanes) else {
        continue
      }
      complete += 1
      if lanes > 1 { apart += 1 }
      calls += fast.calls
      let differences = fast.differences(from: try Self.added(bytes, wanted))
      #expect(differences.isEmpty, "seed \(seed), \(wanted ?? [])")
      #expect(fast == (try Self.tallied(bytes, wanted, jobs: 3)), "seed \(seed), several threads")
      var bare = try Self.tallied(bytes, wanted, jobs: 1, parts: limits, withPaths: false)
      #expect(bare?.paths.isEmpty == true)
      bare?.paths = fast.paths
      #expect(bare?.differences(from: fast) == [], "seed \(seed), without paths")
    }
    #expect(complete >= sort.least)
    // Each CPU has a tally of its own, whether tasks move or not; a quarter of the traces is asked for no function.
    #expect(apart >= sort.least * 3 / 4)
    #expect(sort.least == 0 || calls > 10_000)
  }

  /// Where a CPU's data does not tell that its task ran elsewhere, all are read in the order of time, record by record.
  @Test(arguments: [false, true])
  func runsElsewhereAmidATurn(isSeen: Bool) throws {
    let bytes = SieveTests.movingTrace(isSeen: isSeen, isLeftOut: false)
    let found = try Self.tallied(bytes, nil, jobs: 1)
    #expect(found == (try Self.added(bytes, nil)))
  }

  /// Each page by itself, and some in front of others that are done first.
  @Test(arguments: [
    SieveTests.Sort(harm: [], least: 30), SieveTests.Sort(harm: .gaps, least: 15),
    SieveTests.Sort(harm: .losses, least: 30), SieveTests.Sort(harm: [.gaps, .losses], least: 15),
    SieveTests.Sort(harm: .midway, least: 30), SieveTests.Sort(harm: [.midway, .losses], least: 30),
    SieveTests.Sort(harm: [.midway, .gaps, .losses], least: 15),
    SieveTests.Sort(harm: .migration, least: 0), SieveTests.Sort(harm: [.losses, .migration], least: 0),
    SieveTests.Sort(harm: [.gaps, .losses, .migration, .midway], least: 0),
    SieveTests.Sort(harm: [.losses, .migration, .ties], least: 0),
    SieveTests.Sort(harm: [.migration, .idleStays], least: 30),
    SieveTests.Sort(harm: [.losses, .migration, .idleStays, .midway], least: 15),
    SieveTests.Sort(harm: [.losses, .migration, .idleStays, .nonsense], least: 0),
    SieveTests.Sort(harm: .nonsense, least: 0),
    SieveTests.Sort(harm: .alone, least: 30), SieveTests.Sort(harm: [.alone, .gaps, .midway], least: 10),
    SieveTests.Sort(harm: [.alone, .losses, .nonsense], least: 0),
  ])
  func sameSumsInParts(_ sort: SieveTests.Sort) throws {
    var parted = 0
    for seed in 1...24 as ClosedRange<UInt64> {
      let bytes = SieveTests.trace(seed: seed, sort.harm).written()
      let wanted = Self.wanted[Int(seed) % Self.wanted.count]
      var whole = 0
      let limits = TallyParts.Limits(least: .max / 2)
      let undivided = try Self.tallied(bytes, wanted, jobs: 1, parts: limits, lanes: &whole)
      guard let expected = undivided else {
        for pages in [1, 2, 5] {
          let limits = TallyParts.Limits(size: UInt64(pages) * 4096)
          let found = try Self.tallied(bytes, wanted, jobs: pages, parts: limits)
          #expect(found == nil, "seed \(seed), \(pages) pages: nor can it be summed up in parts")
        }
        continue
      }
      for pages in [1, 2, 5, 12] {
        var lanes = 0
        let limits = TallyParts.Limits(size: UInt64(pages) * 4096)
        let found = try Self.tallied(bytes, wanted, jobs: pages, parts: limits, lanes: &lanes)
        let differences = found?.differences(from: expected) ?? ["no sums"]
        #expect(differences.isEmpty, "seed \(seed), \(wanted ?? []), \(pages) pages")
        if lanes > whole { parted += 1 }
        var bare = try Self.tallied(
          bytes, wanted, jobs: pages, parts: limits, withPaths: false, lanes: &lanes)
        bare?.paths = expected.paths
        #expect(bare?.differences(from: expected) == [], "seed \(seed), \(pages) pages, without paths")
      }
      // As it comes.
      let found = try Self.tallied(bytes, wanted, jobs: 3, parts: TallyParts.Limits(least: 4096))
      #expect(found?.differences(from: expected) == [], "seed \(seed), \(wanted ?? []), several threads")
    }
    #expect(parted >= sort.least)
  }

  /// Pages that stand in front of earlier ones, some with a page without records between them: that is told event by event, also
  /// where each page is a part of its own.
  @Test(arguments: [false, true])
  func timesThatGoBackAtABorder(_ hasEmptyPage: Bool) throws {
    for seed in 1...24 as ClosedRange<UInt64> {
      var trace = SieveTests.trace(seed: seed, [])
      let pages = trace.buffers[0].cpus[0].pages
      guard pages.count > 3 else { continue }
      let place = Int(seed) % (pages.count - 1)
      trace.buffers[0].cpus[0].pages.swapAt(place, place + 1)
      if hasEmptyPage {
        let empty = SyntheticPage(trace.bytes, size: 4096, timestamp: 1_000).written()
        trace.buffers[0].cpus[0].pages.insert(empty, at: place + 1)
      }
      let bytes = trace.written()
      for size: UInt64? in [nil, 4096, 8192] {
        let found = try Self.tallied(
          bytes, nil, jobs: 2, parts: TallyParts.Limits(least: .max / 2, size: size))
        #expect(found == nil, "seed \(seed), parts of \(size ?? 0) bytes")
      }
    }
  }

  @Test(arguments: OracleTests.files)
  func sameSumsOfCaptures(path: String) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    for wanted: Set<String>? in [nil, ["vfio_pin_map_dma"], ["iommu_map", "vfio_remove_dma"]] {
      if let fast = try Self.tallied(bytes, wanted, jobs: 2) {
        let differences = fast.differences(from: try Self.added(bytes, wanted))
        #expect(differences.isEmpty)
      }
    }
  }
}
