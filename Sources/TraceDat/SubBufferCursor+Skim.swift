/// Where the fields of a record are, for the usual layout alone: little endian, numbers of their usual widths, the function in
/// the same place in entry and exit. Other files are read by `SubBufferCursor.advance`.
struct SkimLayout {
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

extension SubBufferCursor {
  /// Goes over records that the sieve is known to leave out, and stands before the first that has to be looked at: one of
  /// another kind, another task or an unknown function, one less deep than all since the last wanted one, or a broken one.
  ///
  /// This is where a trace's bytes go by, some 35 instructions a record:
  /// - state lives in locals, which the compiler keeps in registers;
  /// - entry and exit share one path, with selects where they differ: which of them comes next cannot be predicted;
  /// - the function is told by one load from a table of addresses instead of by its name;
  /// - all reasons to stop are one branch, which is hardly ever taken.
  ///
  /// - Parameter last: the time stamp of the record before, converted.
  @inline(__always)
  mutating func skim(_ sieve: FunctionSieve, _ skimming: inout Skimming, _ last: inout UInt64) {
    guard let layout = sieve.layout, let unwanted = UnsafeRawPointer(sieve.unwanted.memory.baseAddress)
    else { return }
    let offset = sieve.offset
    let stopsAtOthers = sieve.stopsAtOthers
    let low = skimming.low
    // Within a page records only add to the time, so that looking at its start will do.
    guard timestamp &+ offset >= last, low <= FunctionSieve.deepestPlausible else { return }
    let base = self.base
    let end = self.end
    let pid = skimming.pid
    let span = FunctionSieve.deepestPlausible - low
    var position = self.position
    var time = timestamp
    var deepest = low
    var exits = 0
    var hasSkipped = false
    while end - position >= 8 {
      let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      let length = Int(word & 31) &* 4
      // Only data records with a length in their first word; 0 wraps around.
      guard UInt(bitPattern: length &- 4) < 28 * 4, length <= end - position - 4 else { break }
      let record = base + position + 4
      let type = UInt16(littleEndian: record.loadUnaligned(as: UInt16.self))
      let isExit = type == layout.exit
      guard isExit || type == layout.entry || type == layout.returnAddressEntry else {
        if stopsAtOthers { break }
        // Its stamp counts for nothing, as in `CPUStream.advance`.
        position &+= 4 &+ length
        time &+= UInt64(word >> 5)
        continue
      }
      // From here on every field that is read lies within the record.
      guard length >= (isExit ? layout.exitLength : layout.entryLength) else { break }
      let address = UInt64(
        littleEndian: record.loadUnaligned(fromByteOffset: layout.function, as: UInt64.self))
      let depth = UInt32(
        littleEndian: record.loadUnaligned(
          fromByteOffset: isExit ? layout.exitDepth : layout.entryDepth, as: UInt32.self))
      let task = Int32(littleEndian: record.loadUnaligned(fromByteOffset: layout.pid, as: Int32.self))
      // Of an entry the function twice: no time can be wrong there.
      let from = record.loadUnaligned(
        fromByteOffset: isExit ? layout.callTime : layout.function, as: UInt64.self)
      let to = record.loadUnaligned(
        fromByteOffset: isExit ? layout.returnTime : layout.function, as: UInt64.self)
      // `slot` is within the table whatever the address is; no slot holds the address 0.
      let known = unwanted.load(fromByteOffset: FunctionSieve.slot(address), as: UInt64.self)
      let goesBack = (UInt64(littleEndian: to) &- UInt64(littleEndian: from)) >> 63
      let stops = known ^ address | UInt64(UInt32(bitPattern: task ^ pid)) | goesBack
      if stops != 0 || depth &- low > span { break }
      deepest = max(deepest, depth)
      exits &+= isExit ? 1 : 0
      hasSkipped = true
      position &+= 4 &+ length
      time &+= UInt64(word >> 5)
    }
    guard position != self.position else { return }
    // Unless the page's own time was at the end of what 64 bits hold.
    if time &+ offset < last { sieve.needsAll = true }
    skip(to: position, time: time)
    guard hasSkipped else { return }
    last = time &+ offset
    skimming.deepest = max(skimming.deepest, Int64(deepest))
    skimming.exits &+= UInt64(exits)
  }
}
