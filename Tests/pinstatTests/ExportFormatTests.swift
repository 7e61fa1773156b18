import Foundation
import Testing

/// `export --format folded` and `chrome`, read back by something else.
@Suite struct ExportFormatTests {
  private static let reader = "Tests/pinstatTests/Readers/read_exports.py"

  private func read(_ arguments: [String]) throws -> Tool.Outcome {
    try Tool.launch("/usr/bin/env", ["python3", Self.reader, Tool.path] + arguments)
  }

  // MARK: Against trace-cmd

  /// Calls, durations, nesting and own times of both formats against calls paired in Python from trace-cmd's raw records.
  @Test(
    arguments: [
      "6.17-nest3-256m-2m.dat", "6.18-nest3-256m-2m.dat", "6.18-nestinf-64m-2m-stripped.dat",
      "6.17-err-enomem-d3-stripped.dat", "6.18-fmt-multicpu-stripped.dat", "6.18-fmt-v6-stripped.dat",
      "6.18-fmt-events-stripped.dat", "6.18-fmt-instance-events-stripped.dat",
    ], [nil, "vfio_pin_pages_remote"] as [String?])
  func agreesWithTheRawRecords(_ name: String, _ function: String?) throws {
    let outcome = try read([Tool.fixture(name)] + (function.map { [$0] } ?? []))
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
    let figures = outcome.output.split(separator: " ").compactMap {
      Int($0.trimmingCharacters(in: .newlines))
    }
    #expect(figures.count == 5 && figures[0] > 100, "\(outcome.output)")
  }

