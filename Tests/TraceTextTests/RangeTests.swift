import Foundation
import FunctionGraph
import Synchronization
import Testing
@_spi(Testing) import TraceText

/// Texts looked through by ranges that cut them in odd places, on several threads, held against the general parser; on one
/// thread without the machine's wide vectors.
@Suite struct RangeTests {
  @Test(arguments: 0..<24)
  func leavesOutWhatDoesNotMatter(_ seed: UInt64) throws {
    var decided = 0
    for layout in GeneratedText.layouts(seed) {
      for oddities in [0, 12, 60, 200] {
        let text = GeneratedText(
          seed: seed, layout, cpus: [1, 2, 12][Int(seed % 3)], lines: 600, oddities: oddities)
        var bytes = Array(text.text.utf8)
        let isDecided = try siftingHolds(bytes, seed)
        let isNoticed = try noticingHolds(bytes, seed)
        if oddities == 0, layout.isPlain(seed) { #expect(isDecided && isNoticed, "\(layout)") }
        if isDecided { decided += 1 }
        var random = SeededGenerator(state: seed)
        bytes.mutate(&random)
        _ = try siftingHolds(bytes, seed)
        if seed % 4 == 0 { bytes = Array(text.text.replacing("\n", with: "\r\n").utf8) }
        if seed % 4 == 1 { bytes.replaceSubrange(2000..<2004, with: [0, 0, 0x0A, 0]) }
        if seed % 4 == 2 { bytes.insert(contentsOf: [UInt8](repeating: 0x41, count: 40_000), at: 3000) }
        if seed % 4 == 3 { while bytes.last == 0x0A { bytes.removeLast() } }
        _ = try siftingHolds(bytes, seed)
      }
    }
    #expect(decided >= 2)
  }

  @Test(arguments: StrictLaneTests.fixtures)
  func leavesOutOfFixturesWhatDoesNotMatter(_ file: URL) throws {
    let bytes = Array(try Data(contentsOf: file).prefix(60_000))
    for seed in 0..<2 as Range<UInt64> { _ = try siftingHolds(bytes, seed) }
    _ = try noticingHolds(bytes, 0)
  }

  /// Which calls lost events depends on where and when their task was last seen, also in lines that are left out.
  @Test(arguments: 0..<100)
  func marksLossesOfTasksThatMove(_ seed: UInt64) throws {
    let text = GeneratedText(moving: seed, cpus: 2 + Int(seed % 3), lines: 900)
    _ = try siftingHolds(Array(text.text.utf8), seed)
  }

  /// The same where lines name their tasks, with times and without.
  @Test(arguments: 0..<24)
  func marksLossesOfTasksThatLinesName(_ seed: UInt64) throws {
    for layout in GeneratedText.layoutsWithTasks {
      for burst in [1, 3, 40] {
        let text = GeneratedText(
          moving: seed, layout, cpus: 2 + Int(seed % 3), lines: 600, burst: burst)
        var bytes = Array(text.text.utf8)
        #expect(try siftingHolds(bytes, seed), "\(layout)")
        var random = SeededGenerator(state: seed)
        bytes.mutate(&random)
        _ = try siftingHolds(bytes, seed)
      }
    }
  }

  /// The same where several losses of one CPU follow one another, with lines between them that are left out.
  @Test(arguments: 200..<300)
  func marksLossesThatAreSummedUp(_ seed: UInt64) throws {
    let text = GeneratedText(moving: seed, cpus: 2 + Int(seed % 3), lines: 900, burst: 10 + Int(seed % 40))
    var bytes = Array(text.text.utf8)
    _ = try siftingHolds(bytes, seed)
    var random = SeededGenerator(state: seed)
    bytes.mutate(&random)
    _ = try siftingHolds(bytes, seed)
  }

  @Test func sumsUpLossesOfOneCPU() throws {
    let call = " 0)   1.000 us    |    a();\n 0)   1.000 us    |    a();\n"
    let loss = "CPU:0 [LOST 17 EVENTS]\n"
    // A line of another CPU between two of them keeps these apart, and a wanted one.
    let other = " 1)   1.000 us    |    a();\n"
    let wanted = " 0)   1.000 us    |    kfree();\n"
    let start =
      " 0)               |  b() {\n 1)               |  b() {\n" + String(repeating: call, count: 40) + other
    let losses = call + loss + call + loss + loss
    for (between, counts) in [
      ("", [6]), (other, [3, 3]), (wanted, [3, 3]), ("CPU:1 [LOST 4 EVENTS]\n", [3, 1, 3]),
    ] {
      let text = start + losses + between + losses + String(repeating: call, count: 200)
      var reader = Reading.positioned(Array(text.utf8), blockSize: 700, rangeSize: 5000, jobs: 1)
      reader.selectFunctions(after: 0) { $0 == "kfree" }
      var found: [Event] = []
      var batch: [Event] = []
      while try reader.next(&batch) { found += batch.filter { $0.kind == .lost } }
      #expect(found.map { Int($0.losses) } == counts)
      #expect(found.map { Int($0.lostEvents) } == counts.map { $0 == 1 ? 4 : 17 * $0 })
    }
  }

  /// Notes of lost events of which some are laid out as the kernel's, with numbers of any length: behind a call's line, another
  /// loss and a line that is none of these.
  @Test(arguments: [0, 1, 9, 10, 1023, 1024, 2047, 2048, 99_999, 100_000])
  func readsLossesOfAnyWidth(_ cpu: Int) throws {
    let number = "1234567890123456789012"
    for count in [0, 1, 7, 8, 9, 17, 18, 19, 22] {
      try lossHolds("CPU:\(cpu) [LOST \(number.prefix(count)) EVENTS]")
    }
  }

  @Test func readsDamagedLosses() throws {
    let loss = "CPU:0 [LOST 42 EVENTS]"
    for place in 0..<loss.utf8.count {
      var bytes = Array(loss.utf8)
      try lossHolds(String(loss.prefix(place)))
      try lossHolds(String(loss.dropFirst(place + 1)))
      // The last one becomes three bytes above 127.
      for other in [0x00, 0x20, 0x2F, 0x3A, 0x7F, 0xE2] as [UInt8] {
        bytes[place] = other
        try lossHolds(String(decoding: bytes, as: UTF8.self))
      }
    }
    for place in 0..<10 {
      var digits = Array("1234567890".utf8)
      digits[place] = [0x2F, 0x3A][place % 2]
      try lossHolds("CPU:0 [LOST \(String(decoding: digits, as: UTF8.self)) EVENTS]")
    }
    for other in [" \(loss)", "\(loss) ", "\(loss)\r", "CPU:00 [LOST 042 EVENTS]", "CPU: 0 [LOST 42 EVENTS]"]
    {
      try lossHolds(other)
    }
  }

  private func lossHolds(_ note: String) throws {
    let call = " 0)   1.000 us    |    a();"
    let leaf = " 0)   1.000 us    |  kfree();"
    let loss = "CPU:0 [LOST 7 EVENTS]"
    let arrows = [" 0)   ==========> |", leaf, " 0)   <========== |"]
    var lines = [" 0)               |  kfree() {", call, note, call, note, call, loss, call, note, note]
    lines += ["prose", note, " 0)   9.000 us    |  }", call, note, note, leaf, call, note, call, loss]
    lines += arrows
    // Behind a block that is read line by line.
    let rest = String(repeating: call + "\n", count: 40)
    let text = rest + lines.joined(separator: "\n") + "\n" + rest
    // Where `kfree` is wanted, from the start on.
    _ = try siftingHolds(Array(text.utf8), 9)
  }

  @Test func decidesMostTextsOfTasksThatMove() throws {
    let decided = try (100..<120).filter {
      try siftingHolds(Array(GeneratedText(moving: UInt64($0), cpus: 3, lines: 900).text.utf8), UInt64($0))
    }
    #expect(decided.count >= 10, "\(decided.count)")
  }

  /// A CPU of which no task is known, among those of which one is, keeps every line from being left out.
  @Test(arguments: [false, true])
  func givesUpWhereAllIsCheaper(_ orSumUp: Bool) throws {
    let start = GeneratedText(moving: 1, cpus: 2, lines: 10).text
    let bytes = Array((start + String(repeating: " 2)   1.000 us    |  kfree();\n", count: 2000)).utf8)
    let plain = try Sifted(bytes, after: nil) { $0 == "kfree" }
    let found = try Sifted(bytes, after: 2000, orSumUp: orSumUp, ranges: (4000, 2)) { $0 == "kfree" }
    #expect(found.leftOut?.isComplete == !orSumUp)
    #expect(orSumUp ? found.ended.count < plain.ended.count : found.ended == plain.ended)
  }

  /// - Returns: whether the sieve could tell.
  private func siftingHolds(_ bytes: [UInt8], _ seed: UInt64) throws -> Bool {
    let wanted = ["vfio_pin_map_dma", "kfree", "_raw_spin_lock", "a"][Int(seed % 4)]
    let isWanted: @Sendable (String) -> Bool = { $0 == wanted || $0.hasPrefix("a_function_whose_name_is_L") }
    let after = 1000 * (seed % 3)
    let plain = try Sifted(bytes, after: nil, isWanted)
    var isComplete = false
    for (size, jobs) in [(300 + 61 * seed, 1), (4000, 2), (65_536, 2)] as [(UInt64, Int)] {
      let found = try Sifted(bytes, after: after, ranges: (size, jobs), isWanted)
      guard let leftOut = found.leftOut, leftOut.isComplete else { continue }
      isComplete = true
      #expect(firstDifference(found.ended, plain.ended) == nil)
      #expect(firstDifference(found.unfinished.sorted(), plain.unfinished.sorted()) == nil)
      #expect(leftOut.exits == UInt64(plain.allEnded))
      #expect(max(leftOut.deepest, found.deepest) == plain.deepest)
      #expect(found.losses == plain.losses)
      #expect(found.lostEvents == plain.lostEvents)
      #expect(found.diagnostics.kept == plain.diagnostics.kept)
      #expect(found.description == plain.description)
    }
    return isComplete
  }

  /// Where task switches and interrupts are asked for, a text is looked through only if it tells of none.
  ///
  /// - Returns: whether it told of none, as far as the sieve and the tally can tell.
  private func noticingHolds(_ bytes: [UInt8], _ seed: UInt64) throws -> Bool {
    let isWanted: @Sendable (String) -> Bool = { $0 == "kfree" || $0 == "vfio_pin_map_dma" }
    let plain = try Sifted(bytes, after: nil, noticesTimeAway: true, isWanted)
    func sifted(_ notices: Bool) throws -> Sifted {
      try Sifted(
        bytes, after: 1000 * (seed % 2), ranges: (4000, 2), noticesTimeAway: notices, isWanted)
    }
    func tally(_ notices: Bool) throws -> TraceTally? {
      var reader = Reading.positioned(bytes, blockSize: 700, rangeSize: 4000, jobs: 2)
      if notices { reader.noticeTimeAway() }
      return try reader.tally(isWanted, makeSink: { _ in CollectingSink() })
    }
    let found = try sifted(true)
    let sums = try tally(true)
    let isSifted = found.leftOut?.isComplete ?? false
    if isSifted { #expect(found.ended == plain.ended) }
    if let sums { #expect(sums.calls == plain.allEnded + plain.unfinished.count) }
    if plain.hasTimeAway {
      #expect(!isSifted && sums == nil)
    } else {
      // Lines of any other events are passed over all the same.
      #expect(try isSifted == sifted(false).leftOut?.isComplete)
      #expect(try (sums != nil) == (tally(false) != nil))
    }
    return isSifted && sums != nil
  }

  /// Events that are neither switches nor interrupts.
  @Test func passesOverOtherEventsWhereSwitchesAreAskedFor() throws {
    var decided = 0
    for seed in 0..<12 as Range<UInt64> {
      for layout in GeneratedText.layouts(seed) {
        let text = GeneratedText(seed: seed, layout, cpus: 2, lines: 600, oddities: 12).text
        let harmless = text.replacing("sched_switch", with: "sched_swap")
          .replacing("irq_handler_exit", with: "irq_handled")
          .replacing("local_timer_entry", with: "clock_entry").replacing("==========", with: "~~~")
        if try noticingHolds(Array(harmless.utf8), seed) { decided += 1 }
      }
    }
    #expect(decided >= 5)
  }

  /// Reports out of the order of time are read as a whole, wherever in a line's time that shows.
  @Test(arguments: 0..<10)
  func noticesTimesThatGoBack(_ seed: UInt64) throws {
    var text = GeneratedText(seed: seed, .init(isReport: true), cpus: 2, lines: 900, oddities: 0).text
    let isWanted: @Sendable (String) -> Bool = { $0 == "no_such_function" }
    for jobs in 1...2 {
      let found = try Sifted(Array(text.utf8), after: 0, ranges: (8000, jobs), isWanted)
      #expect(found.leftOut?.isComplete == true)
    }
    // Two lines change places, far behind the start.
    var lines = text.split(separator: "\n")
    let place = try #require((700..<880).first { Self.time(lines[$0]) != Self.time(lines[$0 + 1]) })
    lines.swapAt(place, place + 1)
    text = lines.joined(separator: "\n") + "\n"
    for jobs in 1...2 {
      let found = try Sifted(Array(text.utf8), after: 0, ranges: (8000, jobs), isWanted)
      #expect(found.leftOut?.isComplete == false)
    }
  }

  private static func time(_ line: Substring) -> Substring? {
    line.split(separator: " ").first { $0.hasSuffix(":") }
  }

  @Test(arguments: 0..<24)
  func sumsUpAllCalls(_ seed: UInt64) throws {
    var decided = 0
    for layout in GeneratedText.layouts(seed) {
      for oddities in [0, 12, 60, 200] {
        let text = GeneratedText(
          seed: seed, layout, cpus: [1, 2, 12][Int(seed % 3)], lines: 600, oddities: oddities)
        var bytes = Array(text.text.utf8)
        let isDone = try tallyHolds(bytes, seed)
        if oddities == 0, layout.isPlain(seed) { #expect(isDone, "\(layout)") }
        if isDone { decided += 1 }
        var random = SeededGenerator(state: seed)
        bytes.mutate(&random)
        _ = try tallyHolds(bytes, seed)
        while bytes.last == 0x0A { bytes.removeLast() }
        _ = try tallyHolds(bytes, seed)
      }
    }
    #expect(decided >= 2)
  }

  @Test(arguments: StrictLaneTests.fixtures)
  func sumsUpFixtures(_ file: URL) throws {
    let bytes = Array(try Data(contentsOf: file).prefix(60_000))
    _ = try tallyHolds(bytes, 1)
    _ = try tallyHolds(bytes, 2)
  }

  @Test func sumsUpTasksThatMove() throws {
    let decided = try (0..<60 as Range<UInt64>).filter {
      let text = GeneratedText(moving: $0, cpus: 2 + Int($0 % 3), lines: 900)
      return try tallyHolds(Array(text.text.utf8), $0)
    }
    #expect(decided.count > 50, "\(decided.count)")
  }

  /// Lines of which hardly one comes again.
  @Test(arguments: 0..<24)
  func looksThroughValues(_ seed: UInt64) throws {
    for layout in GeneratedText.layouts(seed) {
      let text = GeneratedText(
        seed: seed, layout, cpus: 2, lines: 600, oddities: Int(seed % 3) * 60,
        values: seed % 3 == 0 ? .plain : .any)
      let bytes = Array(text.text.utf8)
      let isSifted = try siftingHolds(bytes, seed)
      let isSummedUp = try tallyHolds(bytes, seed)
      if seed % 3 == 0, layout.isPlain(seed) { #expect(isSifted, "\(layout)") }
      if seed % 3 == 0, layout.isPlain(seed) { #expect(isSummedUp, "\(layout)") }
    }
  }

  /// With times an unnamed exit behind a loss is held against the time since its entry.
  @Test(arguments: 0..<24)
  func sumsUpTasksThatLinesName(_ seed: UInt64) throws {
    // Of a text that begins with a task whose name has a bar in it the layout is not known soon enough.
    var decided = 0
    for layout in GeneratedText.layoutsWithTasks + [.init(columns: .time)] {
      for burst in [1, 30] {
        let text = GeneratedText(moving: seed, layout, cpus: 2 + Int(seed % 3), lines: 600, burst: burst)
        var bytes = Array(text.text.utf8)
        if try tallyHolds(bytes, seed) { decided += 1 }
        var random = SeededGenerator(state: seed)
        bytes.mutate(&random)
        _ = try tallyHolds(bytes, seed)
      }
    }
    #expect(decided >= 7, "\(decided)")
  }

  /// More calls in one than wait one by one, on two CPUs by turns: in the first two all that is in them, in the third one a call
  /// without its entry, and the last one does not end.
  @Test func sumsUpLongCalls() throws {
    var text = "# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n"
    text += "# |     |   |                     |   |   |   |\n"
    for round in 0..<4 {
      for cpu in 0...1 { text += " \(cpu))               |  vfio_pin_map_dma() {\n" }
      for number in 0..<12_000 {
        let name = ["kfree", "mutex_lock", "pin_user_pages"][number % 3]
        text += " \(number % 2))   0.\(100 + number % 800) us    |    \(name)();\n"
      }
      if round == 2 { text += " 0)   9.000 us    |    } /* kfree */\n" }
      guard round < 3 else { continue }
      for cpu in 0...1 { text += " \(cpu)) ! 900.\(100 + round + cpu) us  |  }\n" }
    }
    for seed in 0..<3 as Range<UInt64> { #expect(try tallyHolds(Array(text.utf8), seed)) }
  }

  /// - Returns: whether the calls could be summed up.
  private func tallyHolds(_ bytes: [UInt8], _ seed: UInt64) throws -> Bool {
    // All, most, and such as others call.
    let isWanted: @Sendable (String) -> Bool = {
      switch seed % 3 {
      case 0: true
      case 1: !$0.hasPrefix("kfree")
      default: $0.hasPrefix("kfree") || $0.hasPrefix("vfio")
      }
    }
    let plain = try Summed(bytes, isWanted)
    var isDone = false
    for (size, jobs, withPaths) in [
      (300 + 61 * seed, 1, true), (4000, 2, false), (65_536, 2, true),
    ] as [(UInt64, Int, Bool)] {
      var reader = Reading.positioned(
        bytes, blockSize: 700, rangeSize: size, jobs: jobs, isNarrow: jobs == 1)
      let sink = CollectingSink()
      guard let tally = try reader.tally(withPaths: withPaths, isWanted, makeSink: { _ in sink }) else {
        continue
      }
      isDone = true
      #expect(
        firstDifference(Summed.lines(tally, reader.functions), withPaths ? plain.pathLines : []) == nil)
      let found = Summed(tally, sink, reader.functions)
      #expect(firstDifference(found.lines, plain.lines) == nil)
      #expect(tally.losses == plain.losses)
      #expect(tally.lostEvents == plain.lostEvents)
      #expect(tally.deepest == plain.deepest)
      #expect(tally.calls == plain.calls)
      #expect(reader.diagnostics.kept == plain.diagnostics.kept)
      #expect(reader.description == plain.description)
      #expect(reader.functions.count == plain.functionCount)
    }
    return isDone
  }
}

/// Keeps what it gets.
private final class CollectingSink: DurationSink {
  var durations: [Int: [Int64]] = [:]
  var last: UInt64 = 0

  func add(_ durations: UnsafeBufferPointer<TimedDuration>, of number: Int) {
    self.durations[number, default: []] += durations.map(\.duration)
  }
}

/// What the calls of a text come to, by function: one line each.
private struct Summed {
  var lines: [String] = []
  /// What whole calls of outermost wanted functions come to, and all in them, by path.
  var pathLines: [String] = []
  var losses = 0
  var lostEvents: UInt64 = 0
  var deepest: Int32 = -1
  var calls = 0
  var diagnostics = Diagnostics()
  var description = TraceDescription(format: .unknownText)
  var functionCount = 0

  private static func line(
    _ name: FunctionName, _ counts: [Int], _ selfTime: Int64, _ resolution: UInt32, _ durations: [Int64]
  ) -> String { "\(name.symbol) \(name.module) \(counts) \(selfTime) \(resolution) \(durations)" }

  init(_ tally: TraceTally, _ sink: CollectingSink, _ functions: FunctionTable) {
    for sums in tally.functions {
      lines.append(
        Self.line(
          functions[sums.function],
          [sums.complete, sums.unfinished, sums.noEntry, sums.lost, sums.selfTimeCalls], sums.selfTime,
          sums.resolution, sink.durations[sums.number] ?? []))
    }
  }

  /// Call by call, the general way, in the order of the times where there are some.
  init(_ bytes: [UInt8], _ isWanted: (String) -> Bool) throws {
    var reader = Reading.reader(bytes)
    reader.readAllTheGeneralWay()
    var builder = CallBuilder(tracksPaths: true)
    var batch: [Event] = []
    var all: [Call] = []
    while try reader.next(&batch) { builder.consume(batch, into: &all) }
    builder.finish(into: &all)
    let functions = reader.functions
    pathLines = Self.pathLines(all, builder.paths, functions, isWanted)
    struct Sums {
      var counts = [0, 0, 0, 0, 0]
      var selfTime: Int64 = 0
      var resolution: UInt32 = 1
      var durations: [Int64] = []
    }
    var sums: [FunctionID: Sums] = [:]
    for call in all {
      let wanted = call.function != .none && isWanted(functions[call.function].symbol)
      if call.status != .unfinished || wanted { calls += 1 }
      guard wanted else { continue }
      let status = [Call.Status.complete, .unfinished, .noEntry, .lost].firstIndex(of: call.status)!
      sums[call.function, default: Sums()].counts[status] += 1
      if let selfTime = call.selfTime {
        sums[call.function, default: Sums()].counts[4] += 1
        sums[call.function, default: Sums()].selfTime += selfTime
      }
      if let duration = call.duration {
        sums[call.function, default: Sums()].durations.append(duration)
        sums[call.function]!.resolution = max(sums[call.function]!.resolution, call.resolution)
      }
    }
    for (function, found) in sums.sorted(by: { $0.key < $1.key }) {
      lines.append(
        Self.line(functions[function], found.counts, found.selfTime, found.resolution, found.durations))
    }
    losses = builder.losses
    lostEvents = builder.lostEvents
    deepest = builder.deepest
    diagnostics = reader.diagnostics
    description = reader.description
    functionCount = functions.count
  }
  /// The names on a path, outermost first.
  private static func names(
    _ path: CallPaths.ID, _ paths: CallPaths, _ functions: FunctionTable
  ) -> [FunctionName] {
    var names: [FunctionName] = []
    var path = path
    while path != CallPaths.root {
      names.insert(functions[paths.function(path)], at: 0)
      path = paths.parent(path)
    }
    return names
  }

  private static func line(_ names: [FunctionName], _ sum: TraceTally.PathSum) -> String {
    "\(names.map { "\($0.symbol) [\($0.module)]" }) \(sum.calls) \(sum.total) \(sum.selfTime)"
  }

  static func lines(_ tally: TraceTally, _ functions: FunctionTable) -> [String] {
    tally.sums.map { line(names($0.path, tally.paths, functions), $0.sum) }.sorted()
  }

  private static func pathLines(
    _ calls: [Call], _ paths: CallPaths, _ functions: FunctionTable, _ isWanted: (String) -> Bool
  ) -> [String] {
    var roots = [CallPaths.root]
    for number in 1..<max(1, paths.count) {
      let path = CallPaths.ID(rawValue: UInt32(number))
      let above = roots[Int(paths.parent(path).rawValue)]
      let symbol = functions[paths.function(path)].symbol
      roots.append(
        above != CallPaths.root ? above : !symbol.isEmpty && isWanted(symbol) ? path : CallPaths.root)
    }
    var sums: [CallPaths.ID: TraceTally.PathSum] = [:]
    // Calls come behind those that they made.
    var below: [UInt32: [Call]] = [:]
    for call in calls {
      let root = roots[Int(call.path.rawValue)]
      guard root != CallPaths.root else { continue }
      below[call.stack, default: []].append(call)
      guard root == call.path else { continue }
      let inside = below.removeValue(forKey: call.stack) ?? []
      guard inside.allSatisfy({ $0.status == .complete && $0.duration != nil }) else { continue }
      for call in inside {
        sums[call.path, default: TraceTally.PathSum()].add(
          TraceTally.PathSum(calls: 1, total: call.duration!, selfTime: call.selfTime ?? 0))
      }
    }
    return sums.map { line(names($0.key, paths, functions), $0.value) }.sorted()
  }
}
