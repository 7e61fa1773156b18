import Foundation
import FunctionGraph
import Testing

@testable import TraceInput

/// An input that was opened ahead against the same opened when it is wanted.
@Suite struct TraceAheadTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/traces")

  private static let traces = FileManager.default.enumerator(atPath: folder.path)!.compactMap {
    $0 as? String
  }
  .filter { $0.hasSuffix(".dat") }.sorted().map { folder.appendingPathComponent($0).path }

  /// What is told of a trace when the functions that begin with one string are selected, or all without one.
  private struct Told: Equatable {
    var calls: [String] = []
    var exits: UInt64?
    var format: String
    var diagnostics: [String]
    var bytesRead: UInt64

    init(_ input: consuming SniffedInput, _ prefix: String?, _ read: Guarded<UInt64>) throws {
      var reader = try CallReader(input, jobs: 2) { count, _ in read.withLock { $0 = max($0, count) } }
      if let prefix { try reader.selectFunctions(beginning: [prefix]) { $0.hasPrefix(prefix) } }
      var batch: [Call] = []
      while try reader.next(&batch) {
        for call in batch where reader.functions[call.function].symbol.hasPrefix(prefix ?? "") {
          calls.append(
            "\(reader.functions[call.function].symbol) \(call.cpu) \(call.pid) \(String(describing: call.duration))"
          )
        }
      }
      exits = reader.leftOut?.exits
      format = "\(reader.description)"
      diagnostics = reader.diagnostics.kept.map { "\($0)" }
      bytesRead = reader.bytesRead
    }
  }

  /// Waits until the file is open, so that it is that what is read.
  private func opened(_ path: String, _ prefixes: [String]) async throws -> TraceAhead {
    let ahead = TraceAhead(path: path, symbolsBeginning: prefixes)
    for _ in 0..<10_000 where !ahead.isOpen { try await Task.sleep(for: .milliseconds(1)) }
    try #require(ahead.isOpen)
    return ahead
  }

  /// With the symbols that are wanted, with others, with all, and with none looked for.
  @Test(arguments: traces)
  func readsTheSame(_ path: String) async throws {
    let prefix = path.contains("away") ? "kernel_" : "vfio_"
    let some = try Told(SniffedInput(path: path), prefix, Guarded(0))
    let all = try Told(SniffedInput(path: path), nil, Guarded(0))
    for (prefixes, wanted) in [
      ([prefix], prefix), (["nothing"], prefix), ([""], prefix), ([], prefix), ([""], nil), ([prefix], nil),
    ] {
      let ahead = try await opened(path, prefixes)
      #expect(!gives(ahead, path + "x"))
      guard let input = ahead.take(path: path) else {
        Issue.record("nothing is given")
        continue
      }
      #expect(!gives(ahead, path), "it is given once")
      let count = Guarded(UInt64(0))
      let told = try Told(input, wanted, count)
      #expect(told == (wanted == nil ? all : some))
      #expect(count.withLock { $0 } > 0, "who wants it gets to know how far it is")
    }
  }

  @Test func fixturesHaveCalls() throws {
    let counts = Guarded(UInt64(0))
    let sizes = try Self.traces.map { path in
      try Told(SniffedInput(path: path), path.contains("away") ? "kernel_" : "vfio_", counts).calls.count
    }
    #expect(sizes.count { $0 > 0 } > 20)
  }

  /// What is none, is not there or is damaged is left to who wants it; a pipe is not even opened, as that would be noticed.
  @Test func leavesTheRest() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipe = folder.appendingPathComponent("pipe").path
    try #require(mkfifo(pipe, 0o600) == 0)
    // Who opened it would find something to read.
    let end = open(pipe, O_RDWR)
    defer { close(end) }
    let waiting = try Data(contentsOf: URL(fileURLWithPath: Self.traces[0])).prefix(12_288)
    try #require(waiting.withUnsafeBytes { write(end, $0.baseAddress, $0.count) } == 12_288)
    let broken = folder.appendingPathComponent("broken.dat").path
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.traces[0]))
    try whole.prefix(40).write(to: URL(fileURLWithPath: broken))
    let text = Self.folder.appendingPathComponent("6.17-txt-default.tracefs.txt").path
    for path in [pipe, broken, text, folder.path, folder.path + "/absent", "", "-", "/dev/null"] {
      #expect((try? BegunDat(path: path, symbolsBeginning: ["vfio_"])) == nil, "\(path)")
      #expect(!gives(TraceAhead(path: path, symbolsBeginning: ["vfio_"]), path), "\(path)")
    }
    var left: Int32 = 0
    #expect(ioctl(end, UInt(FIONREAD), &left) == 0 && left == 12_288, "the pipe is as it was")
  }

  private func gives(_ ahead: TraceAhead, _ path: String) -> Bool {
    ahead.take(path: path) != nil
  }
}
