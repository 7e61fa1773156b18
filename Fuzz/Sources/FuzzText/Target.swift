import FunctionGraph
import Inputs
@_spi(Testing) import TraceText

/// Text of any kind: read whole, in small pieces, and without the lane for strictly laid out lines, with the same result.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  var whole = textReader(bytes)
  guard let events = try? drain(&whole) else { return 0 }
  var pieces = textReader(bytes, blockSize: 1 + size % 61)
  let again = try? drain(&pieces)
  precondition(again?.count == events.count, "the size of blocks matters")
  precondition(whole.diagnostics.kept == pieces.diagnostics.kept, "diagnostics depend on the size of blocks")
  var general = textReader(bytes)
  general.readAllTheGeneralWay()
  guard let plain = try? drain(&general) else { preconditionFailure("the general way cannot read it") }
  precondition(plain.count == events.count, "the strict lane gives other events")
  for (a, b) in zip(plain, events) {
    precondition(a.kind == b.kind && a.depth == b.depth && a.cpu == b.cpu && a.pid == b.pid)
    precondition(a.timestamp == b.timestamp && a.duration == b.duration && a.resolution == b.resolution)
    precondition(general.functions[a.function] == whole.functions[b.function])
    precondition(general.comms[a.comm] == whole.comms[b.comm])
  }
  precondition(whole.diagnostics.kept == general.diagnostics.kept, "the strict lane gives other diagnostics")
  fuzzRanges(bytes, plain, general.functions)
  _ = bytes.withUnsafeBytes { TextReader.looksLikeTrace($0) }
  return 0
}

/// Looked through by ranges, for some functions and for the sums of all.
private func fuzzRanges(_ bytes: [UInt8], _ plain: [Event], _ functions: FunctionTable) {
  let isWanted: @Sendable (String) -> Bool = { $0.utf8.count % 3 == 0 }
  let size = UInt64(100 + bytes.count % 700)
  var builder = CallBuilder(tracksPaths: true)
  var calls: [Call] = []
  builder.consume(plain, into: &calls)
  builder.finish(into: &calls)
  let ended = calls.count { $0.status != .unfinished }
  let wanted = calls.filter { $0.function != .none && isWanted(functions[$0.function].symbol) }
  let total = wanted.reduce(Int64(0)) { $0 &+ ($1.duration ?? 0) }

  var ranged = textReader(bytes, rangeSize: size)
  ranged.selectFunctions(after: 0, isWanted)
  if let events = try? drain(&ranged), let leftOut = ranged.leftOut, leftOut.isComplete {
    var builder = CallBuilder()
    var calls: [Call] = []
    builder.consume(events, into: &calls)
    builder.finish(into: &calls)
    let found = calls.filter { $0.function != .none && isWanted(ranged.functions[$0.function].symbol) }
    precondition(leftOut.exits == UInt64(ended), "the ranges count other calls")
    precondition(found.count == wanted.count, "the ranges give other calls")
    precondition(
      found.reduce(Int64(0)) { $0 &+ ($1.duration ?? 0) } == total, "the ranges give other durations")
  }

  final class Sum: DurationSink {
    var total: Int64 = 0
    func add(_ durations: UnsafeBufferPointer<TimedDuration>, of number: Int) {
      for timed in durations { total &+= timed.duration }
    }
  }
  let sum = Sum()
  var summed = textReader(bytes, rangeSize: size)
  if let tally = try? summed.tally(isWanted, makeSink: { _ in sum }) {
    let count = tally.functions.reduce(0) { $0 + $1.complete + $1.unfinished + $1.noEntry + $1.lost }
    precondition(count == wanted.count, "the sums are of other calls")
    precondition(sum.total == total, "the sums are of other durations")
    let whole = wholeCalls(calls, builder.paths) { $0 != .none && isWanted(functions[$0].symbol) }
    precondition(tally.sums.reduce(0) { $0 + $1.sum.calls } == whole.count, "the paths are of other calls")
    precondition(
      tally.sums.reduce(Int64(0)) { $0 &+ $1.sum.selfTime }
        == whole.reduce(Int64(0)) { $0 &+ ($1.selfTime ?? 0) }, "the paths have other self times")
  }
}

/// Outermost wanted calls and all calls in them, where all of these have both their ends.
private func wholeCalls(_ calls: [Call], _ paths: CallPaths, isWanted: (FunctionID) -> Bool) -> [Call] {
  var whole: [Call] = []
  // Calls come behind those that they made.
  var below: [UInt32: [Call]] = [:]
  for call in calls {
    var root: CallPaths.ID?
    var path = call.path
    while path != CallPaths.root {
      if isWanted(paths.function(path)) { root = path }
      path = paths.parent(path)
    }
    guard let root else { continue }
    below[call.stack, default: []].append(call)
    guard root == call.path else { continue }
    let all = below.removeValue(forKey: call.stack) ?? []
    if all.allSatisfy({ $0.status == .complete && $0.duration != nil }) { whole += all }
  }
  return whole
}
