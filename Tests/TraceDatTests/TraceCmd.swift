import Foundation

/// `trace-cmd report` as the other implementation: its raw output, line by line.
enum TraceCmd {
  /// A function event as trace-cmd prints it.
  struct Line: Hashable, CustomStringConvertible {
    var kind: String
    var cpu: Int32
    var pid: Int32
    var comm: String
    var function: String
    var depth: Int32
    var timestamp: UInt64
    var duration: Int64?

    var description: String {
      "\(comm)-\(pid) [\(cpu)] \(timestamp): \(kind) \(function) depth \(depth) duration \(duration ?? -1)"
    }
  }

  struct Report {
    /// Function events by buffer name, in order.
    var lines: [String: [Line]] = [:]
    /// When the calls began that these lines end, by their clock; nil of entries.
    var callTimes: [String: [UInt64?]] = [:]
    /// What stands between brackets in `CPU:1 [4287 EVENTS DROPPED]`, in order; 0 where there is no number.
    var dropped: [UInt64] = []
  }

  struct Failure: Error { var text: String }

  /// - Parameter buffers: the names of the instances.
  static func report(_ path: String, buffers: [String]) throws -> Report {
    let output = FileManager.default.temporaryDirectory
      .appendingPathComponent("trace-cmd-\(UUID().uuidString).txt")
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: output) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["trace-cmd", "report", "-R", "-t", "-i", path]
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw Failure(text: "trace-cmd report \(path): \(process.terminationStatus); is trace-cmd installed?")
    }
    var report = Report()
    for line in [UInt8](try Data(contentsOf: output)).split(separator: 0x0a) {
      parse(line, buffers, &report)
    }
    return report
  }

  private static let kinds = ["funcgraph_entry", "funcgraph_exit", "fgraph_retaddr_entry"].map {
    Array($0.utf8)
  }

  private static func parse(_ line: ArraySlice<UInt8>, _ buffers: [String], _ report: inout Report) {
    let words = line.split(separator: 0x20)
    if line.starts(with: "CPU:".utf8) {
      if words.count >= 3, text(words[words.count - 1]) == "DROPPED]" {
        report.dropped.append(UInt64(text(words[1].dropFirst())) ?? 0)
      }
      return
    }
    // `comm-pid [cpu]time: event: fields`; the event is the first word that is one of ours, with a colon.
    guard
      let position = words.firstIndex(where: { word in
        word.last == 0x3a && kinds.contains(Array(word.dropLast()))
      }),
      position >= 2
    else { return }
    var head = line[..<words[position].startIndex]
    var buffer = ""
    // With several buffers their names stand in front, aligned to the right.
    let trimmed = head.drop { $0 == 0x20 }
    for name in buffers where !name.isEmpty && trimmed.starts(with: Array(name.utf8) + [0x3a]) {
      buffer = name
      head = trimmed.dropFirst(name.utf8.count + 1)
    }
    guard let open = head.lastIndex(of: 0x5b), let close = head.lastIndex(of: 0x5d) else { return }
    let task = text(head[..<open]).trimmingCharacters(in: .whitespaces)
    guard let dash = task.lastIndex(of: "-") else { return }
    let time = text(head[(close + 1)...]).trimmingCharacters(in: .whitespaces).dropLast()
    var fields: [String: String] = [:]
    for word in words[(position + 1)...] {
      let parts = word.split(separator: 0x3d, maxSplits: 1)
      if parts.count == 2 { fields[text(parts[0])] = text(parts[1]) }
    }
    var entry = Line(
      kind: text(words[position].dropLast()) == "funcgraph_exit" ? "exit" : "entry",
      cpu: Int32(text(head[(open + 1)..<close])) ?? -1, pid: Int32(task[task.index(after: dash)...]) ?? -1,
      comm: String(task[..<dash]), function: fields["func"] ?? "", depth: Int32(fields["depth"] ?? "") ?? -1,
      timestamp: nanoseconds(time), duration: nil)
    let start = fields["calltime"].flatMap { UInt64(bare($0), radix: 16) }
    if let start, let end = fields["rettime"].flatMap({ UInt64(bare($0), radix: 16) }) {
      entry.duration = Int64(bitPattern: end &- start)
    }
    report.callTimes[buffer, default: []].append(start)
    report.lines[buffer, default: []].append(entry)
  }

  private static func bare(_ number: String) -> Substring {
    number.hasPrefix("0x") ? number.dropFirst(2) : Substring(number)
  }

  /// `33.202489572` or a bare number.
  private static func nanoseconds(_ time: Substring) -> UInt64 {
    let parts = time.split(separator: ".")
    guard parts.count == 2, let seconds = UInt64(parts[0]), let fraction = UInt64(parts[1]) else {
      return UInt64(time) ?? 0
    }
    return seconds * 1_000_000_000 + fraction
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
