internal import FunctionGraph

/// The calls of one buffer whose tasks stay on their CPUs: each CPU paired by itself, several at once, and merged by the
/// times at which the calls end, in the order in which `CallBuilder` gives them.
struct PairedBuffer {
  /// Calls that a CPU gets ahead of the merge; and from how many on it waits for the others.
  private static let callsAtOnce = 1 << 14
  private static let enough = callsAtOnce / 4
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

    init(_ stream: CPUStream, _ context: PageContext, _ pairing: CallPairing) {
      self.stream = stream
      self.context = context
      self.pairing = pairing
    }
  }

  private var lanes: [Lane] = []
  private var heap = MergeHeap()
  private let formats: GraphFormats
  private let jobs: Int
  private let callsAtOnce: Int
  private let buffer: UInt16
  private let unit: Timestamp.Unit

  init(
    _ lanes: [(stream: CPUStream, context: PageContext, pairing: CallPairing)], formats: GraphFormats,
    buffer: UInt16, unit: Timestamp.Unit, jobs: Int
  ) {
    self.lanes = lanes.map { Lane($0.stream, $0.context, $0.pairing) }
    self.formats = formats
    self.buffer = buffer
    self.unit = unit
    self.jobs = jobs
    let waiting = Self.waitingBytes / MemoryLayout<PairedCall>.stride / max(1, lanes.count)
    callsAtOnce = max(64, min(Self.callsAtOnce, waiting))
  }

  var losses: Int { lanes.reduce(0) { $0 + $1.pairing.losses } }
  var lostEvents: UInt64 { lanes.reduce(0) { $0 &+ $1.pairing.lostEvents } }
  var deepest: Int32 { lanes.reduce(-1) { max($0, $1.pairing.deepest) } }

  /// Appends the next calls, until there are at least `limit`; false where there are none left.
  mutating func deliver(
    into calls: inout [Call], limit: Int, _ decoder: inout EventDecoder
  ) throws(TraceError) -> Bool {
    while calls.count < limit {
      try refill()
      guard let index = heap.first else { return false }
      let limitOfLane = heap.limit
      let lane = lanes[index]
      lane.nameFunctions(&decoder)
      heap.update(
        to: lane.deliver(
          into: &calls, limit: limit, before: limitOfLane.timestamp, winsTies: limitOfLane.winsTies,
          buffer, unit, decoder))
    }
    return true
  }

  /// Sees to it that every lane that may still get calls has one.
  private mutating func refill() throws(TraceError) {
    guard lanes.contains(where: { $0.isEmpty && !$0.isFinished }) else { return }
    let wanting = lanes.indices.filter {
      !lanes[$0].isFinished && lanes[$0].pairing.calls.count - lanes[$0].head < Self.enough
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
      heap.insert(index, at: lanes[index].pairing.calls.base[lanes[index].head].end)
    }
  }
}

extension PairedBuffer.Lane {
  fileprivate func nameFunctions(_ decoder: inout EventDecoder) {
    guard functions.count < pairing.namesCount else { return }
    let names = pairing.names
    while functions.count < names.count {
      functions.append(
        decoder.functions.intern(names[FunctionID(rawValue: UInt32(functions.count))]))
    }
  }

  /// Appends calls that end before `time`, or at it where that is this lane's turn.
  ///
  /// - Returns: when the next one ends; nil where there is none yet.
  fileprivate func deliver(
    into calls: inout [Call], limit: Int, before time: UInt64, winsTies: Bool, _ buffer: UInt16,
    _ unit: Timestamp.Unit, _ decoder: borrowing EventDecoder
  ) -> UInt64? {
    let count = pairing.calls.count
    let base = pairing.calls.base
    let cpu = stream.cpu
    var head = self.head
    while head < count, calls.count < limit {
      let call = base[head]
      guard call.end < time || call.end == time && winsTies else { break }
      head += 1
      if call.pid != pid {
        pid = call.pid
        comm = decoder.tasks.name(of: pid)
      }
      let isUnfinished = call.status == .unfinished
      calls.append(
        Call(
          function: functions[Int(call.function)], status: call.status, buffer: buffer, cpu: cpu,
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
    let calls = pairing.calls
    let left = calls.count - head
    if head > 0 {
      calls.base.update(from: calls.base + head, count: left)
      calls.setCount(left)
      head = 0
    }
    var diagnostics = Diagnostics()
    while calls.count < enough {
      guard try stream.advance(context, &diagnostics) else {
        pairing.finish()
        isFinished = true
        break
      }
      pairing.take(stream, formats, &diagnostics)
      // The file was looked through before.
      if pairing.isBroken || !diagnostics.isEmpty {
        throw TraceError(.corrupt, at: stream.recordPlace, "the file has changed while it was read")
      }
    }
  }
}
