/// Where the fields of a record are, for the usual layout alone: little endian, numbers of their usual widths, the function in
/// the same place in entry and exit. Other files are read by `SubBufferCursor.advance`.
struct SkimLayout {
  /// Where every 64-bit kernel has them (include/linux/trace_events.h, `struct trace_entry`).
  static let usualPid = 4
  static let usualFunction = 8

  /// As of present kernels (kernel/trace/trace_entries.h, `funcgraph_entry` and `funcgraph_exit`).
  var isUsual: Bool { entryDepth == 16 && exitDepth == 16 && callTime == 24 && returnTime == 32 }

  let entry: UInt16
  /// The entry with a return address; the other one's number where there is none.
  let returnAddressEntry: UInt16
  let entryLength: Int
  let exit: UInt16
  let exitLength: Int
  let pid: Int
  let function: Int
  let entryDepth: Int
  let exitDepth: Int
  let callTime: Int
  let returnTime: Int

  init?(_ formats: GraphFormats, _ order: ByteOrder) {
    guard !order.isBigEndian, formats.type.offset == 0, formats.type.size == 2, formats.pid.size == 4,
      let entry = formats.entry, let exit = formats.exit, let callTime = exit.callTime,
      let returnTime = exit.returnTime, entry.function == exit.function,
      exit.function.size == 8, entry.depth.size == 4, exit.depth.size == 4, callTime.size == 8,
      returnTime.size == 8
    else { return nil }
    let other = formats.returnAddressEntry ?? entry
    guard other.function == entry.function, other.depth.offset == entry.depth.offset,
      other.depth.size == entry.depth.size, other.minimumLength == entry.minimumLength
    else { return nil }
    // Loads of fields that a record turns out not to have stay within what can be read behind a block.
    let ends = [formats.pid, entry.function, entry.depth, exit.depth, callTime, returnTime].map(\.end)
    guard ends.allSatisfy({ $0 <= RawBlock.overhang - 4 }) else { return nil }
    self.entry = entry.id
    returnAddressEntry = other.id
    entryLength = entry.minimumLength
    self.exit = exit.id
    exitLength = exit.minimumLength
    pid = formats.pid.offset
    function = exit.function.offset
    entryDepth = entry.depth.offset
    exitDepth = exit.depth.offset
    self.callTime = callTime.offset
    self.returnTime = returnTime.offset
  }
}

/// The first 8 bytes of a record, of them what tells its kind: the length in its first word and the type behind it.
enum RecordHead {
  static let mask: UInt64 = 0x0000_ffff_0000_001f
  /// No record's.
  static let none = UInt64.max

  /// A record's type and task, as they lie behind its first word: the two bytes between are its own.
  private static let keyMask: UInt64 = 0xffff_ffff_0000_ffff

  /// Of the record at `record`, 12 bytes of which can be read.
  @inline(__always)
  static func key(of record: UnsafeRawPointer) -> UInt64 {
    UInt64(littleEndian: record.loadUnaligned(fromByteOffset: 4, as: UInt64.self)) & keyMask
  }

  /// Of records with the type in `head` and a task; none has that of `none`.
  static func key(_ head: UInt64, pid: Int32) -> UInt64 {
    head == none ? none : head >> 32 & 0xffff | UInt64(UInt32(bitPattern: pid)) << 32
  }

  /// The length in `head` in words of four bytes, without the first.
  static func words(_ head: UInt64) -> UInt32 { head == none ? 0 : UInt32(head & 31) }

  /// Of the record that `cursor` stands on if its length stands in its first word; `none` for others.
  static func of(_ cursor: SubBufferCursor, _ formats: GraphFormats) -> UInt64 {
    let length = cursor.payloadLength
    guard length > 0, length <= 28 * 4, length & 3 == 0 else { return none }
    return UInt64(UInt16(truncatingIfNeeded: cursor.unsigned(formats.type))) << 32 | UInt64(length / 4)
  }
}

extension SubBufferCursor {
  /// Goes over records that the sieve is known to leave out, and stands before the first that has to be looked at: one of
  /// another kind, length or task, of an unknown function, one less deep than all since the last wanted one, or a broken
  /// one.
  ///
  /// This is where a trace's bytes go by, a record at a time:
  /// - state lives in locals, which the compiler keeps in registers;
  /// - entry and exit have a path each: which of them comes next is foretold well enough, and the next record's place then
  ///   follows from that and not from a load, which a select would have to wait for;
  /// - type and task are told by one compare with those of the last record that was looked at;
  /// - the function is told by one load from a table of addresses instead of by its name;
  /// - the usual places of the fields are constants;
  /// - all reasons to stop are bits of one number. The fields are read before it is known that the record has them, or that
  ///   there is one: all that is read lies within a block's overhang.
  ///
  /// The cursor must stand in the memory of a `RawBlock`.
  ///
  /// - Parameter last: the time stamp of the record before, converted.
  mutating func skim(_ sieve: FunctionSieve, _ skimming: inout Skimming, _ last: inout UInt64) {
    guard let layout = sieve.layout, layout.pid == SkimLayout.usualPid,
      layout.function == SkimLayout.usualFunction
    else { return }
    if layout.isUsual {
      skim(sieve, &skimming, &last, layout, entryDepth: 16, exitDepth: 16, callTime: 24, returnTime: 32)
    } else {
      skim(
        sieve, &skimming, &last, layout, entryDepth: layout.entryDepth, exitDepth: layout.exitDepth,
        callTime: layout.callTime, returnTime: layout.returnTime)
    }
  }

