internal import FunctionGraph

/// A call that has ended, or of which it has turned out that its exit is missing, as the records of one CPU tell it.
struct PairedCall: BitwiseCopyable {
  /// Of the record in which that was noticed; at the end of the data the largest.
  var end: UInt64
  /// Of the entry.
  var start: UInt64
  /// Nanoseconds, −1 where there is none.
  var duration: Int64
  /// Of its entry: the CPU's number among those of the buffer (16 bits) in front of the entry's number on that CPU.
  var sequence: UInt64
  /// In the names of `PairedFunctions`.
  var function: UInt32
  var pid: Int32
  var depth: Int32
  var status: Call.Status

  /// The number of the CPU on which it was entered.
  var entryLane: Int { Int(truncatingIfNeeded: sequence >> Self.laneShift) }
  static var laneShift: UInt64 { 48 }
  /// CPUs of a buffer whose numbers there is room for.
  static var mostLanes: Int { 1 << 16 }
}

/// Pairs the entries and exits of one CPU, record by record. Its tasks run on no other, or the others are read in step and
/// share them.
///
/// The rules are those of `CallBuilder` for records that name task, depth and function. What they say of records that only
/// damage brings about is left to them: `isBroken`.
final class CallPairing {
  struct Frame: BitwiseCopyable {
    var start: UInt64
    var sequence: UInt64
    var function: UInt32
    var depth: Int32
    /// Of the function, as the entry has it.
    var address: UInt64

    /// Below all others, so that there is always one.
    static var none: Frame { Frame(start: 0, sequence: 0, function: .max, depth: -1, address: 0) }
  }

  let layout: SkimLayout
  /// Added to every stamp.
  let offset: UInt64
  /// Of the stamps.
  private let unit: Timestamp.Unit
  /// Among the CPUs of its buffer.
  let number: Int
  let functions: PairedFunctions
  private let tasks: PairedTasks
  private let endsTurnsAtGaps: Bool
  /// Nothing of another CPU comes before this time.
  var horizon: UInt64 = 0
  /// Whose turn it is; nil where the next record has to be looked at by `take`.
  private(set) var current: PairedTask?
  private(set) var currentPID: Int32 = .min
  /// Of the last entry and exit that were looked at: most others are as long.
  private(set) var entryHead = RecordHead.none
  private(set) var exitHead = RecordHead.none

  /// Those that have ended and were not taken yet.
  let calls = GrowingTable<PairedCall>(capacity: 1 << 12)
  /// `skim` takes nothing while there are so many: where all records are as usual it would not end before the data does.
  var enough = Int.max
  private(set) var sequence: UInt64
  private(set) var losses = 0
  private(set) var lostEvents: UInt64 = 0
  var deepest: Int32 = -1
  var isBroken = false

  /// - Parameters:
  ///   - offset: added to every stamp.
  ///   - unit: of the stamps.
  ///   - number: among the CPUs of its buffer, below `PairedCall.mostLanes`.
  ///   - endsTurnsAtGaps: whether a turn ends where nothing was recorded for a while (see `Turn`), unless that goes on before
  ///     `horizon`.
  init(
    _ layout: SkimLayout, offset: UInt64, unit: Timestamp.Unit, number: Int, _ functions: PairedFunctions,
    _ tasks: PairedTasks,
    endsTurnsAtGaps: Bool = false
  ) {
    self.endsTurnsAtGaps = endsTurnsAtGaps
    self.layout = layout
    self.offset = offset
    self.unit = unit
    self.number = number
    self.functions = functions
    self.tasks = tasks
    sequence = UInt64(number) << PairedCall.laneShift
  }

  /// Takes the record that `stream` stands on.
  func take(_ stream: CPUStream, _ formats: GraphFormats, _ diagnostics: inout Diagnostics) {
    let record = GraphRecord(stream, formats, &diagnostics)
    switch record.kind {
    case .lost:
      losses += 1
      tasks.noteLoss(on: number, at: record.timestamp)
      lostEvents &+= record.lostEvents
      current = nil
    case .entry, .exit:
      guard record.pid >= 0, record.depth >= 0, record.depth <= Int32(FunctionSieve.deepestPlausible),
        record.address != 0, record.kind == .entry || record.duration >= 0
      else {
        isBroken = true
        return
      }
      let head = RecordHead.of(stream.cursor, formats)
      let task = task(record.pid, at: record.timestamp)
      task.seen = record.timestamp
      let function = functions.number(of: record.address)
      deepest = max(deepest, record.depth)
      if record.kind == .entry {
        entryHead = head
        abandon(from: record.depth, of: task, record.pid, at: record.timestamp)
        task.frames.append(
          Frame(
            start: record.timestamp, sequence: sequence, function: function, depth: record.depth,
            address: record.address))
        sequence += 1
      } else {
        exitHead = head
        leave(record, function, task)
      }
    default: break
    }
  }

  /// The end of all data: what is still open is unfinished.
  func finish() {
    for (pid, task) in tasks.take(from: number) { abandon(from: 0, of: task, pid, at: .max) }
    current = nil
  }

  /// Whether the record that `stream` stands on is one of the turn at hand.
  func isTurn(of stream: CPUStream, _ formats: GraphFormats) -> Bool {
    guard let current, stream.isRecord(of: currentPID, formats) else { return false }
    return !endsTurnsAtGaps || stream.timestamp &- current.seen < Turn.gap || stream.timestamp < horizon
  }

