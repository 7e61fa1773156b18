import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// Reading some functions alone against reading all and picking them out: random traces, whole and with records missing,
/// of every format variant.
@Suite struct SieveTests {
  /// xorshift64* (Vigna).
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return state &* 0x2545_f491_4f6c_dd1d
    }
  }

  struct Harm: OptionSet, Sendable {
    let rawValue: Int
    /// Records are missing here and there, unannounced.
    static let gaps = Harm(rawValue: 1)
    /// Pages say that events were lost; before some of them records are missing, for so long that another call may have begun.
    static let losses = Harm(rawValue: 2)
    /// Tasks move between CPUs.
    static let migration = Harm(rawValue: 4)
    /// Times go back, depths are negative, calls end before they began, pages contradict themselves.
    static let nonsense = Harm(rawValue: 8)
    /// The trace begins while calls are open.
    static let midway = Harm(rawValue: 16)
    /// Several records have the same time.
    static let ties = Harm(rawValue: 32)
    /// Of the tasks that move, those without a number do not: else one CPU's idle task goes on with the other's calls.
    static let idleStays = Harm(rawValue: 64)
    /// All records are one task's, which goes from one CPU to the other, mostly after a pause.
    static let alone = Harm(rawValue: 128)
  }

  /// `outer`, `inner.isra.0`, two in modules and one without a symbol: `SyntheticTrace.symbols`.
  static let addresses: [UInt64] = [0x8100_0104, 0x8100_0200, 0xc000_1004, 0xc000_0000, 0xd000_0000]

  static func trace(seed: UInt64, _ harm: Harm) -> SyntheticTrace {
    var random = Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    let variant = SyntheticFormats.Variant.allCases.randomElement(using: &random)!
    let isBigEndian = Int.random(in: 0..<8, using: &random) == 0
    let bytes = SyntheticTrace.Bytes(isBigEndian: isBigEndian, longSize: 8)
    let formats = SyntheticFormats(variant: variant, bytes: bytes)
    var trace = SyntheticTrace(version: 7, bytes: bytes, pageSize: 4096)
    trace.compression = .none
    trace.formats = formats.texts
    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    for name in ["", "second"].prefix(chance(30) ? 2 : 1) {
      var stacks = [[(address: UInt64, start: UInt64)]](repeating: [], count: 6)
      var time: UInt64 = 1_000_000
      if harm.contains(.midway) {
        for task in 0..<6 { stacks[task] = (0..<task).map { (addresses[$0], time - 1_000) } }
      }
      var running = [0, 1]
      var home = 0
      /// By CPU: of the next records, how many are lost.
      var losing = [0, 0]
      var pages: [[[UInt8]]] = [[], []]
      var current = (0..<2).map { _ in SyntheticPage(bytes, size: 4096, timestamp: time) }
      func turnPage(_ cpu: Int) {
        var page = current[cpu].written()
        if harm.contains(.nonsense), chance(5) {
          page[Int.random(in: 16..<200, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        pages[cpu].append(page)
        let back: UInt64 = harm.contains(.nonsense) && chance(3) ? 500 : 0
        current[cpu] = SyntheticPage(bytes, size: 4096, timestamp: time - back)
        if harm.contains(.losses), chance(20) {
          current[cpu].missed = chance(50) ? 7 : 0
          current[cpu].storesCount = chance(50)
          if chance(60) { losing[cpu] = .random(in: 1...40, using: &random) }
        }
      }
      for _ in 0..<Int.random(in: 100...1500, using: &random) {
        if harm.contains(.alone), chance(3) {
          if chance(70) { home = 1 - home }
          // In some traces pauses are too short to tell a turn's end by, and in some of these they are where a page begins.
          let pauses: ClosedRange<UInt64> =
            seed % 8 == 0 ? 100...5_000 : seed % 8 == 4 ? 100...120_000 : 40_000...120_000
          time += .random(in: pauses, using: &random)
          if seed % 8 == 0 || chance(30) { turnPage(home) }
        }
        let cpu = harm.contains(.alone) ? home : Int.random(in: 0..<2, using: &random)
        time +=
          harm.contains(.ties)
          ? UInt64.random(in: 0...1, using: &random) : .random(in: 1...2_000, using: &random)
        if harm.contains(.alone) {
          running[cpu] = 2
        } else if chance(4) {
          // Tasks 0, 2, 4 live on CPU 0, the others on CPU 1; number 0 is idle, on both.
          let moving = harm.contains(.idleStays) ? [cpu, 2, 3, 4, 5] : Array(0..<6)
          let choice = harm.contains(.migration) ? moving : [cpu, cpu + 2, cpu + 4]
          running[cpu] = choice.filter { $0 != running[1 - cpu] }.randomElement(using: &random)!
        }
        if current[cpu].used > 3_800 || chance(1) { turnPage(cpu) }
        let task = running[cpu]
        let pid: Int32 = task < 2 ? 0 : Int32(40 + task)
        let isLost = losing[cpu] > 0
        if isLost {
          losing[cpu] -= 1
          if chance(30) { time += .random(in: 0...20_000, using: &random) }
        }
        let isMissing = isLost || harm.contains(.gaps) && chance(3)
        if chance(3) { current[cpu].record(time, bytes.u16(77) + Array(repeating: 1, count: 22)) }
        var payload: [UInt8]
        if stacks[task].isEmpty || stacks[task].count < 9 && chance(50) {
          let address = addresses[Int.random(in: 0..<5, using: &random)]
          let depth = harm.contains(.nonsense) && chance(1) ? -1 : Int16(stacks[task].count)
          payload = formats.entry(address, depth: depth, pid: pid)
          stacks[task].append((address, time))
        } else {
          let open = stacks[task].removeLast()
          let end = harm.contains(.nonsense) && chance(1) ? open.start - 3 : time
          payload = formats.exit(
            open.address, depth: Int16(stacks[task].count), pid: pid, from: open.start, to: end)
        }
        if !isMissing { current[cpu].record(time, payload, isLong: chance(5)) }
      }
      for cpu in 0..<2 { turnPage(cpu) }
      trace.buffers.append(
        SyntheticTrace.Buffer(
          name: name,
          cpus: [.init(number: 0, pages: pages[0]), .init(number: 1, pages: pages[1])]))
    }
    return trace
  }

  /// What has to be the same, as text: everything but self time and the numbers that only order calls.
  struct Outcome: Equatable {
    var ended: [String] = []
    var unfinished: [String] = []
    var exits = 0
    var deepest: Int32 = -1
    var losses = 0
    var lostEvents: UInt64 = 0
    var diagnostics: [Diagnostic.Kind: Int] = [:]
    var tracer = ""
    /// It took a second look.
    var isRepeated = false

    static func == (one: Self, other: Self) -> Bool {
      one.ended == other.ended && one.unfinished == other.unfinished && one.exits == other.exits
        && one.deepest == other.deepest && one.losses == other.losses && one.lostEvents == other.lostEvents
        && one.diagnostics == other.diagnostics && one.tracer == other.tracer
    }
  }

  /// nil where the reader says that it has to read everything. Several threads have pieces of a page each, and few records that may
  /// wait.
  static func outcome(
    _ bytes: [UInt8], of wanted: Set<String>, bySieve: Bool, searching: Bool = false, jobs: Int = 1
  ) throws -> Outcome? {
    var limits = DatReader.Limits(leastForThreads: 0)
    if jobs > 1 { limits.sieving = SievedBuffer.Limits(pieceSize: 4096, waiting: 8) }
    var reader = try DatReader(size: UInt64(bytes.count), jobs: jobs, limits: limits) {
      (offset, target) throws(TraceError) -> Int in
      let count = min(target.count, bytes.count - Int(offset))
      bytes.withUnsafeBytes { source in
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[Int(offset)..<Int(offset) + count]))
      }
      return count
    }
    func select(_ reader: inout DatReader) throws {
      try reader.selectFunctions(beginning: searching ? wanted.sorted() : []) { wanted.contains($0) }
    }
    if bySieve { try select(&reader) }
    var first = try Self.outcome(&reader, of: wanted, bySieve: bySieve)
    guard bySieve, first.leftOut?.isWorthRepeating == true else { return first.outcome }
    #expect(first.outcome == nil)
    reader.restart()
    try select(&reader)
    first = try Self.outcome(&reader, of: wanted, bySieve: true)
    #expect(first.leftOut?.isWorthRepeating == false)
    first.outcome?.isRepeated = true
    return first.outcome
  }

  private static func outcome(
    _ reader: inout DatReader, of wanted: Set<String>, bySieve: Bool
  ) throws -> (outcome: Outcome?, leftOut: LeftOut?) {
    var builder = CallBuilder(buffersFollowOneAnother: true)
    var result = Outcome()
    var batch: [Event] = []
    var calls: [Call] = []
    while try reader.next(&batch) { builder.consume(batch, into: &calls) }
    builder.finish(into: &calls)
    for call in calls {
      if !bySieve, call.status != .unfinished { result.exits += 1 }
      guard wanted.contains(reader.functions[call.function].symbol) else { continue }
      let text = """
        \(reader.functions[call.function]) \(call.status) \(call.buffer) \(call.cpu) \(call.pid) \
        \(reader.comms[call.comm]) \(call.depth) \(call.timestamp) \(call.duration ?? -1)
        """
      if call.status == .unfinished { result.unfinished.append(text) } else { result.ended.append(text) }
    }
    result.unfinished.sort()
    result.deepest = builder.deepest
    result.losses = builder.losses
    result.lostEvents = builder.lostEvents
    result.diagnostics = reader.diagnostics.counts
    result.tracer = reader.description.tracer
    if bySieve {
      guard let leftOut = reader.leftOut else { return (nil, nil) }
      result.exits = Int(leftOut.exits)
      result.deepest = max(result.deepest, leftOut.deepest)
      if !leftOut.isComplete { return (nil, leftOut) }
    }
    return (result, reader.leftOut)
  }

  static let wanted: [Set<String>] = [
    ["outer"], ["inner.isra.0"], ["in_module"], ["0xd0000000"], ["outer", "in_module"], ["no_such"],
  ]

  /// Symbols are searched for in pieces of the file where no other trace is expected.
  @Test(arguments: ["6.18-nest3-256m-2m.dat", "6.18-fmt-multicpu-zlib-stripped.dat"])
  func expectsNoOther(_ name: String) throws {
    let bytes = try DamageTests.fixture(name)
    defer { DatReader.expectsMore(true) }
    let outcomes = try [true, false].map { isMore in
      DatReader.expectsMore(isMore)
      return try Self.outcome(bytes, of: ["vfio_pin_map_dma"], bySieve: true, searching: true)
    }
    #expect(outcomes[0]?.ended.isEmpty == false)
    #expect(outcomes[0] == outcomes[1])
  }

  struct Sort: Sendable {
    var harm: Harm
    /// Of sixty traces, how many must be readable in this way.
    var least: Int
  }

  @Test(arguments: [
    Sort(harm: [], least: 57), Sort(harm: .gaps, least: 57), Sort(harm: .losses, least: 57),
    Sort(harm: [.gaps, .losses], least: 57), Sort(harm: .migration, least: 57),
    Sort(harm: [.gaps, .losses, .migration], least: 57), Sort(harm: [.losses, .migration], least: 57),
    Sort(harm: [.gaps, .migration, .midway], least: 57), Sort(harm: [.losses, .migration, .ties], least: 20),
    Sort(harm: [.gaps, .losses, .migration, .nonsense], least: 0), Sort(harm: .nonsense, least: 0),
    Sort(harm: .alone, least: 45), Sort(harm: [.alone, .gaps, .losses], least: 45),
    Sort(harm: [.alone, .gaps, .midway], least: 45), Sort(harm: [.alone, .losses, .nonsense], least: 0),
  ])
  func sameCalls(_ sort: Sort) throws {
    var complete = 0
    var repeated = 0
    var calls = 0
    for seed in 1...60 as ClosedRange<UInt64> {
      let bytes = Self.trace(seed: seed, sort.harm).written()
      let wanted = Self.wanted[Int(seed) % Self.wanted.count]
      guard let fast = try Self.outcome(bytes, of: wanted, bySieve: true) else { continue }
      complete += 1
      if fast.isRepeated { repeated += 1 }
      calls += fast.ended.count
      let plain = try Self.outcome(bytes, of: wanted, bySieve: false)
      #expect(fast == plain, "seed \(seed), \(wanted)")
      let several = try Self.outcome(bytes, of: wanted, bySieve: true, jobs: 3)
      #expect(fast == several, "seed \(seed), several threads")
      let found = try Self.outcome(bytes, of: wanted, bySieve: true, searching: true)
      #expect(fast == found, "seed \(seed), names searched for")
    }
    #expect(complete >= sort.least)
    #expect(sort.harm.contains(.alone) ? repeated >= sort.least / 2 : repeated < 20)
    #expect(sort.least < 50 || calls > 600)
  }

  /// Every capture too; all of a kind that can be read so.
  @Test(arguments: OracleTests.files)
  func sameCallsOfCaptures(path: String) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    for wanted: Set<String> in [["vfio_pin_map_dma"], ["iommu_map", "vfio_remove_dma"]] {
      if let fast = try Self.outcome(bytes, of: wanted, bySieve: true) {
        #expect(fast == (try Self.outcome(bytes, of: wanted, bySieve: false)))
        #expect(fast == (try Self.outcome(bytes, of: wanted, bySieve: true, searching: true)))
      }
    }
  }

  /// A wanted call whose exit is missing, others in its place, and an exit whose entry is missing: only the others tell that the
  /// two do not belong together.
  @Test(arguments: SyntheticFormats.Variant.allCases, [false, true])
  func othersEndCalls(_ variant: SyntheticFormats.Variant, searching: Bool) throws {
    let bytes = SyntheticTrace.Bytes(isBigEndian: false, longSize: 8)
    let formats = SyntheticFormats(variant: variant, bytes: bytes)
    var trace = SyntheticTrace(version: 7, bytes: bytes, pageSize: 4096)
    trace.compression = .none
    trace.formats = formats.texts
    var page = SyntheticPage(bytes, size: 4096, timestamp: 1_000_000)
    var time: UInt64 = 1_000_000
    func entry(_ number: Int, _ depth: Int16) {
      time += 100
      page.record(time, formats.entry(Self.addresses[number], depth: depth, pid: 42))
    }
    func exit(_ number: Int, _ depth: Int16) {
      time += 100
      page.record(
        time, formats.exit(Self.addresses[number], depth: depth, pid: 42, from: time - 50, to: time))
    }
    func callees() {
      for _ in 0..<4 {
        entry(1, 1)
        exit(1, 1)
      }
    }
    entry(0, 0)
    callees()
    exit(0, 0)
    entry(0, 0)
    callees()
    // The second call's exit is not there, nor is the third one's entry.
    entry(1, 0)
    callees()
    exit(1, 0)
    callees()
    exit(0, 0)
    trace.buffers.append(.init(name: "", cpus: [.init(number: 0, pages: [page.written()])]))
    let written = trace.written()
    let plain = try #require(try Self.outcome(written, of: ["outer"], bySieve: false))
    #expect(plain.unfinished.count == 1 && plain.ended.count == 2)
    #expect(try Self.outcome(written, of: ["outer"], bySieve: true, searching: searching) == plain)
  }

  /// One wanted call beside so many others each time: more than a small part of all ends the search, where that is asked for.
  @Test(arguments: [1, 60], [false, true])
  func endsWhereManyAreWanted(others: Int, ifFew: Bool) throws {
    let bytes = SyntheticTrace.Bytes(isBigEndian: false, longSize: 8)
    let formats = SyntheticFormats(variant: .today, bytes: bytes)
    var trace = SyntheticTrace(version: 7, bytes: bytes, pageSize: 4096)
    trace.compression = .none
    trace.formats = formats.texts
    var pages: [[UInt8]] = []
    var time: UInt64 = 1_000_000
    for _ in 0..<9_000 / others {
      var page = SyntheticPage(bytes, size: 4096, timestamp: time)
      func call(_ number: Int) {
        page.record(time + 100, formats.entry(Self.addresses[number], depth: 0, pid: 42))
        page.record(
          time + 200,
          formats.exit(Self.addresses[number], depth: 0, pid: 42, from: time + 100, to: time + 200))
        time += 200
      }
      call(0)
      for _ in 0..<min(others, 45) { call(1) }
      pages.append(page.written())
    }
    trace.buffers.append(.init(name: "", cpus: [.init(number: 0, pages: pages)]))
    var reader = try TallyTests.reader(trace.written(), jobs: 1)
    try reader.selectFunctions(ifFew: ifFew) { $0 == "outer" }
    var batch: [Event] = []
    while try reader.next(&batch) {}
    let isComplete = others > 1 || !ifFew
    #expect(reader.leftOut?.isComplete == isComplete && reader.leftOut?.isWorthRepeating == false)
    #expect(!isComplete || reader.leftOut?.exits == UInt64(9_000 / others * (1 + min(others, 45))))
  }

  /// A task on another CPU and back; something else ran on the first one meanwhile where `isSeen`.
  static func movingTrace(isSeen: Bool, isLeftOut: Bool) -> [UInt8] {
    let bytes = SyntheticTrace.Bytes(isBigEndian: false, longSize: 8)
    let formats = SyntheticFormats(variant: .today, bytes: bytes)
    var trace = SyntheticTrace(version: 7, bytes: bytes, pageSize: 4096)
    trace.compression = .none
    trace.formats = formats.texts
    var pages = (0..<2).map { _ in SyntheticPage(bytes, size: 4096, timestamp: 1_000_000) }
    var time: UInt64 = 1_000_000
    func entry(_ number: Int, _ depth: Int16, cpu: Int, pid: Int32 = 42) {
      time += 100
      pages[cpu].record(time, formats.entry(addresses[number], depth: depth, pid: pid))
    }
    func exit(_ number: Int, _ depth: Int16, cpu: Int, pid: Int32 = 42) {
      time += 100
      pages[cpu].record(
        time, formats.exit(addresses[number], depth: depth, pid: pid, from: time - 50, to: time))
    }
    func callee(cpu: Int, pid: Int32 = 42) {
      entry(1, 1, cpu: cpu, pid: pid)
      exit(1, 1, cpu: cpu, pid: pid)
    }
    entry(0, 0, cpu: 0)
    for _ in 0..<4 { callee(cpu: 0) }
    if isSeen { callee(cpu: 0, pid: 7) }
    callee(cpu: 1)
    for _ in 0..<4 { callee(cpu: 0) }
    if !isLeftOut { exit(0, 0, cpu: 0) }
    trace.buffers.append(
      .init(name: "", cpus: (0..<2).map { .init(number: UInt32($0), pages: [pages[$0].written()]) }))
    return trace.written()
  }

  /// Where nothing else ran on the first CPU meanwhile, its data tells of one turn only.
  @Test(arguments: [false, true], [false, true])
  func runsElsewhereAmidATurn(isSeen: Bool, isLeftOut: Bool) throws {
    let written = Self.movingTrace(isSeen: isSeen, isLeftOut: isLeftOut)
    let plain = try #require(try Self.outcome(written, of: ["outer"], bySieve: false))
    #expect(plain.ended.count + plain.unfinished.count == 1)
    #expect(try Self.outcome(written, of: ["outer"], bySieve: true) == (isSeen ? plain : nil))
  }

  @Test func anyNumberOfThreads() throws {
    let bytes = Self.trace(seed: 5, [.migration]).written()
    let one = try #require(try Self.outcome(bytes, of: ["outer"], bySieve: true))
    #expect(try Self.outcome(bytes, of: ["outer"], bySieve: true, jobs: .max) == one)
    let sums = try #require(try TallyTests.tallied(bytes, nil, jobs: 1))
    #expect(try TallyTests.tallied(bytes, nil, jobs: .max, parts: TallyParts.Limits(least: 4096)) == sums)
  }

  @Test func restartDeliversAll() throws {
    let bytes = Self.trace(seed: 5, [.gaps]).written()
    var reader = try DatReader(size: UInt64(bytes.count)) { (offset, target) throws(TraceError) -> Int in
      let count = min(target.count, bytes.count - Int(offset))
      target.copyBytes(from: bytes[Int(offset)..<Int(offset) + count])
      return count
    }
    try reader.selectFunctions { $0 == "outer" }
    var batch: [Event] = []
    while try reader.next(&batch) {}
    reader.restart()
    var count = 0
    while try reader.next(&batch) { count += batch.count }
    let isWhole = reader.leftOut == nil
    #expect(isWhole)
    #expect(count == (try Reading(bytes)).events.count)
  }
}
