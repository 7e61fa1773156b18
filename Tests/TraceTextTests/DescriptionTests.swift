import FunctionGraph
import Testing
import TraceText

@Suite struct DescriptionTests {
  @Test(arguments: [
    ("6.17-txt-default.tracefs.txt", TraceDescription.Format.tracefs),
    ("6.17-txt-no-funcgraph-cpu.tracefs.txt", .tracefs), ("6.17-txt-trace_pipe.tracefs.txt", .tracefs),
    ("6.17-nest3-256m-2m.report.txt", .traceCmdReport),
    ("6.18-fmt-clock-counter.report.txt", .traceCmdReport),
    ("6.17-txt-function-tracer.tracefs.txt", .unknownText),
  ])
  func format(_ file: String, _ format: TraceDescription.Format) throws {
    #expect(try Reading(Fixture.bytes(file)).description.format == format)
  }

  @Test func pastedLines() throws {
    #expect(try Reading("funcgraph_entry: # 33813.703 us |  a();").description.format == .pasted)
    #expect(try Reading("# 33813.703 us |  a();").description.format == .pasted)
  }

  @Test func latencyHeaderNamesTheKernel() throws {
    let description = try Reading(Fixture.bytes("6.17-txt-latency-format.tracefs.txt")).description
    #expect(description.kernelRelease == "6.17.13+deb13-amd64")
    #expect(description.tracer == "function_graph")
    #expect(description.cpuCount == 2)
  }

  @Test func functionTracer() throws {
    let reading = try Reading(Fixture.bytes("6.17-txt-function-tracer.tracefs.txt"))
    #expect(reading.description.tracer == "function")
    #expect(reading.events.isEmpty)
  }

  @Test func overrunOfTheHeader() throws {
    let reading = try Reading(
      "# tracer: function_graph\n# entries-in-buffer/entries-written: 103/205   #P:4\n")
    #expect(reading.description.buffers.map(\.overrun) == [102])
    #expect(reading.description.cpuCount == 4)
  }

  @Test func reportHeaderCountsCPUs() throws {
    #expect(try Reading(Fixture.bytes("6.17-nest3-256m-2m.report.txt")).description.cpuCount == 2)
  }

  @Test(arguments: [
    ("6.18-fmt-clock-counter.report.txt", false), ("6.18-fmt-clock-x86-tsc.report.txt", false),
    ("6.18-fmt-args.report.txt", true),
  ])
  func clocks(_ file: String, _ isTime: Bool) throws {
    #expect(try Reading(Fixture.bytes(file)).description.buffers.map(\.timestampsAreTime) == [isTime])
  }

  @Test(arguments: [
    ("# tracer: function_graph\n#\n", true), ("cpus=2\n", true), (" 0)   1.000 us    |  a();", true),
    ("CPU:2 [LOST 11745 EVENTS]", true), ("Hello\n\nfuncgraph_entry: # 3.703 us |  a();", true), ("", false),
    ("Dear all,\nBefore this patch:\n", false), ("\u{7F}ELF\u{2}\u{1}\n\u{0}", false),
    ("\u{17}\u{8}Dtracing6\u{0}", false),
  ])
  func looksLikeTrace(_ text: String, _ expected: Bool) {
    #expect(Array(text.utf8).withUnsafeBytes { TextReader.looksLikeTrace($0) } == expected)
  }
}
