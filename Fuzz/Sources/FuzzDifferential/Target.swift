import FunctionGraph
import Inputs
import TraceDat
import TraceText

/// A trace.dat against its own text: the events of one, written as `trace-cmd report` writes them, have to be read back as
/// the same events.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  guard var binary = try? datReader(bytes), let all = try? drain(&binary, limit: 20_000) else { return 0 }
  let isTime = binary.description.buffers.allSatisfy(\.timestampsAreTime)
  var text = "cpus=2\n"
  var expected: [Event] = []
  for event in all where event.kind != .lost && isTime {
    let symbol = binary.functions[event.function].symbol
    let comm = binary.comms[event.comm]
    // What a text cannot say or says otherwise: names that are none, depths that no line holds, exits without a
    // duration.
    guard isName(symbol), isName(comm), event.buffer == 0, (0..<60).contains(event.depth), event.pid >= 0,
      event.cpu >= 0, event.cpu < 1000, event.kind == .entry || event.duration != nil,
      event.duration ?? 0 >= 0, event.duration ?? 0 < 1 << 50,
      event.timestamp.value < 1 << 60
    else { continue }
    text += line(event, symbol, comm)
    expected.append(event)
  }
  var reader = textReader(Array(text.utf8))
  guard let found = try? drain(&reader) else { preconditionFailure("the text cannot be read") }
  precondition(found.count == expected.count, "\(found.count) events in the text of \(expected.count)")
  for (a, b) in zip(expected, found) {
    precondition(a.kind == b.kind && a.depth == b.depth && a.cpu == b.cpu && a.pid == b.pid)
    precondition(a.timestamp == b.timestamp && a.duration == b.duration)
    precondition(binary.comms[a.comm] == reader.comms[b.comm])
    if a.kind == .entry {
      precondition(binary.functions[a.function].symbol == reader.functions[b.function].symbol)
    }
  }
  return 0
}

/// A C identifier, with the dots of the compiler's suffixes.
private func isName(_ text: String) -> Bool {
  guard let first = text.utf8.first, first > UInt8(ascii: "9") else { return false }
  return text.utf8.count < 60
    && text.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
}

private func line(_ event: Event, _ symbol: String, _ comm: String) -> String {
  func padded(_ value: UInt64, _ digits: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
  let time = event.timestamp.value
  var text =
    "  \(comm)-\(event.pid)  [\(padded(UInt64(event.cpu), 3))]  "
    + "\(time / 1_000_000_000).\(padded(time % 1_000_000_000, 9)): "
  let indent = String(repeating: " ", count: 2 + 2 * Int(event.depth))
  if event.kind == .entry {
    text += "funcgraph_entry:                   |\(indent)\(symbol)() {\n"
  } else {
    let duration = UInt64(event.duration ?? 0)
    text += "funcgraph_exit:         \(duration / 1000).\(padded(duration % 1000, 3)) us |\(indent)}\n"
  }
  return text
}
