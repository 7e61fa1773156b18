import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// Pairing each CPU by itself against pairing all events: the random traces of `SieveTests`, and captures.
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
  }

  /// nil where the reader says that it has to read event by event.
  static func outcome(_ bytes: [UInt8], byCPU: Bool, jobs: Int = 1) throws -> Outcome? {
    var reader = try TallyTests.reader(bytes, jobs: jobs)
    var calls: [Call] = []
    var result = Outcome()
    if byCPU {
      guard try reader.pairsCalls() else { return nil }
      var batch: [Call] = []
      while try reader.nextCalls(&batch) { calls += batch }
      (result.losses, result.lostEvents, result.deepest) = reader.pairedSums
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
    SieveTests.Sort(harm: [], least: 45), SieveTests.Sort(harm: .gaps, least: 45),
    SieveTests.Sort(harm: .losses, least: 45), SieveTests.Sort(harm: [.gaps, .losses], least: 45),
    SieveTests.Sort(harm: [.gaps, .losses, .migration], least: 0),
    SieveTests.Sort(harm: [.gaps, .losses, .migration, .nonsense], least: 0),
    SieveTests.Sort(harm: .nonsense, least: 0),
  ])
  func sameCalls(_ sort: SieveTests.Sort) throws {
    var paired = 0
    var calls = 0
    var unfinished = 0
    for seed in 1...60 as ClosedRange<UInt64> {
      let bytes = SieveTests.trace(seed: seed, sort.harm).written()
      guard let fast = try Self.outcome(bytes, byCPU: true) else { continue }
      paired += 1
      calls += fast.ended.count
      unfinished += fast.unfinished.count
      let plain = try Self.outcome(bytes, byCPU: false)
      #expect(fast == plain, "seed \(seed)")
      let several = try Self.outcome(bytes, byCPU: true, jobs: 3)
      #expect(fast == several, "seed \(seed), several threads")
    }
    #expect(paired >= sort.least)
    #expect(sort.least == 0 || calls > 10_000 && unfinished > 100)
  }

  /// Every capture too.
  @Test(arguments: OracleTests.files)
  func sameCallsOfCaptures(path: String) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    guard let fast = try Self.outcome(bytes, byCPU: true) else { return }
    let plain = try Self.outcome(bytes, byCPU: false)
    #expect(fast == plain)
  }

  @Test("A trace whose tasks move between CPUs is read as if nothing had been looked at before")
  func migration() throws {
    let seeds = (1...20 as ClosedRange<UInt64>).filter { seed in
      let bytes = SieveTests.trace(seed: seed, [.migration]).written()
      guard var reader = try? TallyTests.reader(bytes, jobs: 2), (try? reader.pairsCalls()) == false else {
        return false
      }
      var events = 0
      var batch: [Event] = []
      while (try? reader.next(&batch)) == true { events += batch.count }
      return events == (try? Reading(bytes))?.events.count
    }
    #expect(seeds.count >= 15)
  }
}