  @inline(__always)
  private mutating func skim(
    _ sieve: FunctionSieve, _ skimming: inout Skimming, _ last: inout UInt64, _ layout: SkimLayout,
    entryDepth: Int, exitDepth: Int, callTime: Int, returnTime: Int
  ) {
    let offset = sieve.offset
    let low = skimming.low
    // Within a page records only add to the time, so that looking at its start will do.
    guard let unwanted = UnsafeRawPointer(sieve.unwanted.memory.baseAddress), self.position < self.end,
      timestamp &+ offset >= last, low <= FunctionSieve.deepestPlausible - 63
    else { return }
    let entry = RecordHead.key(sieve.entryHead, pid: skimming.pid)
    let exit = RecordHead.key(sieve.exitHead, pid: skimming.pid)
    let entryWords = RecordHead.words(sieve.entryHead)
    let exitWords = RecordHead.words(sieve.exitHead)
    let entrySize = Int(entryWords) &* 4 &+ 4
    let exitSize = Int(exitWords) &* 4 &+ 4
    let base = self.base
    let end = self.end
    let behind = base + end
    var position = self.position
    var time = timestamp
    var deepest = low
    var exits: UInt64 = 0
    var durations: UInt64 = 0
    var hasSkipped = false
    while true {
      var record = base + position
      let start = record
      while true {
        let key = RecordHead.key(of: record)
        let word = UInt32(littleEndian: record.loadUnaligned(as: UInt32.self))
        let data = record + 4
        let address = UInt64(
          littleEndian: data.loadUnaligned(fromByteOffset: SkimLayout.usualFunction, as: UInt64.self))
        // `slot` is within the table whatever the address is; no slot holds the address 0.
        let known = unwanted.load(fromByteOffset: FunctionSieve.slot(address), as: UInt64.self)
        if key == exit {
          let depth = UInt32(littleEndian: data.loadUnaligned(fromByteOffset: exitDepth, as: UInt32.self))
          // A depth so far below is not usual.
          let strays = (depth &- low) & ~63
          let stops = (known ^ address) | UInt64((word ^ exitWords) & 31 | strays)
          let next = record + exitSize
          if stops != 0 || next > behind { break }
          let from = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: callTime, as: UInt64.self))
          let to = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: returnTime, as: UInt64.self))
          durations |= to &- from
          deepest = max(deepest, depth)
          exits &+= 1
          record = next
        } else {
          let depth = UInt32(littleEndian: data.loadUnaligned(fromByteOffset: entryDepth, as: UInt32.self))
          let strays = (depth &- low) & ~63
          let stops = (key ^ entry) | (known ^ address) | UInt64((word ^ entryWords) & 31 | strays)
          let next = record + entrySize
          if stops != 0 || next > behind { break }
          deepest = max(deepest, depth)
          record = next
        }
        time &+= UInt64(word >> 5)
      }
      position = record - base
      if record != start { hasSkipped = true }
      // The stamps of other events count for nothing, as in `CPUStream.advance`.
      guard !sieve.stopsAtOthers, end - position >= 8 else { break }
      let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      let length = Int(word & 31) &* 4
      // 0 wraps around.
      guard UInt(bitPattern: length &- 4) < 28 * 4, length <= end - position - 4 else { break }
      let type = UInt16(littleEndian: base.loadUnaligned(fromByteOffset: position + 4, as: UInt16.self))
      guard type != layout.exit, type != layout.entry, type != layout.returnAddressEntry else { break }
      position &+= 4 &+ length
      time &+= UInt64(word >> 5)
    }
    guard position != self.position else { return }
    // A call that ended before it began, of which the decoder makes a diagnostic; or the page's own time was at the end of
    // what 64 bits hold.
    if durations >> 63 != 0 || time &+ offset < last { sieve.needsAll = true }
    skip(to: position, time: time)
    guard hasSkipped else { return }
    last = time &+ offset
    skimming.deepest = max(skimming.deepest, Int64(deepest))
    skimming.exits &+= exits
  }
}
