internal import FunctionGraph

/// Tells records of wanted functions from all others, and sees to it that what is left out is not missed.
///
/// Calls pair by task and depth, so that of another function only one thing matters: that its task came up to a depth at
/// which a wanted call was still open. A stream therefore delivers of the others those that are less deep than all that
/// it saw since the last wanted record of the task, and the first one of a task's turn: where it ran before, another stream
/// may have delivered anything. When a turn ends, what was left out of it last is told as an `unwound` below all depths:
/// lost events mark the tasks of a CPU by where and when each was last seen.
///
/// A record in front of which none was left out could as well begin a turn: nothing that is left out later depends on what
/// was before it.
///
/// This holds as long as time does not go back, depths are plausible, and a task does not run elsewhere amid what a stream
/// takes for one turn, which `SievedBuffer` sees; where that is not so, `needsAll` says so.
final class FunctionSieve {
  enum Verdict {
    case wanted, skipped
    /// With the record's depth.
    case unwound(Int32)
  }

  /// Slots for addresses that are known not to be wanted; a power of two. A trace has some thousand functions.
  static let slots = 1 << 13
  /// Tasks of which the CPU is remembered.
  static let mostTasks = 1 << 18
  /// No call is so deep: the kernel's shadow stack holds some 50 (include/linux/ftrace.h, `FTRACE_RETFUNC_DEPTH`).
  static let deepestPlausible: UInt32 = 1 << 16

  let layout: SkimLayout?
  /// The address of an unwanted function, or 0, by the hash of the address: one load and one compare a record.
  let unwanted = RawBlock(capacity: slots * 8)
  /// Where the wanted functions are known to lie.
  let wantedRange: WantedRange?
  private let formats: GraphFormats
  private let isWanted: @Sendable (String) -> Bool
  private let symbols: SymbolIndex
  let notesTasks: Bool
  /// Turns end at such ones; see `Turn`.
  let gap: UInt64
  private var known = IntegerMap()
  /// Those that were looked at last.
  private var names = FunctionTable()
  private static let mostNames = 1 << 12
  private var cpuOfTask = IntegerMap()
  private var tasks = 0
  /// Of the last entry and exit that were looked at: most others are as long.
  private(set) var entryHead = RecordHead.none
  private(set) var exitHead = RecordHead.none
  /// Added to every stamp; see `TimestampConversion.offset`.
  private(set) var offset: UInt64 = 0

  private(set) var exits: UInt64 = 0
  private(set) var deepest: Int64 = -1
  private(set) var hasSeenRecords = false
  /// Records that were delivered.
  private var passed: UInt64 = 0
  /// Where more than a small part of all records is delivered, that is reason for `needsAll`: to make events of them takes
  /// longer than to sum all of them up.
  var demandsFew = false
  /// A task was seen on several CPUs, or there were too many tasks to tell; where that is noted.
  private(set) var tasksMove = false
  /// The trace has to be read again with all functions.
  var needsAll = false
  /// Records of other events are looked at.
  var stopsAtOthers = false

  /// - Parameters:
  ///   - wantedRange: of the functions that `isWanted` accepts; nil where that is not known.
  ///   - notesTasks: whether `tasksMove` is wanted.
  ///   - gap: as of `Turn`, or `Turn.noGap`.
  init(
    _ formats: GraphFormats, _ order: ByteOrder, isWanted: @escaping @Sendable (String) -> Bool,
    symbols: SymbolIndex, wantedRange: WantedRange? = nil, notesTasks: Bool = false,
    gap: UInt64 = Turn.noGap
  ) {
    self.gap = gap
    self.notesTasks = notesTasks
    self.wantedRange = wantedRange
    self.formats = formats
    self.isWanted = isWanted
    self.symbols = symbols
    layout = SkimLayout(formats, order)
    unwanted.memory.initializeMemory(as: UInt8.self, repeating: 0)
    // No address stands for the address 0, so that one load tells it too.
    unwanted.memory.storeBytes(of: 1, toByteOffset: Self.slot(0), as: UInt64.self)
  }

  /// Takes up what others saw that looked through other parts of the same buffer.
  func join(_ others: ArraySlice<FunctionSieve>) {
    for other in others {
      if other.needsAll { needsAll = true }
      if other.tasksMove { tasksMove = true }
      other.cpuOfTask.visit { pid, cpu in
        note(Int32(truncatingIfNeeded: pid), on: Int32(truncatingIfNeeded: cpu))
      }
      exits &+= other.exits
      other.exits = 0
      passed &+= other.passed
      other.passed = 0
      deepest = max(deepest, other.deepest)
      hasSeenRecords = hasSeenRecords || other.hasSeenRecords
    }
  }

  /// Another buffer: its CPUs have other tasks, and maybe another clock.
  func begin(_ conversion: TimestampConversion) {
    cpuOfTask = IntegerMap()
    tasks = 0
    offset = conversion.offset
    // Stamps are converted one by one then.
    if conversion.tsc != nil || !conversion.shifts.isEmpty { needsAll = true }
  }

  /// Byte offset of an address's slot.
  @inline(__always)
  static func slot(_ address: UInt64) -> Int {
    // Fibonacci hashing, as in `IntegerMap`; the shift leaves 13 bits, the mask makes them a multiple of 8.
    Int(truncatingIfNeeded: (address &* 0x9e37_79b9_7f4a_7c15) >> 48) & (slots * 8 - 8)
  }

