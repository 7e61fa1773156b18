import FunctionGraph
import Glibc
@_spi(Testing) import TraceText

/// What a reader made of a text.
struct Reading {
  var events: [Event]
  var functions: FunctionTable
  var comms: StringTable
  var description: TraceDescription
  var diagnostics: Diagnostics

  /// Hands out `bytes` in blocks of at most `blockSize` bytes.
  static func reader(_ bytes: [UInt8], blockSize: Int = .max) -> TextReader {
    var offset = 0
    return TextReader { (block) throws(TraceError) -> Int in
      let count = min(blockSize, block.count, bytes.count - offset)
      bytes.withUnsafeBytes { source in
        block.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + count]))
      }
      offset += count
      return count
    }
  }

  /// Reads `bytes` at any place, at most `blockSize` bytes at a time.
  static func positioned(
    _ bytes: [UInt8], blockSize: Int = .max, rangeSize: UInt64, jobs: Int, isNarrow: Bool = false
  ) -> TextReader {
    TextReader(size: UInt64(bytes.count), jobs: jobs, rangeSize: rangeSize, isNarrow: isNarrow) {
      (offset, block) throws(TraceError) -> Int in
      guard offset < UInt64(bytes.count) else { return 0 }
      let start = Int(offset)
      let count = min(blockSize, block.count, bytes.count - start)
      bytes.withUnsafeBytes { source in
        block.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
      }
      return count
    }
  }

  /// Reads `bytes`, handed to the reader in blocks of at most `blockSize` bytes.
  init(
    _ bytes: [UInt8], blockSize: Int = .max, generalWay: Bool = false, noticesTimeAway: Bool = false
  ) throws(TraceError) {
    var reader = Self.reader(bytes, blockSize: blockSize)
    if noticesTimeAway { reader.noticeTimeAway() }
    if generalWay { reader.readAllTheGeneralWay() }
    var all: [Event] = []
    var batch: [Event] = []
    while try reader.next(&batch) { all.append(contentsOf: batch) }
    events = all
    functions = reader.functions
    comms = reader.comms
    description = reader.description
    diagnostics = reader.diagnostics
  }

  init(_ text: String) throws(TraceError) {
    try self.init(Array(text.utf8))
  }

  /// One event a line: what differs from an event's defaults, in a fixed order.
  var lines: [String] { events.map(line) }

  private func line(_ event: Event) -> String {
    var words: [String] = []
    switch event.kind {
    case .heading: return "heading \(event.side)"
    case .lost: words = ["lost \(event.lostEvents)"]
    case .taskSwitch:
      words = [
        "switch \(comms[event.previousComm])-\(event.previousPid) => \(comms[event.comm])-\(event.pid)"
      ]
    case .switched:
      words = ["switched \(event.previousPid) => \(event.pid)"]
    case .interruptEntry, .interruptExit:
      words = ["\(event.kind) \(event.interrupt)"]
    default:
      words = ["\(event.kind)"]
      if event.function != .none {
        let name = functions[event.function]
        words.append(name.symbol + (name.module.isEmpty ? "" : "[\(name.module)]"))
      }
    }
    if event.column != 0 { words.append("column=\(event.column)") }
    if event.buffer != 0 { words.append("buffer=\(description.buffers[Int(event.buffer)].name)") }
    if event.cpu != -1 { words.append("cpu=\(event.cpu)") }
    if event.pid != -1, event.kind != .taskSwitch, event.kind != .switched {
      words.append("task=\(comms[event.comm])-\(event.pid)")
    }
    if event.kind != .lost, event.kind != .taskSwitch { words.append("depth=\(event.depth)") }
    switch event.timestamp.unit {
    case .none: break
    case .nanoseconds: words.append("at=\(event.timestamp.value)")
    case .raw: words.append("raw=\(event.timestamp.value)")
    }
    if let duration = event.duration { words.append("\(duration)/\(event.resolution)") }
    return words.joined(separator: " ")
  }
}

/// The files of `Fixtures/traces`.
enum Fixture {
  static let folder: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/Fixtures/traces/"
  }()

  static func bytes(_ name: String) throws -> [UInt8] {
    guard let file = fopen(folder + name, "r") else { throw FixtureError(name: name, code: errno) }
    defer { fclose(file) }
    var result: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&block, 1, block.count, file)
      if count == 0 { return result }
      result.append(contentsOf: block[..<count])
    }
  }
}

struct FixtureError: Error {
  var name: String
  var code: Int32
}
