internal import FunctionGraph

/// The calls of one buffer, merged by the times at which they end, in the order in which `CallBuilder` gives them. Where tasks
/// stay on their CPUs, each CPU is paired by itself, several at once. Where they move, all are read in step: each as far ahead
/// as one task's turn lasts, and whoever comes upon another task waits until the others have come as far.
struct PairedBuffer {
  struct Limits {
    /// Calls that a CPU gets ahead of the merge; from a quarter of them on it waits for the others.
    var callsAtOnce = 1 << 14
  }

  /// What all CPUs' calls that wait may take together.
  private static let waitingBytes = 64 << 20

  /// One CPU. A class, so that it changes in place whoever looks at it.
  fileprivate final class Lane {
    let stream: CPUStream
    let context: PageContext
    let pairing: CallPairing
    /// Of its functions, as many as are known by now.
    var functions: [FunctionID] = [.none]
    /// Of the last call.
    var pid = Int32.min
    var comm = StringTable.ID.none
    /// In its calls.
    var head = 0
    var isFinished = false

    var isEmpty: Bool { head == pairing.calls.count }
    /// Where it is not empty.
    var nextEnd: UInt64 { pairing.calls.base[head].end }

    init(_ stream: CPUStream, _ context: PageContext, _ pairing: CallPairing) {
      self.stream = stream
      self.context = context
      self.pairing = pairing
    }
  }

  private var lanes: [Lane] = []
  private var heap = MergeHeap()
  /// The records that the CPUs stand on, where they are read in step; nil before the first ones.
  private var records: MergeHeap?
  private let isInStep: Bool
  private let formats: GraphFormats
  private let jobs: Int
  private let cpus: [Int32]
  private let callsAtOnce: Int
  private let enough: Int
  private let buffer: UInt16
  private let unit: Timestamp.Unit

  /// - Parameters:
  ///   - lanes: by CPU; each pairing has its number, and all share their tasks where `isInStep`.
  init(
    _ lanes: [(stream: CPUStream, context: PageContext, pairing: CallPairing)], isInStep: Bool,
    formats: GraphFormats, buffer: UInt16, unit: Timestamp.Unit, jobs: Int, _ limits: Limits
  ) {
    self.lanes = lanes.map { Lane($0.stream, $0.context, $0.pairing) }
    self.isInStep = isInStep
    cpus = lanes.map(\.stream.cpu)
    self.formats = formats
    self.buffer = buffer
    self.unit = unit
    self.jobs = jobs
    let waiting = Self.waitingBytes / MemoryLayout<PairedCall>.stride / max(1, lanes.count)
    callsAtOnce = min(limits.callsAtOnce, max(64, waiting))
    enough = callsAtOnce / 4
    for lane in self.lanes { lane.pairing.enough = callsAtOnce }
  }

  /// Calls that are in memory.
  var waiting: Int { lanes.reduce(0) { $0 + $1.pairing.calls.count } }

  var losses: Int { lanes.reduce(0) { $0 + $1.pairing.losses } }
  var lostEvents: UInt64 { lanes.reduce(0) { $0 &+ $1.pairing.lostEvents } }
  var deepest: Int32 { lanes.reduce(-1) { max($0, $1.pairing.deepest) } }

  /// Appends the next calls, until there are at least `limit`; false where there are none left.
  mutating func deliver(
    into calls: inout [Call], limit: Int, _ decoder: inout EventDecoder
  ) throws(TraceError) -> Bool {
    while calls.count < limit {
      if isInStep { try readOn() } else { try refill() }
      guard let index = heap.first else { return false }
      let lane = lanes[index]
      lane.nameFunctions(&decoder)
      heap.update(
        to: lane.deliver(
          into: &calls, limit: limit, before: end(of: index), cpus, buffer, unit, decoder))
    }
    return true
  }

  /// Up to where the calls of `index`, the first of the heap, come before all others, those too that are to be found yet.
  private func end(of index: Int) -> (timestamp: UInt64, winsTies: Bool) {
    let limit = heap.limit
    guard let first = records?.first else { return limit }
    let horizon = (timestamp: lanes[first].stream.timestamp, winsTies: index <= first)
    if horizon.timestamp == limit.timestamp {
      return (horizon.timestamp, horizon.winsTies && limit.winsTies)
    }
    return horizon.timestamp < limit.timestamp ? horizon : limit
  }

  /// Reads until the first call of the heap comes before all that are to be found yet, in step.
  private mutating func readOn() throws(TraceError) {
    var records: MergeHeap
    if let begun = self.records {
      records = begun
    } else {
      records = MergeHeap()
      for (index, lane) in lanes.enumerated() where try lane.begin() {
        records.insert(index, at: lane.stream.timestamp)
      }
      if records.first == nil { finish() }
    }
    while let index = records.first {
      let lane = lanes[index]
      if let first = heap.first {
        let end = lanes[first].nextEnd
        let horizon = lane.stream.timestamp
        if end < horizon || end == horizon && first <= index { break }
      }
      let wasEmpty = lane.isEmpty
      lane.pairing.horizon = records.limit.timestamp
      try lane.readTurn(formats, callsAtOnce)
      if wasEmpty, !lane.isEmpty { heap.insert(index, at: lane.nextEnd) }
      records.update(to: lane.isFinished ? nil : lane.stream.timestamp)
      if records.first == nil { finish() }
    }
    self.records = records
  }