  private func isWanted(_ address: UInt64) -> Bool {
    if let known = known[address] { return known == 1 }
    // Addresses without a symbol may be many.
    if names.count > Self.mostNames { names = FunctionTable() }
    let id = symbols.function(at: address, in: &names)
    let result = isWanted(names[id].symbol)
    known.insert(address, result ? 1 : 0)
    return result
  }

  /// What to do with the record that `cursor` stands on, which is long enough for its format.
  ///
  /// - Parameters:
  ///   - timestamp: its, converted.
  ///   - last: that of the record before.
  func verdict(
    _ cursor: SubBufferCursor, _ kind: CPUStream.Pending, cpu: Int32, at timestamp: UInt64,
    after last: UInt64, _ skimming: inout Skimming
  ) -> Verdict {
    let function: RecordField?
    let depthField: RecordField?
    var isExit = false
    switch kind {
    case .entry: (function, depthField) = (formats.entry?.function, formats.entry?.depth)
    case .returnAddressEntry:
      (function, depthField) = (formats.returnAddressEntry?.function, formats.returnAddressEntry?.depth)
    default:
      (function, depthField) = (formats.exit?.function, formats.exit?.depth)
      isExit = true
    }
    guard let function, let depthField else { return .wanted }
    let head = RecordHead.of(cursor, formats)
    if isExit { exitHead = head } else { entryHead = head }
    let address = cursor.unsigned(function)
    let depth = UInt32(truncatingIfNeeded: cursor.signed(depthField))
    let pid = Int32(truncatingIfNeeded: cursor.unsigned(formats.pid))
    if depth > Self.deepestPlausible || pid < 0 || address == 0 { needsAll = true }
    let isSameTask = skimming.pid == pid
    let isSameTurn = isSameTask && timestamp &- last < gap
    if skimming.deepest < 0 {
      skimming.turn = .piece
    } else if !isSameTask {
      skimming.turn = .otherTask
    } else {
      skimming.turn = isSameTurn && (skimming.skipped != nil || notesTasks) ? .none : .sameTask
    }
    skimming.deepest = max(skimming.deepest, Int64(depth))
    if isExit { skimming.exits += 1 }
    if !isSameTurn {
      if notesTasks, !tasksMove { note(pid, on: cpu) }
      skimming.endTurn()
    }

    if isWanted(address) {
      skimming.skipped = nil
      skimming.pid = pid
      skimming.low = isExit ? depth : depth &+ 1
      return .wanted
    }
    if isExit, let callTime = formats.exit?.callTime, let returnTime = formats.exit?.returnTime,
      Int64(truncatingIfNeeded: cursor.unsigned(returnTime) &- cursor.unsigned(callTime)) < 0
    {
      // A diagnostic that the decoder makes.
      needsAll = true
    }
    if address != 0 {
      unwanted.memory.storeBytes(of: address, toByteOffset: Self.slot(address), as: UInt64.self)
    }
    if isSameTurn, depth >= skimming.low {
      skimming.skipped = timestamp
      return .skipped
    }
    skimming.skipped = nil
    skimming.pid = pid
    skimming.low = depth
    return .unwound(Int32(truncatingIfNeeded: depth))
  }

  private func note(_ pid: Int32, on cpu: Int32) {
    // The idle task is another one on every CPU.
    guard pid != 0 else { return }
    let key = UInt64(UInt32(bitPattern: pid))
    if let known = cpuOfTask[key] {
      if known != UInt32(bitPattern: cpu) & 0x7fff_ffff { tasksMove = true }
    } else if tasks < Self.mostTasks {
      tasks += 1
      cpuOfTask.insert(key, UInt32(bitPattern: cpu) & 0x7fff_ffff)
    } else {
      tasksMove = true
    }
  }

  /// So many records were delivered.
  func pass(_ count: Int) {
    passed &+= UInt64(count)
    // Of the others some 20 are looked at in the time of one of these; a call has two.
    if demandsFew, passed > Self.fewPassed, passed &* 10 > exits { needsAll = true }
  }

  /// However many others there are.
  private static let fewPassed: UInt64 = 1 << 14

  /// Adds up what a stream has seen since the last time.
  func add(_ skimming: inout Skimming) {
    exits &+= skimming.exits
    skimming.exits = 0
    deepest = max(deepest, skimming.deepest)
    hasSeenRecords = hasSeenRecords || skimming.deepest >= 0
  }
}

/// What one stream remembers while it leaves out records.
struct Skimming {
  /// The task of the last record.
  var pid = Int32.min
  /// What the last record began that was delivered.
  var turn = Turn.Start.none
  /// The least depth seen since the last wanted record of that task.
  var low: UInt32 = 0
  var deepest: Int64 = -1
  var exits: UInt64 = 0
  /// When the last record of that task was, where it was left out.
  var skipped: UInt64?
  /// The task that had a turn of which the last record was left out, and when that was.
  var left: (pid: Int32, timestamp: UInt64)?

  /// What comes next is another turn.
  mutating func endTurn() {
    if let skipped { left = (pid, skipped) }
    skipped = nil
    pid = .min
    low = 0
  }
}
