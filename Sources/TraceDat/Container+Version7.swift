internal import FunctionGraph

/// Version 7: sections anywhere in the file, found through a chain of options (trace-cmd.dat.v7(5)).
extension Container {
  static let sectionHeaderSize: UInt64 = 16
  static let mostOptionSections = 1024

  /// "SECTION HEADER".
  struct SectionHeader {
    var id: UInt16
    var isCompressed: Bool
    /// Bytes in the file behind the header.
    var size: UInt64
  }

  func readSectionHeader(_ cursor: inout ByteCursor) throws(TraceError) -> SectionHeader {
    let id = try cursor.uint16("section header")
    let flags = try cursor.uint16("section header")
    _ = try cursor.uint32("section header")
    let size = try cursor.uint64("section header")
    return SectionHeader(id: id, isCompressed: flags & 1 != 0, size: size)
  }

  /// The content of the section at `offset`, decompressed where it has to be.
  ///
  /// The size in the header is not needed: a compressed section has its own, and what is inside an uncompressed one
  /// ends by itself.
  func openSection(at offset: UInt64, _ file: FileBytes, _ what: String) throws(TraceError) -> ByteCursor {
    guard offset > 0, file.available(at: offset, count: Self.sectionHeaderSize) == Self.sectionHeaderSize
    else {
      throw TraceError(
        .corrupt, at: .byte(file.size), "\(what) at byte \(offset), behind the end of the file")
    }
    var cursor = ByteCursor(file: file, order: header.order, from: offset)
    let section = try readSectionHeader(&cursor)
    guard section.isCompressed else { return cursor }
    let place = cursor.place
    let compressedSize = UInt64(try cursor.uint32(what))
    let size = UInt64(try cursor.uint32(what))
    if let objection = Decompressor.objection(compressed: compressedSize, decompressed: size) {
      throw TraceError(.corrupt, at: place, "\(what): \(objection)")
    }
    let compressed = try cursor.block(compressedSize, limit: Self.largestMetadata, what)
    let block = RawBlock(capacity: Int(size))
    guard
      let count = decompressor.decompress(compressed.bytes, into: block.memory)
    else {
      throw TraceError(.corrupt, at: place, "\(what) does not decompress")
    }
    block.count = min(count, Int(size))
    return ByteCursor(block: block, order: header.order, origin: offset)
  }

  mutating func readVersion7(_ file: FileBytes, diagnostics: inout Diagnostics) throws(TraceError) {
    try readOptionChain(file, diagnostics: &diagnostics)
    if options.sections.isEmpty && options.instances.isEmpty && !options.isCut {
      let place = Diagnostic.Place.byte(header.optionsOffset ?? 0)
      let cause = TraceError(.corrupt, at: place, "the options name nothing")
      try recoverSections(file, cause: cause, diagnostics: &diagnostics)
    }
    func use(
      _ option: ContainerOptions.ID, _ what: String,
      _ body: (inout Container, inout ByteCursor, inout Diagnostics) throws(TraceError) -> Void
    ) throws(TraceError) {
      guard let offset = options.sections[option.rawValue] else {
        diagnostics.record(
          .damagedSection, at: .byte(header.optionsOffset ?? 0), "the options name no section for \(what)")
        return
      }
      do {
        var cursor = try openSection(at: offset, file, what)
        try body(&self, &cursor, &diagnostics)
      } catch {
        if case .io = error.code { throw error }
        diagnostics.record(.damagedSection, at: error.place, error.detail)
      }
    }
    try use(.headerInfo, "header info") { (container, cursor, diagnostics) throws(TraceError) in
      try container.readHeaderInfo(&cursor, diagnostics: &diagnostics)
    }
    try use(.ftraceEvents, "ftrace formats") { (container, cursor, diagnostics) throws(TraceError) in
      try container.readFtraceFormats(&cursor, diagnostics: &diagnostics)
    }
    eventFormats = options.sections[ContainerOptions.ID.eventFormats.rawValue].map { .section(offset: $0) }
    kallsyms = options.sections[ContainerOptions.ID.kallsyms.rawValue].map { .section(offset: $0) }
    savedCmdlines = options.sections[ContainerOptions.ID.cmdlines.rawValue].map { .section(offset: $0) }
    try takeBuffers(file, diagnostics: &diagnostics)
    if options.isCut && buffers.isEmpty { try recoverBuffers(file, diagnostics: &diagnostics) }
  }

  /// The options sections, each of which ends with the offset of the next.
  private mutating func readOptionChain(
    _ file: FileBytes, diagnostics: inout Diagnostics
  ) throws(TraceError) {
    var next = header.optionsOffset ?? 0
    var seen: Set<UInt64> = []
    while next != 0 {
      guard seen.count < Self.mostOptionSections, seen.insert(next).inserted else {
        diagnostics.record(
          .damagedSection, at: .byte(next), "the chain of options comes back to where it was")
        return
      }
      do {
        next = try readOptions(at: next, file, diagnostics: &diagnostics)
      } catch {
        if case .io = error.code { throw error }
        // Without a later one there is what the earlier ones say.
        if seen.count == 1 {
          try recoverSections(file, cause: error, diagnostics: &diagnostics)
          return
        }
        options.isCut = true
        let missing = try missingBytes(ofSectionAt: next, file)
        if missing > 0 {
          diagnostics.record(
            .truncated, at: .byte(file.size),
            "options at byte \(next): \(missing) bytes at least are missing behind the end of the file")
        } else {
          diagnostics.record(.damagedSection, at: error.place, error.detail)
        }
        return
      }
    }
  }

  /// How many bytes of a section lie behind the end of the file: at least so many, where its header does.
  private func missingBytes(ofSectionAt offset: UInt64, _ file: FileBytes) throws(TraceError) -> UInt64 {
    guard offset <= file.size, file.size - offset >= Self.sectionHeaderSize else {
      return (offset &- file.size) &+ Self.sectionHeaderSize
    }
    var cursor = ByteCursor(file: file, order: header.order, from: offset)
    let size = try readSectionHeader(&cursor).size
    return size - file.available(at: cursor.position, count: size)
  }

  /// - Returns: the offset of the next options section; 0 at the end.
  mutating func readOptions(
    at offset: UInt64, _ file: FileBytes, diagnostics: inout Diagnostics
  ) throws(TraceError) -> UInt64 {
    var cursor = try openSection(at: offset, file, "options")
    while true {
      let id = try cursor.uint16("option")
      let size = try cursor.uint32("size of an option")
      let place = cursor.place
      let payload = try cursor.block(UInt64(size), limit: Self.largestMetadata, "option \(id)")
      if id == 0 {
        return size >= 8 ? header.order.uint64(payload.memory.baseAddress!) : 0
      }
      options.take(id, payload, at: place, self, diagnostics: &diagnostics)
    }
  }

  /// The buffers that options announce, each with its section's compression.
  private mutating func takeBuffers(_ file: FileBytes, diagnostics: inout Diagnostics) throws(TraceError) {
    for instance in options.instances {
      var isCompressed = header.compression != .none
      if file.available(at: instance.offset, count: Self.sectionHeaderSize) == Self.sectionHeaderSize {
        var cursor = ByteCursor(file: file, order: header.order, from: instance.offset)
        isCompressed = try readSectionHeader(&cursor).isCompressed
      }
      var pageSize = instance.pageSize
      if !Self.isPageSize(pageSize) { pageSize = header.pageSize }
      buffers.append(
        BufferLayout(
          name: instance.name, clock: instance.clock, pageSize: pageSize, isCompressed: isCompressed,
          isCut: false, cpus: instance.cpus))
    }
  }
}
