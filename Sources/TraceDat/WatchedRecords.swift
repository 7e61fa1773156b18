internal import FunctionGraph

/// The records of other events that tell when a task was not in its functions: `sched_switch`, and the pairs around
/// interrupts. Told by their numbers, which differ from file to file.
final class WatchedRecords {
  enum Kind {
    case none, switched
    case interrupt(source: UInt8, isExit: Bool)
  }

  /// Systems that have such events.
  static let systems = Set(InterruptSource.all.map(\.system) + ["sched"])

  /// The tasks' fields of `sched_switch`, and how long its records are at least.
  private(set) var previous = RecordField(offset: 0, size: 4, isSigned: true)
  private(set) var next = RecordField(offset: 0, size: 4, isSigned: true)
  private(set) var switchLength = 0
  /// A byte a record type: 0 for none, 1 for `sched_switch`, from 2 on an entry and an exit for every source.
  private let kinds = RawBlock(capacity: 1 << 16)
  private(set) var isEmpty = true

  init() {
    kinds.memory.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// What a record of this type is.
  func kind(of type: UInt16) -> Kind {
    let code = kinds.memory[Int(type)]
    if code == 0 { return .none }
    if code == 1 { return .switched }
    return .interrupt(source: (code - 2) >> 1, isExit: (code - 2) & 1 != 0)
  }

  /// Takes up an event's format file; one that is not needed, or cannot be used, changes nothing.
  func add(_ text: UnsafeRawBufferPointer, system: String) {
    guard let (name, id) = EventFormatText.heading(text) else { return }
    if system == "sched" {
      guard name == "sched_switch", let format = EventFormatText(text),
        let previous = format.number("prev_pid"), let next = format.number("next_pid")
      else { return }
      self.previous = previous
      self.next = next
      switchLength = max(previous.end, next.end)
      set(id, 1)
      return
    }
    for (source, event) in InterruptSource.all.enumerated() where event.system == system {
      if name == event.name + "_entry" { set(id, UInt8(2 + 2 * source)) }
      if name == event.name + "_exit" { set(id, UInt8(3 + 2 * source)) }
    }
  }

  private func set(_ id: UInt16, _ code: UInt8) {
    kinds.memory[Int(id)] = code
    isEmpty = false
  }
}

extension EventFormatText {
  /// A field of four bytes.
  fileprivate func number(_ name: String) -> RecordField? {
    guard let field = fields.first(where: { $0.name == name }), field.size == 4 else { return nil }
    return RecordField(offset: field.offset, size: field.size, isSigned: true)
  }
}

extension Container {
  /// Reads the formats of all other events for those that are watched: 114 systems in a file of today where none was
  /// switched on, else those of the events that were.
  ///
  /// - Returns: nil where the file has none of them, or they cannot be read: they only add to what is known.
  func readWatchedRecords(_ file: FileBytes) throws(TraceError) -> WatchedRecords? {
    guard let eventFormats else { return nil }
    let watched = WatchedRecords()
    do {
      var cursor: ByteCursor
      switch eventFormats {
      case .plain(let offset, _): cursor = ByteCursor(file: file, order: header.order, from: offset)
      case .section(let offset): cursor = try openSection(at: offset, file, "event formats")
      }
      let systems = try cursor.uint32("number of event systems")
      for _ in 0..<systems {
        let system = String(decoding: try cursor.string("name of an event system"), as: UTF8.self)
        let count = try cursor.uint32("number of events in a system")
        let isWatched = WatchedRecords.systems.contains(system)
        for _ in 0..<count {
          let size = try cursor.uint64("size of an event format")
          guard isWatched, size <= UInt64(EventFormatText.largest) else {
            try cursor.skip(size, "event format")
            continue
          }
          watched.add(
            try cursor.block(size, limit: EventFormatText.largest, "event format").bytes, system: system)
        }
      }
    } catch {
      if case .io = error.code { throw error }
    }
    return watched.isEmpty ? nil : watched
  }
}
