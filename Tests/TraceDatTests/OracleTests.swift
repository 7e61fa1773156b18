import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// DatReader against `trace-cmd report -R -t` on captures of real kernels: every function event of every buffer, in
/// order, in all its parts.
@Suite struct OracleTests {
  /// The fixtures, and what the folder in PINSTAT_TRACES holds besides.
  static var files: [String] {
    let folders = [fixtures.path] + (ProcessInfo.processInfo.environment["PINSTAT_TRACES"].map { [$0] } ?? [])
    return folders.flatMap { folder in
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".dat") }
        .sorted()
        .map { folder + "/" + $0 }
    }
  }

  @Test func fixturesAreThere() {
    #expect(Self.files.count >= 10)
  }

  @Test(arguments: files)
  func sameEvents(path: String) throws {
    let reading = try Reading(path: path)
    let names = reading.description.buffers.map(\.name)
    // Debian's trace-cmd cannot read zlib; it gets the same trace in zstd.
    let report = try TraceCmd.report(path.replacingOccurrences(of: "-zlib", with: ""), buffers: names)
    var compared = 0
    for (buffer, name) in names.enumerated() {
      let ours = reading.lines(buffer: buffer)
      let theirs = report.lines[name] ?? []
      #expect(ours.count == theirs.count, "\(path) \(name)")
      if let index = zip(ours, theirs).enumerated().first(where: { $1.0 != $1.1 })?.offset {
        Issue.record("\(path), buffer \(name), event \(index): \(ours[index]), trace-cmd: \(theirs[index])")
      }
      compared += ours.count
    }
    let lost = reading.events.filter { $0.kind == .lost }.map(\.lostEvents)
    let sameLosses = lost.sorted() == report.dropped.sorted()
    #expect(sameLosses, "\(path): \(lost.count) losses, trace-cmd: \(report.dropped.count)")
    #expect(compared == reading.events.count { $0.kind == .entry || $0.kind == .exit })
    print(
      "\((path as NSString).lastPathComponent): \(compared) events, \(lost.count) losses, equal to trace-cmd's"
    )
  }

  /// Behind lost events, too, a call begins where its exit says that it did: the tracer's own clock against the entry's stamp.
  /// Without losses it mostly does, as pairs are certain: where an interrupt comes between the two, they are far apart.
  @Test(arguments: files)
  func callsBeginWhereTheirExitsSay(path: String) throws {
    struct End: Hashable {
      var buffer: String
      var cpu: Int32
      var pid: Int32
      var timestamp: UInt64
      var function: String
    }
    let reading = try Reading(path: path)
    let buffers = reading.description.buffers
    let report = try TraceCmd.report(
      path.replacingOccurrences(of: "-zlib", with: ""), buffers: buffers.map(\.name))
    var starts: [End: UInt64] = [:]
    for (buffer, lines) in report.lines {
      for (line, start) in zip(lines, report.callTimes[buffer] ?? []) {
        let end = End(
          buffer: buffer, cpu: line.cpu, pid: line.pid, timestamp: line.timestamp, function: line.function)
        if let start { starts[end] = start }
      }
    }
    var builder = CallBuilder(buffersFollowOneAnother: true)
    var calls: [Call] = []
    builder.consume(reading.events, into: &calls)
    var complete: [Bool] = []
    for call in calls where call.status == .complete || call.status == .lost {
      let buffer = buffers[Int(call.buffer)]
      // The times of calls are by the local clock, whatever that of the stamps (kernel/trace/fgraph.c).
      guard buffer.clock == "local" else { continue }
      let end = End(
        buffer: buffer.name, cpu: call.cpu, pid: call.pid, timestamp: call.end.value,
        function: reading.functions[call.function].symbol)
      let start = try #require(starts[end], "\(end)")
      let offset = Int64(bitPattern: start &- call.timestamp.value)
      let isNear = offset.magnitude < 50_000
      #expect(isNear || call.status == .complete, "\(path): \(end), off by \(offset) ns")
      if call.status == .complete { complete.append(isNear) }
    }
    #expect(complete.count { $0 } * 4 >= complete.count * 3, "\(path): \(complete.count)")
  }
}

extension Reading {
  /// The function events of a buffer in trace-cmd's terms.
  func lines(buffer: Int) -> [TraceCmd.Line] {
    events.compactMap { event in
      guard Int(event.buffer) == buffer, event.kind == .entry || event.kind == .exit else { return nil }
      return TraceCmd.Line(
        kind: event.kind == .exit ? "exit" : "entry", cpu: event.cpu, pid: event.pid, comm: comm(event),
        function: symbol(event), depth: event.depth, timestamp: event.timestamp.value,
        duration: event.duration)
    }
  }
}