  private func leave(_ record: GraphRecord, _ function: UInt32, _ task: PairedTask) {
    abandon(from: record.depth + 1, of: task, record.pid, at: record.timestamp)
    let top = task.frames.base[task.frames.count - 1]
    var call = PairedCall(
      end: record.timestamp, start: top.start, duration: record.duration, sequence: top.sequence,
      function: function, pid: record.pid, depth: record.depth, status: .complete)
    let isLost = task.lostBelow == task.frames.count - 1
    if top.depth == record.depth, top.function == function,
      !isLost || record.isPlausible(since: top.start, unit)
    {
      task.frames.removeLast()
      if isLost { call.status = .lost }
      task.lostBelow = min(task.lostBelow, task.frames.count - 1)
    } else {
      abandon(from: record.depth, of: task, record.pid, at: record.timestamp)
      call.status = .noEntry
    }
    calls.append(call)
  }

  /// The open calls of `depth` and deeper have no exit.
  private func abandon(from depth: Int32, of task: PairedTask, _ pid: Int32, at time: UInt64) {
    let frames = task.frames
    while frames.base[frames.count - 1].depth >= depth {
      let frame = frames.base[frames.count - 1]
      frames.removeLast()
      calls.append(
        PairedCall(
          end: time, start: frame.start, duration: -1, sequence: frame.sequence, function: frame.function,
          pid: pid, depth: frame.depth, status: .unfinished))
    }
    task.lostBelow = min(task.lostBelow, frames.count - 1)
  }

  private func task(_ pid: Int32, at time: UInt64) -> PairedTask {
    if let current, pid == currentPID, current.lane == number { return current }
    let task = tasks.task(pid, on: number)
    if task.lane != number {
      if !tasks.move(task, to: number, at: time) { isBroken = true }
    } else if losses > task.lastLoss {
      task.lostBelow = task.frames.count - 1
    }
    task.lastLoss = losses
    current = task
    currentPID = pid
    return task
  }

  /// Takes records as long as they are as usual, and stands before the first that is not. The reasons are those of
  /// `StackTally.skim`, but for paths and self times, of which nothing is asked here.
  ///
  /// - Parameter last: the time stamp of the record before, converted.
  func skim(_ cursor: inout SubBufferCursor, _ last: inout UInt64) {
    guard calls.count < enough,
      let task = current, task.lane == number, task.lostBelow == 0, cursor.timestamp &+ offset >= last,
      !endsTurnsAtGaps || cursor.timestamp &+ offset &- last < Turn.gap
        || cursor.timestamp &+ offset < horizon
    else { return }
    let mask = endsTurnsAtGaps ? RecordHead.maskOfClose : RecordHead.mask
    let layout = self.layout
    let entry = entryHead
    let exit = exitHead
    let pid = currentPID
    let behind = cursor.base + cursor.end
    var record = cursor.base + cursor.position
    let start = record
    var time = cursor.timestamp &+ offset
    var deepest = UInt32(bitPattern: max(self.deepest, 0))
    var sequence = self.sequence
    let functionCache = functions.cache.base
    // More records than fit into the rest of the page there are not.
    calls.reserve(calls.count + (behind - record) / 8)
    var next = calls.base + calls.count
    let frames = task.frames.base
    var top = frames + (task.frames.count &- 1)
    let highest = frames + (task.frames.capacity &- 1)

    while record < behind {
      let word = UInt64(littleEndian: record.loadUnaligned(as: UInt64.self))
      var head = word & mask
      if head != entry, head != exit {
        // Behind a gap.
        guard time &+ UInt64(UInt32(truncatingIfNeeded: word) >> 5) < horizon else { break }
        head = word & RecordHead.mask
      }
      let isExit = head == exit
      let following = record + (Int(truncatingIfNeeded: head & 31) &* 4 &+ 4)
      guard isExit || head == entry, following <= behind else { break }
      // From here on every field that is read lies within the record.
      let data = record + 4
      let address = UInt64(
        littleEndian: data.loadUnaligned(fromByteOffset: layout.function, as: UInt64.self))
      let process = Int32(littleEndian: data.loadUnaligned(fromByteOffset: layout.pid, as: Int32.self))
      let depth = UInt32(
        littleEndian: data.loadUnaligned(
          fromByteOffset: isExit ? layout.exitDepth : layout.entryDepth, as: UInt32.self))
      guard process == pid, address != 0 else { break }
      let stamp = time &+ UInt64(UInt32(truncatingIfNeeded: word) >> 5)
      if isExit {
        let from = UInt64(
          littleEndian: data.loadUnaligned(fromByteOffset: layout.callTime, as: UInt64.self))
        let to = UInt64(
          littleEndian: data.loadUnaligned(fromByteOffset: layout.returnTime, as: UInt64.self))
        let duration = Int64(bitPattern: to &- from)
        // `Frame.none` has no address.
        let frame = top.pointee
        guard frame.address == address, UInt32(bitPattern: frame.depth) == depth, duration >= 0 else {
          break
        }
        next.pointee = PairedCall(
          end: stamp, start: frame.start, duration: duration, sequence: frame.sequence,
          function: frame.function, pid: pid, depth: frame.depth, status: .complete)
        next += 1
        top -= 1
      } else {
        let known = functionCache[StackTally.slot(address)]
        guard known.address == address, depth <= FunctionSieve.deepestPlausible,
          Int32(bitPattern: depth) > top.pointee.depth,
          top < highest
        else { break }
        top += 1
        top.pointee = Frame(
          start: stamp, sequence: sequence, function: known.function, depth: Int32(bitPattern: depth),
          address: address)
        sequence &+= 1
        deepest = max(deepest, depth)
      }
      time = stamp
      record = following
    }
    guard record != start else { return }
    if time < last { isBroken = true }
    cursor.skip(to: record - cursor.base, time: time &- offset)
    last = time
    task.seen = time
    calls.setCount(next - calls.base)
    task.frames.setCount(top - frames + 1)
    self.sequence = sequence
    self.deepest = max(self.deepest, Int32(bitPattern: deepest))
  }
}
