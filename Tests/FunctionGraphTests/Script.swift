import FunctionGraph
import Testing

/// Events and calls as literal text, so that a test shows what it is about.
///
/// One event a line. Blanks separate words; in front may stand `cN` (CPU), `pN` (task), `tN` (time in nanoseconds), `bN`
/// (buffer), `kN` (column). Then one of
///
///     > name depth              entry
///     < name depth duration     exit; `-` for an exit without a name, or without a duration
///     = name depth duration     leaf
///     ! count                   lost events
///     ~ pid pid                 task switch
///     / pid pid                 sched_switch record
///     ( number, ) number        interrupt, by its number
///     before, after             heading
struct Script {
  var functions = FunctionTable()
  var comms = StringTable()
  var events: [Event] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      var words = line.split(separator: " ").map(String.init)[...]
      if words.isEmpty { continue }
      var event = Event(kind: .entry)
      while let word = words.first, let number = UInt64(word.dropFirst()), "cptbk".contains(word.prefix(1)) {
        switch word.prefix(1) {
        case "c": event.cpu = Int32(number)
        case "p": event.pid = Int32(number)
        case "t": event.timestamp = .nanoseconds(number)
        case "b": event.buffer = UInt16(number)
        default: event.column = UInt8(number)
        }
        words.removeFirst()
      }
      guard let sign = words.popFirst() else { continue }
      let arguments = Array(words)
      switch sign {
      case ">", "<", "=":
        event.kind = sign == ">" ? .entry : sign == "<" ? .exit : .leaf
        if arguments[0] != "-" {
          event.function = functions.intern(FunctionName(symbol: arguments[0]))
        }
        event.depth = Int32(arguments[1]) ?? -1
        if arguments.count > 2 { event.duration = Int64(arguments[2]) }
      case "!":
        event.kind = .lost
        event.lostEvents = UInt64(arguments[0]) ?? 0
      case "~":
        event.kind = .taskSwitch
        event.previousPid = Int32(arguments[0]) ?? -1
        event.pid = Int32(arguments[1]) ?? -1
        event.previousComm = comms.intern("task\(arguments[0])")
        event.comm = comms.intern("task\(arguments[1])")
      case "/":
        event.kind = .switched
        event.previousPid = Int32(arguments[0]) ?? -1
        event.pid = Int32(arguments[1]) ?? -1
      case "(", ")":
        event.kind = sign == "(" ? .interruptEntry : .interruptExit
        event.interrupt = UInt8(arguments[0]) ?? 0
      default:
        event.kind = .heading
        event.side = sign == "before" ? .before : .after
      }
      events.append(event)
    }
  }

  /// The calls that the events make, one line each: `complete a d0 100 self=90 c0 p1 path=a`.
  func calls(buffersFollowOneAnother: Bool = false, in batch: Int = .max) -> [String] {
    var builder = CallBuilder(tracksPaths: true, buffersFollowOneAnother: buffersFollowOneAnother)
    let calls = builder.calls(of: events, in: batch)
    return calls.map { describe($0, builder.paths) }
  }

  func describe(_ call: Call, _ paths: CallPaths) -> String {
    var words = ["\(call.status)", call.function == .none ? "-" : functions[call.function].symbol]
    words.append(call.depth < 0 ? "d-" : "d\(call.depth)")
    words.append(call.duration.map(String.init) ?? "-")
    if let selfTime = call.selfTime { words.append("self=\(selfTime)") }
    if call.cpu >= 0 { words.append("c\(call.cpu)") }
    if call.pid >= 0 { words.append("p\(call.pid)") }
    if call.timestamp.unit != .none { words.append("t\(call.timestamp.value)") }
    if call.buffer > 0 { words.append("b\(call.buffer)") }
    if call.column > 0 { words.append("k\(call.column)") }
    if let side = call.side { words.append("\(side)") }
    var names: [String] = []
    var path = call.path
    while path != CallPaths.root {
      names.append(functions[paths.function(path)].symbol)
      path = paths.parent(path)
    }
    words.append("path=" + names.reversed().joined(separator: "/"))
    return words.joined(separator: " ")
  }
}

extension CallBuilder {
  /// All calls of some events, taken in batches, the unfinished ones at the end included.
  mutating func calls(of events: [Event], in batch: Int = .max) -> [Call] {
    var calls: [Call] = []
    var start = 0
    while start < events.count {
      let end = start + min(batch, events.count - start)
      consume(Array(events[start..<end]), into: &calls)
      start = end
    }
    finish(into: &calls)
    return calls
  }
}

/// Random numbers that are the same in every run.
struct TestGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
  }

  mutating func roll(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func chance(_ percent: Int) -> Bool { roll(100) < percent }
}
