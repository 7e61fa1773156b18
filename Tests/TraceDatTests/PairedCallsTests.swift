import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// Pairing CPU by CPU, or several in step, against pairing all events: the random traces of `SieveTests`, and captures.
@Suite struct PairedCallsTests {
  struct Outcome: Equatable {
    /// In their order.
    var ended: [String] = []
    var unfinished: [String] = []
    var losses = 0
    var lostEvents: UInt64 = 0
    var deepest: Int32 = -1
    var diagnostics: [Diagnostic.Kind: Int] = [:]
    var tracer = ""
    /// Not compared: whether a task was seen on several CPUs.
    var isInStep = false

    static func == (one: Self, other: Self) -> Bool {
      one.ended == other.ended && one.unfinished == other.unfinished && one.losses == other.losses
        && one.lostEvents == other.lostEvents && one.deepest == other.deepest
        && one.diagnostics == other.diagnostics && one.tracer == other.tracer
    }
  }

  /// nil where the reader says that it has to read event by event.
  static func outcome(
    _ bytes: [UInt8], byCPU: Bool, jobs: Int = 1, limits: PairedBuffer.Limits = .init()
  ) throws -> Outcome? {
    var reader = try TallyTests.reader(bytes, jobs: jobs, pairing: limits)
    var calls: [Call] = []
    var result = Outcome()
    if byCPU {
      guard try reader.pairsCalls() else { return nil }
      var batch: [Call] = []
      while try reader.nextCalls(&batch) { calls += batch }
      (result.losses, result.lostEvents, result.deepest) = reader.pairedSums
      result.isInStep = reader.pairsInStep
    } else {
      var builder = CallBuilder(buffersFollowOneAnother: true)
      var batch: [Event] = []
      while try reader.next(&batch) { builder.consume(batch, into: &calls) }
      builder.finish(into: &calls)
      (result.losses, result.lostEvents, result.deepest) = (
        builder.losses, builder.lostEvents, builder.deepest
      )
    }
    func text(_ call: Call) -> String {
      """
      \(reader.functions[call.function]) \(call.status) \(call.buffer) \(call.cpu) \(call.pid) \
      \(reader.comms[call.comm]) \(call.depth) \(call.timestamp) \(call.end) \(call.duration ?? -1) \
      \(call.resolution)
      """
    }
    result.ended = calls.filter { $0.status != .unfinished }.map(text)
    // As `SelectedCalls` puts them.
    let unfinished = calls.filter { $0.status == .unfinished }
    result.unfinished =
      byCPU
      ? unfinished.sorted {
        ($0.buffer, $0.timestamp.value, $0.cpu, $0.sequence)
          < ($1.buffer, $1.timestamp.value, $1.cpu, $1.sequence)
      }.map(text)
      : unfinished.sorted { ($0.buffer, $0.sequence) < ($1.buffer, $1.sequence) }.map(text)
    result.diagnostics = reader.diagnostics.counts
    result.tracer = reader.description.tracer
    return result
  }

  @Test(arguments: [
    SieveTests.Sort(harm: [], least: 28), SieveTests.Sort(harm: .gaps, least: 28),
    SieveTests.Sort(harm: .losses, least: 28), SieveTests.Sort(harm: [.gaps, .losses], least: 28),
    SieveTests.Sort(harm: .migration, least: 28), SieveTests.Sort(harm: [.losses, .migration], least: 28),
    SieveTests.Sort(harm: [.gaps, .losses, .migration], least: 28),
    SieveTests.Sort(harm: [.gaps, .losses, .migration, .midway], least: 28),
    SieveTests.Sort(harm: [.losses, .migration, .ties], least: 12),
    SieveTests.Sort(harm: [.gaps, .losses, .migration, .nonsense], least: 0),
    SieveTests.Sort(harm: .nonsense, least: 0),
    SieveTests.Sort(harm: .alone, least: 28), SieveTests.Sort(harm: [.alone, .gaps, .losses], least: 28),
    SieveTests.Sort(harm: [.alone, .midway], least: 28),
    SieveTests.Sort(harm: [.alone, .losses, .nonsense], least: 0),
  ])
  func sameCalls(_ sort: SieveTests.Sort) throws {
    var paired = 0
    var calls = 0
    var unfinished = 0
    var inStep = 0
    for seed in 1...40 as ClosedRange<UInt64> {
      let bytes = SieveTests.trace(seed: seed, sort.harm).written()
      let one = try Self.outcome(bytes, byCPU: true)
      // These look the file through in pieces of a page.
      let several = try Self.outcome(bytes, byCPU: true, jobs: 3)
      #expect(one == several, "seed \(seed), several threads")
      guard let fast = one else { continue }
      paired += 1
      calls += fast.ended.count
      unfinished += fast.unfinished.count
      if fast.isInStep { inStep += 1 }
      let plain = try Self.outcome(bytes, byCPU: false)
      #expect(fast == plain, "seed \(seed)")
      let narrow = try Self.outcome(bytes, byCPU: true, limits: PairedBuffer.Limits(callsAtOnce: 4))
      #expect(fast == narrow, "seed \(seed), few calls at once")
    }
    #expect(paired >= sort.least)
    #expect(!sort.harm.isDisjoint(with: [.migration, .alone]) ? inStep >= sort.least * 3 / 4 : inStep == 0)
    #expect(sort.least == 0 || calls > 6_000 && unfinished > 60)
  }

