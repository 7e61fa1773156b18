internal import FunctionGraph

/// Version 7 files that were cut or damaged: all things in them are found through options, and the one that says where
/// each CPU's data is stands behind the data, so that it is the first thing to go. What is there can still be found:
/// sections follow one another, and in a buffer's section each CPU's data begins at the next multiple of the page size.
///
/// What only the lost options knew is then assumed: the CPUs' numbers are counted in the order of their data, the page
/// size and the clock are those of the file's head, and later buffers have no name.
extension Container {
  private static let optionsSection: UInt16 = 0
  private static let flyrecordSection: UInt16 = 3
  private static let mostSections = 10_000

  /// A section found where the one in front of it ends.
  private struct FoundSection {
    var header: SectionHeader
    /// Of its header.
    var offset: UInt64
    var start: UInt64
    /// Where it ends, or the file does.
    var end: UInt64
  }

  /// The sections as they follow one another, as far as their sizes lead.
  private func followSections(_ file: FileBytes) throws(TraceError) -> [FoundSection] {
    var sections: [FoundSection] = []
    var position = header.end
    while sections.count < Self.mostSections,
      file.available(at: position, count: Self.sectionHeaderSize) == Self.sectionHeaderSize
    {
      var cursor = ByteCursor(file: file, order: header.order, from: position)
      let section = try readSectionHeader(&cursor)
      let start = cursor.position
      let length = file.available(at: start, count: section.size)
      sections.append(FoundSection(header: section, offset: position, start: start, end: start + length))
      guard length == section.size else { break }
      position = start + length
    }
    return sections
  }

  /// Without the first options, which name all other sections: takes every section for what its own header says.
  ///
  /// - Parameter cause: why the options cannot be read; thrown where there is no trace data to be found either.
  mutating func recoverSections(
    _ file: FileBytes, cause: TraceError, diagnostics: inout Diagnostics
  ) throws(TraceError) {
    let found = try followSections(file)
    guard found.contains(where: { $0.header.id == Self.flyrecordSection }) else { throw cause }
    diagnostics.record(
      .damagedSection, at: cause.place,
      "\(cause.detail); the file's sections are taken as they follow one another")
    options.isCut = true
    for section in found {
      if section.header.id == Self.optionsSection {
        do {
          _ = try readOptions(at: section.offset, file, diagnostics: &diagnostics)
        } catch {
          // That one is the damage; others may say the rest.
          if case .io = error.code { throw error }
        }
      } else if ContainerOptions.namesSection(section.header.id) {
        options.sections[section.header.id] = section.offset
      }
    }
  }

  mutating func recoverBuffers(_ file: FileBytes, diagnostics: inout Diagnostics) throws(TraceError) {
    guard Self.isPageSize(header.pageSize) else { return }
    for section in try followSections(file) where section.header.id == Self.flyrecordSection {
      let isCompressed = section.header.isCompressed
      let cpus =
        isCompressed
        ? try chunkedCPUs(file, from: section.start, to: section.end)
        : try plainCPUs(file, from: section.start, to: section.end)
      guard !cpus.isEmpty else { continue }
      buffers.append(
        BufferLayout(
          name: buffers.isEmpty ? "" : "unnamed-\(buffers.count)", clock: options.clock,
          pageSize: header.pageSize, isCompressed: isCompressed, isCut: true, cpus: cpus))
      diagnostics.record(
        .damagedSection, at: .byte(section.offset),
        "the table of this buffer's CPUs is missing; they are numbered in the order of their data")
    }
  }

  private func aligned(_ position: UInt64) -> UInt64 {
    let mask = UInt64(header.pageSize) - 1
    return position > .max - mask ? .max : (position + mask) & ~mask
  }

  /// Follows the chunks of one CPU after another.
  private func chunkedCPUs(
    _ file: FileBytes, from start: UInt64, to end: UInt64
  ) throws(TraceError) -> [CPUExtent] {
    var cpus: [CPUExtent] = []
    var start = aligned(start)
    while start < end, end - start > 12, cpus.count < Int(Self.mostCPUs) {
      var cursor = ByteCursor(file: file, order: header.order, from: start, to: end)
      let count = try cursor.uint32("number of chunks")
      guard count > 0 else { break }
      var walked: UInt32 = 0
      while walked < count, cursor.remaining >= 8 {
        let compressed = UInt64(try cursor.uint32("size of a chunk"))
        let size = try cursor.uint32("size of a chunk")
        guard compressed > 0, size > 0, size % header.pageSize == 0 else { return cpus }
        walked += 1
        if compressed > cursor.remaining {
          // The cut is in this chunk; the reader stops there by itself.
          try cursor.skip(cursor.remaining, "chunk")
          break
        }
        try cursor.skip(compressed, "chunk")
      }
      cpus.append(CPUExtent(cpu: UInt32(cpus.count), offset: start, size: cursor.position - start - 4))
      start = aligned(cursor.position)
    }
    return cpus
  }

  /// Pages that stand one behind the other: where their time goes back the next CPU begins.
  private func plainCPUs(_ file: FileBytes, from start: UInt64, to end: UInt64) throws(TraceError)
    -> [CPUExtent]
  {
    var cpus: [CPUExtent] = []
    let pageSize = UInt64(header.pageSize)
    var position = aligned(start)
    var last: UInt64 = 0
    var cursor = ByteCursor(file: file, order: header.order, from: min(position, end), to: end)
    while cursor.remaining >= UInt64(subBuffer.dataOffset) {
      try cursor.skip(UInt64(subBuffer.timestampOffset), "page")
      let timestamp = try cursor.uint64("page")
      let length = min(pageSize, end - position)
      if cpus.isEmpty || timestamp < last {
        guard cpus.count < Int(Self.mostCPUs) else { return cpus }
        cpus.append(CPUExtent(cpu: UInt32(cpus.count), offset: position, size: length))
      } else {
        cpus[cpus.count - 1].size += length
      }
      last = timestamp
      position += length
      try cursor.skip(position - cursor.position, "page")
    }
    return cpus
  }
}
