internal import FunctionGraph

/// Version 6: everything in one fixed order, nothing compressed (trace-cmd.dat.v6(5)).
extension Container {
  mutating func readVersion6(_ file: FileBytes, diagnostics: inout Diagnostics) throws(TraceError) {
    var cursor = ByteCursor(file: file, order: header.order, from: header.end)
    try readHeaderInfo(&cursor, diagnostics: &diagnostics)
    try readFtraceFormats(&cursor, diagnostics: &diagnostics)
    let eventFormats = cursor.position
    try skipEventFormats(&cursor)
    self.eventFormats = .plain(offset: eventFormats, size: cursor.position - eventFormats)
    let kallsymsSize = UInt64(try cursor.uint32("size of kallsyms"))
    if kallsymsSize > 0 { kallsyms = .plain(offset: cursor.position, size: kallsymsSize) }
    try cursor.skip(kallsymsSize, "kallsyms")
    try cursor.skip(UInt64(try cursor.uint32("size of printk formats")), "printk formats")
    let cmdlinesSize = try cursor.uint64("size of saved command lines")
    savedCmdlines = .plain(offset: cursor.position, size: cmdlinesSize)
    try cursor.skip(cmdlinesSize, "saved command lines")

    let place = cursor.place
    var cpuCount = try cursor.uint32("number of CPUs")
    if try cursor.consume("options  \0", "options") {
      try readOptionsVersion6(&cursor, diagnostics: &diagnostics)
    }
    // An option tells the real number where CPUs were left out.
    if let count = options.cpuCount { cpuCount = count }
    guard cpuCount <= Self.mostCPUs else {
      throw TraceError(.corrupt, at: place, "\(cpuCount) CPUs, at most \(Self.mostCPUs) are taken")
    }
    if options.cpuCount == nil { options.cpuCount = cpuCount }
    if let top = try readCPUTable(&cursor, name: "", cpuCount: cpuCount, diagnostics: &diagnostics) {
      buffers.append(top)
    }
    for instance in options.instances {
      var cursor = ByteCursor(file: file, order: header.order, from: instance.offset)
      do {
        if let buffer = try readCPUTable(
          &cursor, name: instance.name, cpuCount: cpuCount, diagnostics: &diagnostics)
        {
          buffers.append(buffer)
        }
      } catch {
        if case .io = error.code { throw error }
        diagnostics.record(
          .damagedSection, at: error.place, "the buffer \(instance.name.debugDescription): \(error.detail)")
      }
    }
  }

  /// The formats of all other events: 114 systems in a file of today, none of which is needed.
  private func skipEventFormats(_ cursor: inout ByteCursor) throws(TraceError) {
    let systems = try cursor.uint32("number of event systems")
    for _ in 0..<systems {
      _ = try cursor.string("name of an event system")
      let count = try cursor.uint32("number of events in a system")
      for _ in 0..<count {
        try cursor.skip(try cursor.uint64("size of an event format"), "event format")
      }
    }
  }

  private mutating func readOptionsVersion6(
    _ cursor: inout ByteCursor, diagnostics: inout Diagnostics
  ) throws(TraceError) {
    while true {
      let id = try cursor.uint16("option")
      if id == 0 { return }
      let size = try cursor.uint32("size of an option")
      let place = cursor.place
      let payload = try cursor.block(UInt64(size), limit: Self.largestMetadata, "option \(id)")
      options.take(id, payload, at: place, self, diagnostics: &diagnostics)
    }
  }

  /// `flyrecord`, then offset and size for every CPU, then the clocks with the buffer's own in brackets.
  private func readCPUTable(
    _ cursor: inout ByteCursor, name: String, cpuCount: UInt32, diagnostics: inout Diagnostics
  ) throws(TraceError) -> BufferLayout? {
    if try cursor.consume("latency  \0", "type of the trace data") {
      diagnostics.record(
        .unsupported, at: cursor.place, "a trace in text form (latency tracer) inside the file")
      return nil
    }
    guard try cursor.consume("flyrecord\0", "type of the trace data") else {
      throw TraceError(.corrupt, at: cursor.place, "\"options\", \"latency\" or \"flyrecord\" expected")
    }
    var buffer = BufferLayout(
      name: name, clock: options.clock, pageSize: header.pageSize, isCompressed: false, isCut: false, cpus: []
    )
    for cpu in 0..<cpuCount {
      let offset = try cursor.uint64("offset of a CPU's data")
      let size = try cursor.uint64("size of a CPU's data")
      if size > 0 { buffer.cpus.append(CPUExtent(cpu: cpu, offset: offset, size: size)) }
    }
    // Only files with the option TRACECLOCK have it; a file without ends or goes on with padding.
    if options.hasClock, cursor.remaining >= 8 {
      let size = try cursor.uint64("size of the trace clock")
      if size > 0, size <= 1024, size <= cursor.remaining {
        let text = try cursor.block(size, limit: 1024, "trace clock")
        if let clock = ContainerOptions.selectedClock(text.bytes) { buffer.clock = clock }
      }
    }
    return buffer
  }
}
