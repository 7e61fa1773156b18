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
