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
  /// With what is no record's that is close to the one before: a gap is told by the same compare.
  static let maskOfClose = mask | Turn.gapMask
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
  /// another kind, length or task, of a function that may be wanted, one less deep than all since the last wanted one or
  /// deeper than all, one behind a gap, or a broken one. It may stand in a later page then.
  ///
  /// The cursor must stand in the memory of a `RawBlock`.
  ///
  /// - Parameters:
  ///   - last: the time stamp of the record before, converted.
  ///   - pages: those that follow, with `last` as the latest time.
  mutating func skim(
    _ sieve: FunctionSieve, _ skimming: inout Skimming, _ last: inout UInt64, _ pages: PageRow
  ) {
    guard let layout = sieve.layout, layout.pid == SkimLayout.usualPid,
      layout.function == SkimLayout.usualFunction
    else { return }
    if let wanted = sieve.wantedRange {
      skim(sieve, &skimming, &last, pages, layout, wanted)
    } else if let table = UnsafeRawPointer(sieve.unwanted.memory.baseAddress) {
      skim(sieve, &skimming, &last, pages, layout, UnwantedAddresses(table: table))
    }
  }

  @inline(__always)
  private mutating func skim<Addresses: AddressFilter>(
    _ sieve: FunctionSieve, _ skimming: inout Skimming, _ last: inout UInt64, _ pages: PageRow,
    _ layout: SkimLayout, _ addresses: Addresses
  ) {
    // Within a page records only add to the time, so that looking at its start will do.
    guard position < end, timestamp &+ sieve.offset &- last < sieve.gap,
      skimming.deepest >= Int64(skimming.low)
    else { return }
    var run = SkimRun(base + position, end: base + end, time: timestamp, pages, skimming, sieve)
    let isUsual = layout.isUsual && run.isUsual
    while true {
      if !isUsual {
        run.passAny(addresses, layout)
      } else if pages.ahead != 0 {
        run.passUsualAhead(addresses)
      } else {
        run.passUsual(addresses)
      }
      // The stamps of other events count for nothing, as in `CPUStream.advance`.
      guard !sieve.stopsAtOthers, run.passOther(layout),
        run.time &- (run.skipped ?? last &- sieve.offset) < sieve.gap
      else { break }
    }
    guard run.record != base + position else { return }
    // The page's own time was at the end of what 64 bits hold.
    if run.time &+ sieve.offset < run.pages.latest { sieve.needsAll = true }
    turn(by: run.pages.next - pages.next, end: run.end)
    skip(to: run.record - base, time: run.time)
    guard let skipped = run.skipped else { return }
    last = skipped &+ sieve.offset
    skimming.exits &+= run.exits
    skimming.skipped = skipped &+ sieve.offset
  }
}
