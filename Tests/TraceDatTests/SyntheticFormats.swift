/// Format files of the function graph tracer as kernels of several ages write them, and records to match.
struct SyntheticFormats {
  enum Variant: String, CaseIterable {
    /// 6.17 and 6.18.
    case today
    /// Before 6.5: signed depth, no arguments, the exit's overrun as a long behind the times.
    case older
    /// 4.x: `depth` of a short between other fields.
    case shortDepth
    /// CONFIG_FUNCTION_GRAPH_RETADDR: the entry has a return address and an event of its own.
    case returnAddress
    /// CONFIG_FUNCTION_GRAPH_RETVAL: the exit carries the return value.
    case returnValue
    /// funcgraph-args: entries of any length.
    case arguments
  }

  static let entryID: UInt16 = 11
  static let exitID: UInt16 = 10
  static let returnAddressID: UInt16 = 19

  var variant: Variant
  var bytes: SyntheticTrace.Bytes
  private var long: Int { bytes.longSize }

  private static let common = """
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
    \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
    \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

    """

  private static func file(_ name: String, _ id: UInt16, _ fields: [(String, Int, Int, Int)]) -> String {
    let lines = fields.map { "\tfield:\($0.0);\toffset:\($0.1);\tsize:\($0.2);\tsigned:\($0.3);\n" }.joined()
    return "name: \(name)\nID: \(id)\nformat:\n\(common)\n\(lines)\n"
      + "print fmt: \"--> %ps (%u)\", (void *)REC->func, REC->depth\n"
  }

  var texts: [String] {
    let depth = 8 + long
    var texts: [String] = [
      Self.file(
        "function", 1, [("unsigned long ip", 8, long, 0), ("unsigned long parent_ip", 8 + long, long, 0)])
    ]
    switch variant {
    case .shortDepth:
      texts.append(
        Self.file(
          "funcgraph_entry", Self.entryID,
          [
            ("unsigned long func", 8, long, 0), ("unsigned short flags", depth, 2, 0),
            ("short depth", depth + 2, 2, 1),
          ]))
    case .older:
      texts.append(
        Self.file(
          "funcgraph_entry", Self.entryID, [("unsigned long func", 8, long, 0), ("int depth", depth, 4, 1)]))
    default:
      texts.append(
        Self.file(
          "funcgraph_entry", Self.entryID,
          [
            ("unsigned long func", 8, long, 0), ("unsigned int depth", depth, 4, 0),
            ("unsigned long args[]", depth + long, 0, 0),
          ]))
    }
    if variant == .returnAddress {
      texts.append(
        Self.file(
          "fgraph_retaddr_entry", Self.returnAddressID,
          [
            ("unsigned long func", 8, long, 0), ("int depth", depth, 4, 1),
            ("unsigned long retaddr", depth + max(long, 4), long, 0),
          ]))
    }
    switch variant {
    case .shortDepth:
      texts.append(
        Self.file(
          "funcgraph_exit", Self.exitID,
          [
            ("unsigned long func", 8, long, 0), ("unsigned long long calltime", 16, 8, 0),
            ("unsigned long long rettime", 24, 8, 0), ("unsigned long overrun", 32, long, 0),
            ("short depth", 40, 2, 1),
          ]))
    case .older:
      texts.append(
        Self.file(
          "funcgraph_exit", Self.exitID,
          [
            ("unsigned long func", 8, long, 0), ("int depth", depth, 4, 1),
            ("unsigned int overrun", depth + 4, 4, 0),
            ("unsigned long long calltime", 24, 8, 0), ("unsigned long long rettime", 32, 8, 0),
          ]))
    case .returnValue:
      texts.append(
        Self.file(
          "funcgraph_exit", Self.exitID,
          [
            ("unsigned long func", 8, long, 0), ("unsigned long retval", 8 + long, long, 0),
            ("int depth", 24, 4, 1), ("unsigned int overrun", 28, 4, 0),
            ("unsigned long long calltime", 32, 8, 0), ("unsigned long long rettime", 40, 8, 0),
          ]))
    default:
      texts.append(
        Self.file(
          "funcgraph_exit", Self.exitID,
          [
            ("unsigned long func", 8, long, 0), ("unsigned int depth", depth, 4, 0),
            ("unsigned int overrun", depth + 4, 4, 0), ("unsigned long long calltime", 24, 8, 0),
            ("unsigned long long rettime", 32, 8, 0),
          ]))
    }
    return texts
  }

  private func record(_ id: UInt16, _ pid: Int32, size: Int, _ fields: [(Int, [UInt8])]) -> [UInt8] {
    var out = bytes.u16(id) + [0, 0] + bytes.u32(UInt32(bitPattern: pid))
    out += Array(repeating: 0xdd, count: size - 8)
    for (offset, value) in fields { out.replaceSubrange(offset..<offset + value.count, with: value) }
    return out
  }

  func entry(_ function: UInt64, depth: Int16, pid: Int32) -> [UInt8] {
    let place = 8 + long
    let value = bytes.u32(UInt32(bitPattern: Int32(depth)))
    switch variant {
    case .shortDepth:
      return record(
        Self.entryID, pid, size: place + 4,
        [(8, bytes.long(function)), (place + 2, bytes.u16(UInt16(bitPattern: depth)))])
    case .returnAddress:
      return record(
        Self.returnAddressID, pid, size: place + 2 * long,
        [(8, bytes.long(function)), (place, value), (place + long, bytes.long(0x8100_0150))])
    case .arguments:
      return record(Self.entryID, pid, size: place + 7 * long, [(8, bytes.long(function)), (place, value)])
    default:
      return record(Self.entryID, pid, size: place + 4, [(8, bytes.long(function)), (place, value)])
    }
  }

  func exit(_ function: UInt64, depth: Int16, pid: Int32, from start: UInt64, to end: UInt64) -> [UInt8] {
    let place = 8 + long
    let value = bytes.u32(UInt32(bitPattern: Int32(depth)))
    let function = (8, bytes.long(function))
    switch variant {
    case .shortDepth:
      return record(
        Self.exitID, pid, size: 42,
        [
          function, (16, bytes.u64(start)), (24, bytes.u64(end)), (32, bytes.long(0)),
          (40, bytes.u16(UInt16(bitPattern: depth))),
        ])
    case .returnValue:
      return record(
        Self.exitID, pid, size: 48,
        [
          function, (place, bytes.long(.max)), (24, value), (28, bytes.u32(0)), (32, bytes.u64(start)),
          (40, bytes.u64(end)),
        ])
    default:
      return record(
        Self.exitID, pid, size: 40,
        [function, (place, value), (place + 4, bytes.u32(0)), (24, bytes.u64(start)), (32, bytes.u64(end))])
    }
  }
}