  /// Whatever was lost or is only known to the microsecond: slices nest, and what has no times says so.
  @Test func everyTraceNests() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Tool.root + "/Fixtures/traces").filter {
      !$0.contains("matrix") && !$0.contains("ic-") && !$0.contains("icx-") && !$0.contains("seed")
    }.sorted()
    let outcome = try read(["--nesting"] + names.map(Tool.fixture))
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines.count == names.count)
    #expect(lines.count { $0[1] == "0" && Int($0[2]) ?? 0 > 0 } >= 15)
  }

  // MARK: Tracks and shapes, on lines made for it

  /// A task that changes its CPU, two idle tasks, a call without an entry and one without an exit.
  private static let report = """
    cpus=2
              v a-7 [000] 10.000001000: funcgraph_entry:                   |  outer() {
              v a-7 [000] 10.000002000: funcgraph_entry:                   |    inner() {
              v a-7 [001] 10.000005000: funcgraph_exit:         3.000 us   |    }
              v a-7 [001] 10.000009000: funcgraph_exit:         8.000 us   |  }
           <idle>-0 [000] 10.000010000: funcgraph_entry:                   |  tick() {
           <idle>-0 [001] 10.000011000: funcgraph_entry:                   |  tick() {
           <idle>-0 [000] 10.000014000: funcgraph_exit:         4.000 us   |  }
           <idle>-0 [001] 10.000016000: funcgraph_exit:         5.000 us   |  }
              w-8 [000] 10.000020000: funcgraph_exit:         2.500 us   |  } /* late */
              w-8 [000] 10.000021000: funcgraph_entry:                   |  hangs() {
              w-8 [000] 10.000022000: funcgraph_entry:        1.000 us   |    leaf();

    """

  private struct Slice: Decodable {
    struct Arguments: Decodable {
      var name: String?
      var cpu: Int?
      var status: String?
    }
    var name: String
    var ph: String
    var ts: Double?
    var dur: Double?
    var pid: Int
    var tid: Int
    var args: Arguments
  }

  private struct Document: Decodable {
    var displayTimeUnit: String
    var traceEvents: [Slice]
  }

  private func slices(_ arguments: String...) throws -> [Slice] {
    let outcome = try Tool.run(["export", "--format", "chrome", "-q"] + arguments)
    #expect(outcome.status == 0, "\(outcome.error)")
    let document = try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8))
    #expect(document.displayTimeUnit == "ns")
    return document.traceEvents
  }

  @Test func tracksAndFlags() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("report.txt", Self.report)
    let events = try slices("--all-functions", path)
    let names = events.filter { $0.name == "thread_name" }.map { $0.args.name ?? "" }
    #expect(names.sorted() == ["<idle>, CPU 0", "<idle>, CPU 1", "v a-7", "w-8"])
    let calls = events.filter { $0.ph == "X" }
    #expect(calls.allSatisfy { $0.pid == 1 })
    func all(_ name: String) -> [Slice] { calls.filter { $0.name == name } }
    // One track, though it ended elsewhere; microseconds of the trace clock.
    #expect(all("outer").map(\.tid) == [7] && all("inner").map(\.tid) == [7])
    #expect(all("outer").first?.ts == 10_000_001 && all("outer").first?.dur == 8)
    #expect(all("inner").first?.args.cpu == 1)
    #expect(Set(all("tick").map(\.tid)).count == 2)
    #expect(Set(all("tick").map(\.tid)).allSatisfy { $0 > 4_194_304 })
    // It ends with its exit, which is all that is known of it.
    let late = try #require(all("late").first)
    #expect(late.args.status == "no-entry" && late.ts == 10_000_017.5 && late.dur == 2.5)
    let hangs = try #require(all("hangs").first)
    #expect(hangs.args.status == "unfinished" && hangs.ts == 10_000_021 && hangs.dur == 2)
    #expect(all("leaf").first?.args.status == nil)
    #expect(calls.filter { $0.args.status != nil }.count == 2)
  }

  @Test func foldedLines() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("report.txt", Self.report)
    func lines(_ arguments: String...) throws -> [String] {
      let outcome = try Tool.run(["export", "--format", "folded"] + arguments)
      #expect(outcome.status == 0, "\(outcome.error)")
      return outcome.output.split(separator: "\n").map(String.init).sorted()
    }
    #expect(
      try lines("--all-functions", path) == [
        "<idle>;tick 9000", "v_a;outer 5000", "v_a;outer;inner 3000", "w;hangs;leaf 1000", "w;late 2500",
      ])
    // The selected function with what is below it; a filter looks at each call.
    #expect(try lines("-f", "outer", path) == ["v_a;outer 5000", "v_a;outer;inner 3000"])
    #expect(try lines("-f", "inner", path) == ["v_a;inner 3000"])
    #expect(
      try lines("--all-functions", "--cpu", "0", path) == [
        "<idle>;tick 4000", "w;hangs;leaf 1000", "w;late 2500",
      ])
    #expect(try lines("-f", "tick", "--skip-first", "1", path) == ["<idle>;tick 5000"])
    // Several traces are kept apart.
    let other = try folder.file("other;one.txt", Self.report)
    let both = try lines("-f", "inner", path, other)
    #expect(both.count == 2 && both[0] == "\(folder.path)/other_one.txt;v_a;inner 3000")
    let said = try Tool.run("export", "--format", "folded", "--all-functions", path)
    #expect(said.error.contains("1 call without an exit") && said.error.contains("1 call without an entry"))
  }

  @Test func skippedCallsTakeTheirCalleesAlong() throws {
    let path = Tool.fixture("6.18-nest3-256m-2m.dat")
    let all = try slices("-f", "vfio_pin_map_dma", path).filter { $0.ph == "X" }
    let rest = try slices("-f", "vfio_pin_map_dma", "--skip-first", "2", path).filter { $0.ph == "X" }
    let first = all.filter { $0.name == "vfio_pin_map_dma" }.map { ($0.ts ?? 0) + ($0.dur ?? 0) }
    #expect(first.count == 3)
    #expect(rest.count { $0.name == "vfio_pin_map_dma" } == 1)
    #expect(rest.count == all.count { ($0.ts ?? 0) >= first[1] })
  }

  @Test func hostileNames() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "names.txt",
      "  a;b\"\\\u{1}<x>  c-9 [000] 1.000001: funcgraph_entry:        1.000 us   |  f;g\"h();\n"
        + "  v-9 [000] 1.000004: funcgraph_entry:        1.000 us   |  plain();\n")
    let folded = try Tool.run("export", "--all-functions", "--format", "folded", path)
    for line in folded.output.split(separator: "\n") {
      #expect(line.split(separator: " ").count == 2 && line.count { $0 == ";" } == 1, "\(line)")
    }
    #expect(try slices("--all-functions", path).contains { $0.name == "plain" })
  }

  /// 2,000 calls in one another: lines stop at 512 functions, and the time is all there.
  @Test func longPathsAreCut() throws {
    let folder = try TemporaryFolder()
    var text = ""
    for level in 0..<2000 {
      text += "  v-1 [001] 1.\(100_000 + level): funcgraph_entry: func=f\(level % 7) depth=\(level)\n"
    }
    for level in (0..<2000).reversed() {
      let end = String(4000 - level, radix: 16)
      text +=
        "  v-1 [001] 1.\(110_000 - level): funcgraph_exit: func=f\(level % 7) overrun=0 calltime=0x1 rettime=0x\(end) depth=\(level)\n"
    }
    let path = try folder.file("deep.txt", text)
    let outcome = try Tool.run("export", "--all-functions", "--format", "folded", path)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 512)
    #expect(lines.allSatisfy { $0.count { $0 == ";" } <= 512 })
    #expect(lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +) == 3999)
    #expect(outcome.error.contains("longer ones than are shown"))
    #expect(try slices("--all-functions", path).count { $0.ph == "X" } == 2000)
  }

  // MARK: What cannot be given, what cannot be written

  static let timeless: [(String, String)] = [
    ("6.18-fmt-clock-counter-stripped.dat", "'counter'"),
    ("6.18-fmt-clock-x86-tsc-stripped.dat", "'x86-tsc'"),
    ("6.17-txt-default.tracefs.txt", "funcgraph-abstime"), ("6.18-fmt-clock-counter.report.txt", "clock"),
  ]

  @Test(arguments: timeless)
  func withoutTimesThereIsNoTimeLine(_ name: String, _ part: String) throws {
    let outcome = try Tool.run("export", "--all-functions", "--format", "chrome", Tool.fixture(name))
    #expect(outcome.status == 2)
    #expect(outcome.error.contains(part) && outcome.error.contains("--format folded"), "\(outcome.error)")
    let folded = try Tool.run("export", "--all-functions", "--format", "folded", Tool.fixture(name))
    #expect(folded.status == 0 && !folded.output.isEmpty)
  }

  @Test(arguments: ["folded", "chrome"])
  func outputFails(_ format: String) throws {
    let folder = try TemporaryFolder()
    let big = Tool.fixture("6.18-fmt-lost-events-stripped.dat")
    let command = "pinstat export -q --all-functions --format \(format) \(big)"
    let full = try Tool.shell("\(command) > /dev/full")
    #expect(full.status == 2 && full.error.contains("No space left on device"))
    let pipe = try Tool.shell("\(command) | head -c 10 | wc -c; echo ${PIPESTATUS[0]}")
    #expect(pipe.error.isEmpty, "\(pipe.error)")
    #expect(
      pipe.output.hasPrefix("10\n") && (pipe.output.hasSuffix("\n141\n") || pipe.output.hasSuffix("\n0\n")))
    let path = folder.path + "/out"
    let unread = try Tool.run("export", "--format", format, "-o", path, "/nonexistent.dat")
    #expect(unread.status == 2)
    #expect(
      try Tool.run("export", "--format", format, "-o", path, Tool.fixture("6.17-seed-8g-2m.dat")).status == 0)
    #expect(try folder.entries == ["out"])
    let missing = try Tool.run("export", "--format", format, "-f", "vfio_pin_map_dmb", big)
    #expect(missing.status == 2 && missing.error.contains("no call of vfio_pin_map_dmb"))
  }
}
