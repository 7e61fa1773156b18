import FunctionGraph
import Inputs
import TraceDat

/// A trace.dat several times: all events, and by each of the fast paths, whose calls have to be the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  // Symbols are read in one of two ways, and have to be the same.
  DatReader.expectsMore(false)
  guard var all = try? datReader(bytes), let events = try? drain(&all) else { return 0 }
  DatReader.expectsMore(true)
  // A record takes 8 bytes at least, and no byte of the file is read twice.
  precondition(events.count <= 4096 * (1 + size), "more events than the file can hold")
  check(bytes, all.functions, events, beginning: [], isWanted)
  check(bytes, all.functions, events, beginning: ["vfio_", "iommu_m", "0x"], isNamed)
  DatReader.expectsMore(false)
  check(bytes, all.functions, events, beginning: ["vfio_", "iommu_m"], isNamed)
  checkTally(bytes, calls: events)
  checkPairing(bytes, all.functions, events)
  return 0
}

/// Picking functions out has to give the same calls.
private func check(
  _ bytes: [UInt8], _ functions: FunctionTable, _ events: [Event], beginning prefixes: [String],
  _ isWanted: @escaping @Sendable (String) -> Bool
) {
  guard var some = try? datReader(bytes) else {
    preconditionFailure("the same bytes cannot be opened again")
  }
  func select() -> [Event] {
    guard (try? some.selectFunctions(beginning: prefixes, isWanted)) != nil, let fewer = try? drain(&some)
    else { preconditionFailure("the same bytes cannot be read again") }
    return fewer
  }
  var fewer = select()
  if some.leftOut?.isWorthRepeating == true {
    some.restart()
    fewer = select()
    precondition(some.leftOut?.isWorthRepeating == false, "a third look is asked for")
  }
  // Where it cannot be used, it ends before the file does.
  guard let leftOut = some.leftOut, leftOut.isComplete else { return }
  precondition(
    leftOut.exits == events.count { $0.kind == .exit }, "\(leftOut.exits) exits were seen by the fast path")
  precondition(
    calls(fewer, some.functions, isWanted) == calls(events, functions, isWanted),
    "other calls by the fast path")
}

/// Summing up while reading has to count the same calls.
private func checkTally(_ bytes: [UInt8], calls events: [Event]) {
  guard var reader = try? datReader(bytes) else {
    preconditionFailure("the same bytes cannot be opened again")
  }
  var sinks: [Sink] = []
  let found = try? reader.tally(
    { _ in true },
    makeSink: { lane in
      // A lane that is made again begins anew, without those behind it.
      sinks.removeSubrange(min(lane, sinks.count)...)
      while sinks.count <= lane { sinks.append(Sink()) }
      return sinks[lane]
    })
  guard let tally = found.flatMap({ $0 }) else { return }
  var builder = CallBuilder(buffersFollowOneAnother: true)
  var calls: [Call] = []
  builder.consume(events, into: &calls)
  builder.finish(into: &calls)
  precondition(tally.calls == calls.count, "\(tally.calls) calls summed up, \(calls.count) made")
  precondition(tally.losses == builder.losses && tally.deepest == builder.deepest, "other losses or depths")
  let durations = sinks.reduce(0) { $0 &+ $1.sum }
  precondition(durations == calls.reduce(0) { $0 &+ ($1.duration ?? 0) }, "other durations summed up")
}

/// Pairing while reading has to give the same calls.
private func checkPairing(_ bytes: [UInt8], _ functions: FunctionTable, _ events: [Event]) {
  guard var reader = try? datReader(bytes) else {
    preconditionFailure("the same bytes cannot be opened again")
  }
  guard (try? reader.pairsCalls()) == true else { return }
  var paired: [Call] = []
  var batch: [Call] = []
  while (try? reader.nextCalls(&batch)) == true { paired += batch }
  precondition(
    outcomes(paired, reader.functions) { _ in true } == calls(events, functions) { _ in true },
    "other calls paired")
}

private final class Sink: DurationSink {
  var sum: Int64 = 0
  func add(_ durations: UnsafeBufferPointer<TimedDuration>, of number: Int) {
    for timed in durations { sum &+= timed.duration }
  }
}

/// About half of all names.
@Sendable private func isWanted(_ symbol: String) -> Bool { symbol.utf8.count % 2 == 0 }

/// Names that can be searched for.
@Sendable private func isNamed(_ symbol: String) -> Bool {
  symbol.hasPrefix("vfio_") || symbol.hasPrefix("iommu_m")
}

/// What has to be the same of a call; its self time need not.
private struct Outcome: Equatable {
  var symbol: String
  var status: Call.Status
  var cpu: Int32
  var pid: Int32
  var depth: Int32
  var timestamp: Timestamp
  var duration: Int64?
}

/// The calls of the wanted functions that ended, in the order of their ends.
private func calls(
  _ events: [Event], _ functions: FunctionTable, _ isWanted: (String) -> Bool
) -> [Outcome] {
  var builder = CallBuilder(buffersFollowOneAnother: true)
  var calls: [Call] = []
  builder.consume(events, into: &calls)
  builder.finish(into: &calls)
  return outcomes(calls, functions, isWanted)
}

private func outcomes(
  _ calls: [Call], _ functions: FunctionTable, _ isWanted: (String) -> Bool
) -> [Outcome] {
  calls.compactMap { call in
    let symbol = functions[call.function].symbol
    guard call.status != .unfinished, isWanted(symbol) else { return nil }
    return Outcome(
      symbol: symbol, status: call.status, cpu: call.cpu, pid: call.pid, depth: call.depth,
      timestamp: call.timestamp, duration: call.duration)
  }
}