  /// Every capture too.
  @Test(arguments: OracleTests.files)
  func sameCallsOfCaptures(path: String) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    guard let fast = try Self.outcome(bytes, byCPU: true) else { return }
    let plain = try Self.outcome(bytes, byCPU: false)
    #expect(fast == plain)
  }

  /// Where a CPU's data does not tell that its task ran elsewhere, all is read as if nothing had been looked at before.
  @Test(arguments: [false, true])
  func runsElsewhereAmidATurn(isSeen: Bool) throws {
    let bytes = SieveTests.movingTrace(isSeen: isSeen, isLeftOut: false)
    let fast = try Self.outcome(bytes, byCPU: true)
    if isSeen {
      #expect(fast == (try Self.outcome(bytes, byCPU: false)))
      #expect(fast?.isInStep == true)
    } else {
      #expect(fast == nil)
      var reader = try TallyTests.reader(bytes, jobs: 2)
      let isPaired = try reader.pairsCalls()
      #expect(!isPaired)
      var events = 0
      var batch: [Event] = []
      while try reader.next(&batch) { events += batch.count }
      #expect(events == (try Reading(bytes)).events.count)
    }
  }

  /// Where all records are as usual, as of one function alone, calls are made no faster than they are taken.
  @Test(arguments: [false, true])
  func waitsForThoseWhoTakeThem(isMoving: Bool) throws {
    let bytes = SyntheticTrace.Bytes(isBigEndian: false, longSize: 8)
    let formats = SyntheticFormats(variant: .today, bytes: bytes)
    var trace = SyntheticTrace(version: 7, bytes: bytes, pageSize: 4096)
    trace.compression = .none
    trace.formats = formats.texts
    var time: UInt64 = 1_000_000
    let address = SieveTests.addresses[0]
    var cpus = (0..<2).map { SyntheticTrace.CPU(number: UInt32($0), pages: []) }
    for turn in 0..<200 {
      for cpu in 0..<2 {
        var page = SyntheticPage(bytes, size: 4096, timestamp: time)
        let pid = Int32(isMoving && turn == 100 ? 43 - cpu : 42 + cpu)
        for _ in 0..<40 {
          page.record(time + 100, formats.entry(address, depth: 0, pid: pid))
          page.record(time + 200, formats.exit(address, depth: 0, pid: pid, from: time + 100, to: time + 200))
          time += 200
        }
        cpus[cpu].pages.append(page.written())
        // Long enough to be a turn's end.
        time += 1_000_000
      }
    }
    trace.buffers.append(.init(name: "", cpus: cpus))
    var reader = try TallyTests.reader(
      trace.written(), jobs: 2, pairing: PairedBuffer.Limits(callsAtOnce: 64))
    let isPaired = try reader.pairsCalls()
    try #require(isPaired && reader.pairsInStep == isMoving)
    var most = 0
    var count = 0
    var batch: [Call] = []
    while try reader.nextCalls(&batch) {
      count += batch.count
      most = max(most, reader.paired?.waiting ?? 0)
    }
    #expect(count == 200 * 2 * 40)
    // Of each CPU so many, and the rest of a page.
    #expect(most > 64 && most <= 2 * (64 + 40))
  }
}