  /// The end of all CPUs' data.
  private mutating func finish() {
    for (index, lane) in lanes.enumerated() {
      let wasEmpty = lane.isEmpty
      lane.pairing.finish()
      if wasEmpty, !lane.isEmpty { heap.insert(index, at: lane.nextEnd) }
    }
  }

  /// Sees to it that every lane that may still get calls has one.
  private mutating func refill() throws(TraceError) {
    guard lanes.contains(where: { $0.isEmpty && !$0.isFinished }) else { return }
    let wanting = lanes.indices.filter {
      !lanes[$0].isFinished && lanes[$0].pairing.calls.count - lanes[$0].head < enough
    }
    let wereEmpty = wanting.filter { lanes[$0].isEmpty }
    var failures = [TraceError?](repeating: nil, count: wanting.count)
    let formats = self.formats
    let callsAtOnce = self.callsAtOnce
    let all = lanes
    failures.withUnsafeMutableBufferPointer { failures in
      inParallel(wanting.count, workers: jobs) { item, _ in
        do throws(TraceError) {
          try all[wanting[item]].fill(formats, callsAtOnce)
        } catch {
          failures[item] = error
        }
      }
    }
    if let failure = failures.compactMap({ $0 }).first { throw failure }
    for index in wereEmpty where !lanes[index].isEmpty {
      heap.insert(index, at: lanes[index].nextEnd)
    }
  }
}

extension PairedBuffer.Lane {
  fileprivate func nameFunctions(_ decoder: inout EventDecoder) {
    guard functions.count < pairing.functions.namesCount else { return }
    let names = pairing.functions.names
    while functions.count < names.count {
      functions.append(
        decoder.functions.intern(names[FunctionID(rawValue: UInt32(functions.count))]))
    }
  }

  /// Appends calls that end before `end`, or at it where that is this lane's turn.
  ///
  /// - Parameter cpus: by the numbers of the lanes.
  /// - Returns: when the next one ends; nil where there is none yet.
  fileprivate func deliver(
    into calls: inout [Call], limit: Int, before end: (timestamp: UInt64, winsTies: Bool), _ cpus: [Int32],
    _ buffer: UInt16, _ unit: Timestamp.Unit, _ decoder: borrowing EventDecoder
  ) -> UInt64? {
    let count = pairing.calls.count
    let base = pairing.calls.base
    let cpu = stream.cpu
    var head = self.head
    while head < count, calls.count < limit {
      let call = base[head]
      guard call.end < end.timestamp || call.end == end.timestamp && end.winsTies else { break }
      head += 1
      if call.pid != pid {
        pid = call.pid
        comm = decoder.tasks.name(of: pid)
      }
      let isUnfinished = call.status == .unfinished
      calls.append(
        Call(
          function: functions[Int(call.function)], status: call.status, buffer: buffer,
          cpu: isUnfinished ? cpus[call.entryLane] : cpu,
          pid: call.pid, comm: comm, depth: call.depth,
          timestamp: call.status == .noEntry ? .none : Timestamp(value: call.start, unit: unit),
          end: isUnfinished ? .none : Timestamp(value: call.end, unit: unit),
          duration: isUnfinished ? nil : call.duration, resolution: 1, sequence: call.sequence))
    }
    self.head = head
    return head < count ? base[head].end : nil
  }

  /// Reads on until there are `enough` calls, at the end of the data the last ones.
  fileprivate func fill(_ formats: GraphFormats, _ enough: Int) throws(TraceError) {
    makeRoom()
    while pairing.calls.count < enough {
      guard try advance() else {
        pairing.finish()
        break
      }
      try take(formats)
    }
  }

  /// Turns to the first record; false where there is none.
  fileprivate func begin() throws(TraceError) -> Bool { try advance() }

  /// Reads as long as one task's turn lasts, but no more than `enough` calls: where it goes on it will have its turn again.
  fileprivate func readTurn(_ formats: GraphFormats, _ enough: Int) throws(TraceError) {
    makeRoom()
    repeat {
      try take(formats)
      guard try advance() else { return }
    } while pairing.calls.count < enough && pairing.isTurn(of: stream, formats)
  }

  /// Those that were delivered are gone.
  private func makeRoom() {
    let calls = pairing.calls
    guard head > 0 else { return }
    let left = calls.count - head
    calls.base.update(from: calls.base + head, count: left)
    calls.setCount(left)
    head = 0
  }

  private func take(_ formats: GraphFormats) throws(TraceError) {
    var diagnostics = Diagnostics()
    pairing.take(stream, formats, &diagnostics)
    try demandNothing(of: diagnostics)
  }

  private func advance() throws(TraceError) -> Bool {
    var diagnostics = Diagnostics()
    if try stream.advance(context, &diagnostics) {
      try demandNothing(of: diagnostics)
      return true
    }
    isFinished = true
    return false
  }

  /// The file was looked through before.
  private func demandNothing(of diagnostics: Diagnostics) throws(TraceError) {
    guard pairing.isBroken || !diagnostics.isEmpty else { return }
    throw TraceError(.corrupt, at: stream.recordPlace, "the file has changed while it was read")
  }
}
