internal import FunctionGraph

/// The tables that a container leads to, each optional: a file without one is read without it.
extension Container {
  /// - Parameter jobs: how many threads may do it.
  func readSymbols(
    _ file: FileBytes, jobs: Int, diagnostics: inout Diagnostics
  ) throws(TraceError) -> SymbolIndex {
    guard let kallsyms else {
      diagnostics.record(.missingSymbols, at: .whole, "no kallsyms: functions are known by their address")
      return SymbolIndex()
    }
    do {
      let index = try readSymbols(kallsyms, file, jobs)
      if index.isEmpty {
        diagnostics.record(
          .missingSymbols, at: .whole, "kallsyms has no addresses: functions are known by theirs")
      }
      return index
    } catch {
      if case .io = error.code { throw error }
      diagnostics.record(.missingSymbols, at: error.place, error.detail)
      return SymbolIndex()
    }
  }

  /// Runs that were recorded without a boot in between have the same kallsyms, byte by byte: it is not inflated and indexed
  /// again, which is most of what reading a small trace takes.
  private func readSymbols(
    _ place: MetadataPlace, _ file: FileBytes, _ jobs: Int
  ) throws(TraceError) -> SymbolIndex {
    if case .section(let offset) = place, let stored = try compressedBytes(ofSectionAt: offset, file) {
      if let known = RecentSymbols.find(stored.bytes) { return known }
      let index = SymbolIndex(kallsyms: try text(of: stored.bytes, size: stored.size, at: offset), jobs: jobs)
      RecentSymbols.keep(index, of: stored.bytes)
      return index
    }
    if !RecentSymbols.areKept, let text = try plainSymbols(file),
      let index = try SymbolIndex(in: file, at: text.offset, size: text.size, jobs: jobs)
    {
      return index
    }
    let text = try text(place, sizeWidth: 4, file, "kallsyms")
    if let known = RecentSymbols.find(text) { return known }
    let index = SymbolIndex(kallsyms: text, jobs: jobs)
    RecentSymbols.keep(index, of: text)
    return index
  }

  /// The symbols that begin with one of `prefixes`, looked for while the table is read; nil where that is better left to
  /// `readSymbols`, which also says what is wrong with a table.
  func searchSymbols(
    beginning prefixes: [String], _ file: FileBytes, jobs: Int
  ) throws(TraceError) -> SymbolIndex? {
    guard SymbolSearch.takes(prefixes) else { return nil }
    if let search = try sharedSearch(beginning: prefixes, file) {
      search.look(jobs: jobs)
      return try search.found()
    }
    return try searchCompressedSymbols(beginning: prefixes, file)
  }

  /// A search through a table that is not compressed, to be begun; nil of any other.
  func sharedSearch(
    beginning prefixes: [String], _ file: FileBytes
  ) throws(TraceError) -> SharedSymbolSearch? {
    guard let place = try plainSymbols(file), SymbolSearch.takes(prefixes) else { return nil }
    return SharedSymbolSearch(prefixes, file, at: place.offset, size: place.size)
  }

  /// All symbols of a table that is not compressed, to be looked through; nil of any other, and where its text will be kept.
  func sharedSymbols(_ file: FileBytes) throws(TraceError) -> SharedSortedSymbols? {
    guard !RecentSymbols.areKept, let place = try plainSymbols(file) else { return nil }
    return SharedSortedSymbols(
      file, at: place.offset, size: place.size, isWide: SymbolIndex.isMachineWide)
  }

  /// Where the text of a table that is not compressed lies; nil of one that is, or is not whole.
  private func plainSymbols(_ file: FileBytes) throws(TraceError) -> (offset: UInt64, size: UInt64)? {
    let place: (offset: UInt64, size: UInt64)
    switch kallsyms {
    case nil: return nil
    case .plain(let offset, let size): place = (offset, size)
    case .section(let offset):
      do {
        if try compressedPlace(ofSectionAt: offset, file) != nil { return nil }
        var cursor = try openSection(at: offset, file, "kallsyms")
        let size = UInt64(try cursor.uint32("kallsyms"))
        place = (cursor.position, size)
      } catch {
        if case .io = error.code { throw error }
        return nil
      }
    }
    guard place.size <= UInt64(Self.largestMetadata),
      file.available(at: place.offset, count: place.size) == place.size
    else { return nil }
    return place
  }

