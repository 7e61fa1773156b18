/// Records that follow each other and can be left out, over as many pages of a block as they go on.
///
/// This is where a trace's bytes go by, a record at a time. What counts is how few instructions a record takes:
/// - state lives in locals, which the compiler keeps in registers;
/// - entry and exit have a path each: which of them comes next is foretold well enough, and the next record's place then
///   follows from that and not from a load, which a select would have to wait for;
/// - type and length, and whether a gap lies before it, are told by one compare with those of the last record that was looked
///   at;
/// - the function is told by its address alone: where the wanted ones lie in one range, by one compare with that, else by
///   one load from a table of addresses;
/// - both bounds of the depth are one compare, and with the upper one there is no maximum to keep;
/// - the usual places of the fields are constants;
/// - a page that follows is entered here, where its header is a plain one: that takes some 40 instructions, and nearly ten
///   times as many where the stream loads it.
///
/// The fields are read before it is known that the record has them, or that there is one: all that is read lies within a
/// block's overhang.
struct SkimRun {
  private(set) var record: UnsafeRawPointer
  private(set) var time: UInt64
  /// Of the page that `record` is in.
  private(set) var end: UnsafeRawPointer
  private(set) var pages: PageRow
  private(set) var exits: UInt64 = 0
  /// The time of the last record that was left out, those of other events not counted; nil where there is none.
  private(set) var skipped: UInt64?
  private let entry: UInt64
  private let exit: UInt64
  private let entrySize: Int
  private let exitSize: Int
  private let task: UInt32
  private let low: UInt32
  /// Between `low` and the deepest depth seen.
  private let span: UInt32
  /// Added to every stamp.
  private let offset: UInt64
  private let gap: UInt64

  /// - Parameter skimming: with a `deepest` of `low` at least.
  init(
    _ record: UnsafeRawPointer, end: UnsafeRawPointer, time: UInt64, _ pages: PageRow, _ skimming: Skimming,
    _ sieve: FunctionSieve
  ) {
    self.record = record
    self.end = end
    self.time = time
    self.pages = pages
    offset = sieve.offset
    gap = sieve.gap
    entry = sieve.entryHead
    exit = sieve.exitHead
    entrySize = Int(RecordHead.words(entry)) &* 4 &+ 4
    exitSize = Int(RecordHead.words(exit)) &* 4 &+ 4
    task = UInt32(bitPattern: skimming.pid)
    low = skimming.low
    span = UInt32(truncatingIfNeeded: skimming.deepest &- Int64(skimming.low))
  }

  /// The lengths are those of present kernels.
  var isUsual: Bool { entrySize == 28 && exitSize == 44 }

  // Functions of their own, so that the compiler has all registers for each.

  @inline(never)
  mutating func passUsual<Addresses: AddressFilter>(_ addresses: Addresses) {
    pass(
      addresses, fetches: false, entrySize: 28, exitSize: 44, entryDepth: 16, exitDepth: 16, callTime: 24,
      returnTime: 32)
  }

  /// Where what lies ahead is fetched: one instruction a record, which takes a thirtieth of the time.
  @inline(never)
  mutating func passUsualAhead<Addresses: AddressFilter>(_ addresses: Addresses) {
    pass(
      addresses, fetches: true, entrySize: 28, exitSize: 44, entryDepth: 16, exitDepth: 16, callTime: 24,
      returnTime: 32)
  }

  @inline(never)
  mutating func passAny<Addresses: AddressFilter>(_ addresses: Addresses, _ layout: SkimLayout) {
    pass(
      addresses, fetches: true, entrySize: entrySize, exitSize: exitSize, entryDepth: layout.entryDepth,
      exitDepth: layout.exitDepth, callTime: layout.callTime, returnTime: layout.returnTime)
  }

  @inline(__always)
  private mutating func pass<Addresses: AddressFilter>(
    _ addresses: Addresses, fetches: Bool, entrySize: Int, exitSize: Int, entryDepth: Int, exitDepth: Int,
    callTime: Int, returnTime: Int
  ) {
    let entry = entry
    let exit = exit
    let mask = gap == Turn.noGap ? RecordHead.mask : RecordHead.maskOfClose
    let offset = offset
    let task = task
    let low = low
    let span = span
    let ahead = pages.ahead
    var record = record
    var time = time
    var exits = exits
    var end = end
    var pages = pages
    // Where the last page was entered, and the time of the record before.
    var start = record
    var before = skipped
    while true {
      let last = end - min(entrySize, exitSize)
      let lastEntry = end - entrySize
      let lastExit = end - exitSize
      while record <= last {
        let bits = UInt64(littleEndian: record.loadUnaligned(as: UInt64.self))
        if fetches { BlockAhead.fetch(record, ahead) }
        let head = bits & mask
        let data = record + 4
        let pid = UInt32(
          littleEndian: data.loadUnaligned(fromByteOffset: SkimLayout.usualPid, as: UInt32.self))
        let address = UInt64(
          littleEndian: data.loadUnaligned(fromByteOffset: SkimLayout.usualFunction, as: UInt64.self))
        let depth = UInt32(
          littleEndian: data.loadUnaligned(
            fromByteOffset: head == exit ? exitDepth : entryDepth, as: UInt32.self))
        if pid != task || depth &- low > span || addresses.mayBeWanted(address) { break }
        if head == exit {
          let from = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: callTime, as: UInt64.self))
          let to = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: returnTime, as: UInt64.self))
          if Int64(bitPattern: to &- from) < 0 || exitSize > entrySize && record > lastExit { break }
          exits &+= 1
          record += exitSize
        } else {
          if head != entry || entrySize > exitSize && record > lastEntry { break }
          record += entrySize
        }
        time &+= UInt64(UInt32(truncatingIfNeeded: bits) >> 5)
      }
      guard record == end, let page = pages.enterNext(behind: time &+ offset, offset, gap: gap) else { break }
      if record != start { before = time }
      record = page.record
      start = record
      end = page.end
      time = page.time
    }
    skipped = record == start ? before : time
    self.record = record
    self.end = end
    self.pages = pages
    self.time = time
    self.exits = exits
  }

  /// - Returns: whether the next record is a whole one of another event, which is left behind then.
  mutating func passOther(_ layout: SkimLayout) -> Bool {
    let left = end - record
    guard left >= 8 else { return false }
    let word = UInt32(littleEndian: record.loadUnaligned(as: UInt32.self))
    let length = Int(word & 31) &* 4
    // 0 wraps around.
    guard UInt(bitPattern: length &- 4) < 28 * 4, length <= left - 4 else { return false }
    let type = UInt16(littleEndian: record.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
    guard type != layout.exit, type != layout.entry, type != layout.returnAddressEntry else { return false }
    record += 4 &+ length
    time &+= UInt64(word >> 5)
    return true
  }
}
