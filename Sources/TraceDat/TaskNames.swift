internal import FunctionGraph

/// The names of tasks: the text of tracefs' `saved_cmdlines`, one `pid comm` a line.
struct TaskNames {
  private var ids = IntegerMap()
  private let idle: StringTable.ID
  private let unknown: StringTable.ID

  /// - Parameter text: the table, or nil where the file has none. The first line of a pid counts.
  init(savedCmdlines text: UnsafeRawBufferPointer?, comms: inout StringTable) {
    idle = comms.intern("<idle>")
    unknown = comms.intern("<...>")
    guard let text else { return }
    for line in text.split(separator: 0x0a) {
      var rest = line.drop { $0 == 0x20 || $0 == 0x09 }
      let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
      guard !digits.isEmpty, digits.count <= 10 else { continue }
      let pid = digits.reduce(0 as UInt64) { $0 * 10 + UInt64($1 - 0x30) }
      rest = rest[digits.endIndex...].drop { $0 == 0x20 || $0 == 0x09 }
      // The kernel's TASK_COMM_LEN is 16; more than some multiple of it is no name.
      let name = UnsafeRawBufferPointer(rebasing: rest.prefix { $0 != 0 }.prefix(64))
      guard !name.isEmpty, pid <= UInt64(Int32.max), ids[pid] == nil else { continue }
      ids.insert(pid, comms.intern(name).rawValue)
    }
  }

  /// The name of a task as trace-cmd prints it: `<idle>` for task 0, `<...>` where the table has none.
  func name(of pid: Int32) -> StringTable.ID {
    if pid == 0 { return idle }
    guard let id = ids[UInt64(UInt32(bitPattern: pid))] else { return unknown }
    return StringTable.ID(rawValue: id)
  }
}