  private func searchCompressedSymbols(
    beginning prefixes: [String], _ file: FileBytes
  ) throws(TraceError) -> SymbolIndex? {
    guard case .section(let offset) = kallsyms else { return nil }
    do {
      if !RecentSymbols.areKept {
        guard let place = try compressedPlace(ofSectionAt: offset, file) else { return nil }
        return try search(prefixes, place, file)
      }
      guard let stored = try compressedBytes(ofSectionAt: offset, file) else { return nil }
      if let known = RecentSymbols.find(stored.bytes, beginning: prefixes) { return known }
      guard let index = search(prefixes, stored.bytes, size: stored.size) else { return nil }
      RecentSymbols.keep(index, of: stored.bytes, beginning: prefixes)
      return index
    } catch {
      if case .io = error.code { throw error }
      return nil
    }
  }

  /// Where the content of a compressed section lies, and how many bytes it becomes: a number of 4 bytes, and so many of text.
  private struct CompressedPlace {
    let offset: UInt64
    let count: UInt64
    let size: UInt64
  }

  private static let pieceSize = 64 << 10

  /// Without ever holding what is compressed as a whole.
  private func search(
    _ prefixes: [String], _ place: CompressedPlace, _ file: FileBytes
  ) throws(TraceError) -> SymbolIndex? {
    let piece = RawBlock(capacity: Self.pieceSize)
    var done: UInt64 = 0
    var failure: TraceError?
    let found = search(prefixes, piece, size: place.size) {
      let wanted = Int(min(UInt64(Self.pieceSize), place.count - done))
      do throws(TraceError) {
        piece.count = try file.read(
          at: place.offset + done, into: UnsafeMutableRawBufferPointer(rebasing: piece.memory[..<wanted]))
      } catch {
        failure = error
        return false
      }
      done += UInt64(piece.count)
      return piece.count > 0
    }
    if let failure { throw failure }
    return found
  }

  /// - Parameters:
  ///   - compressed: the first of it; `refill` puts what follows in its place.
  ///   - size: bytes of the section: a number of 4 bytes, and so many of text.
  private func search(
    _ prefixes: [String], _ compressed: RawBlock, size: UInt64, refill: @escaping () -> Bool = { false }
  ) -> SymbolIndex? {
    var inflation = Inflation(compressed, header.compression, refill: refill)
    let number = RawBlock(capacity: 4)
    guard inflation.make(into: number.memory) == 4, let first = number.memory.baseAddress else { return nil }
    let textSize = UInt64(header.order.uint32(first))
    guard textSize > 0, textSize + 4 <= size else { return nil }
    let found = try? SymbolSearch.search(prefixes, size: textSize) { room in
      inflation.make(into: room) == room.count
    }
    // Nothing may follow, and what zstd has behind the last byte has to be there.
    guard inflation.make(into: number.memory) == 0, inflation.state == .ended else { return nil }
    return found
  }

  /// Nil of a section that is not compressed or not whole, of which `text` says what is wrong.
  private func compressedPlace(
    ofSectionAt offset: UInt64, _ file: FileBytes
  ) throws(TraceError) -> CompressedPlace? {
    guard file.available(at: offset, count: Self.sectionHeaderSize + 8) == Self.sectionHeaderSize + 8 else {
      return nil
    }
    var cursor = ByteCursor(file: file, order: header.order, from: offset)
    guard try readSectionHeader(&cursor).isCompressed else { return nil }
    let count = UInt64(try cursor.uint32("kallsyms"))
    let size = UInt64(try cursor.uint32("kallsyms"))
    guard count <= cursor.remaining, Decompressor.objection(compressed: count, decompressed: size) == nil
    else { return nil }
    return CompressedPlace(offset: cursor.position, count: count, size: size)
  }

  /// As they lie in the file, with the size they had before.
  private func compressedBytes(
    ofSectionAt offset: UInt64, _ file: FileBytes
  ) throws(TraceError) -> (bytes: RawBlock, size: UInt64)? {
    guard let place = try compressedPlace(ofSectionAt: offset, file) else { return nil }
    var cursor = ByteCursor(file: file, order: header.order, from: place.offset)
    return (try cursor.block(place.count, limit: Self.largestMetadata, "kallsyms"), place.size)
  }

