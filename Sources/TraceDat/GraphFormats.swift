internal import CTraceEvent
internal import FunctionGraph

/// A number in a record: `offset` bytes behind the record's start, `size` bytes (1, 2, 4 or 8) wide.
struct RecordField: Equatable {
  var offset: Int
  var size: Int
  var isSigned: Bool

  var end: Int { offset + size }
}

/// Where the records of the function graph tracer keep what we want of them, in one file.
///
/// `funcgraph_entry` and, on kernels that record return addresses, `fgraph_retaddr_entry`; `funcgraph_exit`.
///
/// One object for all that look: of a value each function that asks for a field would copy the whole.
final class GraphFormats: Sendable {
  struct Entry {
    var id: UInt16
    var function: RecordField
    var depth: RecordField
    /// Shorter records do not hold all fields.
    var minimumLength: Int
  }

  struct Exit {
    var id: UInt16
    var function: RecordField
    var depth: RecordField
    /// Nanoseconds of the local clock; both or none.
    var callTime: RecordField?
    var returnTime: RecordField?
    var minimumLength: Int
  }

  static let names: [String] = ["funcgraph_entry", "fgraph_retaddr_entry", "funcgraph_exit"]

  /// `common_type` and `common_pid`, which are the same in all formats of a kernel.
  let type: RecordField
  let pid: RecordField
  let entry: Entry?
  let returnAddressEntry: Entry?
  let exit: Exit?

  /// Asks libtraceevent for the offsets.
  ///
  /// - Parameter texts: formats of the system `ftrace` that the grammar accepted.
  /// - Returns: nil where none of the three is usable.
  init?(
    _ texts: [EventFormatText], order: ByteOrder, longSize: Int, pageSize: Int,
    diagnostics: inout Diagnostics, place: Diagnostic.Place
  ) {
    guard let tep = tep_alloc() else { return nil }
    defer { tep_free(tep) }
    tep_set_loglevel(TEP_LOG_NONE)
    tep_set_file_bigendian(tep, order.isBigEndian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN)
    tep_set_long_size(tep, Int32(longSize))
    tep_set_page_size(tep, Int32(clamping: pageSize))

    var common: (type: RecordField, pid: RecordField)?
    var entry: Entry?
    var returnAddressEntry: Entry?
    var exit: Exit?
    for text in texts where Self.names.contains(text.name) {
      guard let event = ParsedEvent(text, tep: tep), let type = event.common("common_type"),
        let pid = event.common("common_pid"), type.size == 2, pid.size == 4,
        let function = event.field("func"), function.size >= 4, let depth = event.field("depth")
      else {
        diagnostics.record(.missingFormat, at: place, "the format of \(text.name) is not usable")
        continue
      }
      if let common, common != (type, pid) {
        diagnostics.record(
          .missingFormat, at: place, "the format of \(text.name) has common fields of its own")
        continue
      }
      common = (type, pid)
      var length = max(type.end, pid.end, function.end, depth.end)
      switch text.name {
      case "funcgraph_entry":
        entry = Entry(id: text.id, function: function, depth: depth, minimumLength: length)
      case "fgraph_retaddr_entry":
        returnAddressEntry = Entry(id: text.id, function: function, depth: depth, minimumLength: length)
      default:
        var callTime = event.field("calltime")
        var returnTime = event.field("rettime")
        if callTime?.size != 8 || returnTime?.size != 8 {
          callTime = nil
          returnTime = nil
          diagnostics.record(
            .missingFormat, at: place, "funcgraph_exit has no calltime and rettime: calls have no duration")
        }
        length = max(length, callTime?.end ?? 0, returnTime?.end ?? 0)
        exit = Exit(
          id: text.id, function: function, depth: depth, callTime: callTime, returnTime: returnTime,
          minimumLength: length)
      }
    }
    guard let common else { return nil }
    type = common.type
    pid = common.pid
    self.entry = entry
    self.returnAddressEntry = returnAddressEntry
    self.exit = exit
  }
}

/// An event format inside libtraceevent, valid as long as its handle.
private struct ParsedEvent {
  private let event: UnsafeMutablePointer<tep_event>

  /// nil where libtraceevent does not know the event afterwards: `tep_parse_event` reports success for some malformed
  /// formats too.
  init?(_ text: EventFormatText, tep: OpaquePointer) {
    var canonical = text.canonical
    let size = canonical.utf8.count
    let code = canonical.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { tep_parse_event(tep, $0.baseAddress, UInt(size), "ftrace") }
    }
    guard code == TEP_ERRNO__SUCCESS, let event = tep_find_event_by_name(tep, "ftrace", text.name),
      event.pointee.id == Int32(text.id)
    else { return nil }
    self.event = event
  }

  func common(_ name: String) -> RecordField? { Self.field(tep_find_common_field(event, name)) }
  func field(_ name: String) -> RecordField? { Self.field(tep_find_field(event, name)) }

  private static func field(_ pointer: UnsafeMutablePointer<tep_format_field>?) -> RecordField? {
    guard let field = pointer?.pointee else { return nil }
    let size = Int(field.size)
    guard field.offset >= 0, field.offset < 4096, size == 1 || size == 2 || size == 4 || size == 8
    else { return nil }
    let isSigned = field.flags & UInt(TEP_FIELD_IS_SIGNED.rawValue) != 0
    return RecordField(offset: Int(field.offset), size: size, isSigned: isSigned)
  }
}