  /// Of a section with a number of 4 bytes in front of its text.
  private func text(of compressed: RawBlock, size: UInt64, at offset: UInt64) throws(TraceError) -> RawBlock {
    let block = RawBlock(capacity: Int(size))
    guard let count = decompressor.decompress(compressed.bytes, into: block.memory) else {
      throw TraceError(.corrupt, at: .byte(offset + Self.sectionHeaderSize), "kallsyms does not decompress")
    }
    block.count = min(count, Int(size))
    var cursor = ByteCursor(block: block, order: header.order, origin: offset)
    return try cursor.block(UInt64(try cursor.uint32("kallsyms")), limit: Self.largestMetadata, "kallsyms")
  }

  func readTaskNames(
    _ file: FileBytes, comms: inout StringTable, diagnostics: inout Diagnostics
  ) throws(TraceError) -> TaskNames {
    guard let savedCmdlines else { return TaskNames(savedCmdlines: nil, comms: &comms) }
    do {
      let text = try text(savedCmdlines, sizeWidth: 8, file, "saved command lines")
      return TaskNames(savedCmdlines: text.bytes, comms: &comms)
    } catch {
      if case .io = error.code { throw error }
      diagnostics.record(.damagedSection, at: error.place, error.detail)
      return TaskNames(savedCmdlines: nil, comms: &comms)
    }
  }

  func parseFormats(diagnostics: inout Diagnostics) -> GraphFormats? {
    let found = GraphFormats(
      formats, order: header.order, longSize: subBuffer.commitSize, pageSize: Int(clamping: header.pageSize),
      diagnostics: &diagnostics, place: formatsPlace)
    if found == nil {
      diagnostics.record(
        .missingFormat, at: formatsPlace, "no format of the function graph tracer: no calls can be read")
    } else if found?.exit == nil {
      diagnostics.record(
        .missingFormat, at: formatsPlace, "no format of funcgraph_exit: calls have no duration")
    } else if found?.entry == nil && found?.returnAddressEntry == nil {
      diagnostics.record(
        .missingFormat, at: formatsPlace, "no format of funcgraph_entry: calls have no entry")
    }
    return found
  }

  /// Bytes of trace data, of compressed data an estimate.
  var dataSize: UInt64 {
    buffers.reduce(0) { sum, buffer in
      buffer.cpus.reduce(sum) { sum, cpu in
        let size = buffer.isCompressed ? cpu.size.multipliedReportingOverflow(by: 4).partialValue : cpu.size
        return sum.addingReportingOverflow(size).overflow ? .max : sum + size
      }
    }
  }

  private func countsTicks(_ clock: String) -> Bool { clock == "x86-tsc" || clock == "tsc2nsec" }

  /// The conversion of ticks is one for the whole file. trace-cmd applies it to every buffer; here buffers whose clock
  /// is something else keep their time where another one has the ticks. Where none has (U-Boot's proftool: clock
  /// `local`, stamps in microseconds), all are meant.
  func conversion(of buffer: BufferLayout) -> TimestampConversion {
    let isTicks = countsTicks(buffer.clock) || !buffers.contains { countsTicks($0.clock) }
    return TimestampConversion(
      offset: options.timestampOffset, tsc: isTicks ? options.tsc : nil, shifts: options.shifts,
      interpolates: options.interpolatesShifts)
  }

  func description(byteCount: UInt64) -> TraceDescription {
    var description = TraceDescription(
      format: .traceDat(version: header.version, compression: header.compression.rawValue),
      buffers: buffers.map { buffer in
        TraceDescription.Buffer(
          name: buffer.name, clock: buffer.clock,
          timestampsAreTime: conversion(of: buffer).tsc != nil
            || TimestampConversion.isTime(clock: buffer.clock),
          overrun: options.lost[buffer.name] ?? 0)
      })
    description.uname = options.uname
    // `sysname nodename release ...`.
    let words = options.uname.split(separator: " ")
    if words.count > 2 { description.kernelRelease = String(words[2]) }
    description.writerVersion = options.version
    description.cpuCount = options.cpuCount.map { Int($0) }
    description.byteCount = byteCount
    return description
  }
}
