import Foundation
import FunctionGraph
import Testing
import TraceInput

@testable import Analysis

/// A file of its own for as long as the test runs.
private final class TemporaryFile {
  let path: String

  init(_ text: String) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("pinstat-\(UUID().uuidString)").path
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite("From a text to an analysis")
struct AnalyzerTests {
  private let text = """
    # tracer: function_graph
     0)               |  f() {
     0)   2.000 us    |    g();
     0)   3.000 us    |    g();
     0) + 20.000 us   |  }
     0)               |  f() {
     0)   5.000 us    |    h();
     0) + 30.000 us   |  }
     0)   1.000 us    |  other();
     0)               |  f() {

    """

  private func analyze(_ text: String, _ request: AnalysisRequest) throws -> TraceAnalysis {
    let file = try TemporaryFile(text)
    return try TraceAnalyzer(path: file.path, request: request).analyze(SniffedInput(path: file.path))
  }

  @Test("Durations, states and callees of the selected function")
  func wholeTrace() throws {
    let analysis = try analyze(text, AnalysisRequest(selection: selection("f"), wantsCallees: true))
    let function = try #require(analysis.functions.first)
    #expect(analysis.functions.count == 1)
    #expect(function.durations.values == [20_000, 30_000])
    #expect((function.complete, function.unfinished, function.incomplete) == (2, 1, 1))
    #expect((function.selfTime, function.selfTimeCalls) == (40_000, 2))
    #expect(analysis.quality.calls == 7)
    #expect(analysis.quality.isNested)
    #expect(analysis.missing.isEmpty)
    let callees = try #require(function.callees)
    #expect((callees.parentCalls, callees.parentTotal, callees.parentSelf) == (2, 50_000, 40_000))
    #expect(callees.rows.map(\.function.symbol) == ["g", "h"])
    #expect(callees.rows.map(\.calls) == [2, 1])
    #expect(callees.rows.map(\.total) == [5_000, 5_000])
  }

  @Test("All functions, by their total time")
  func allFunctions() throws {
    let analysis = try analyze(text, AnalysisRequest(selection: FunctionSelection(patterns: [], all: true)))
    #expect(analysis.functions.map(\.function.symbol) == ["f", "g", "h", "other"])
  }

  @Test("The first calls of each function are left out, and counted")
  func skipFirst() throws {
    var filter = CallFilter()
    filter.skipFirst = 1
    let analysis = try analyze(text, AnalysisRequest(selection: selection("f", "g"), filter: filter))
    #expect(analysis.functions.map(\.durations.values) == [[30_000], [3_000]])
    #expect(analysis.quality.skipped == 2)
  }

  @Test("A named function that is not there comes with its nearest names; a filtered one is said to be so")
  func missing() throws {
    let analysis = try analyze(text, AnalysisRequest(selection: selection("ohter", "f", "x*")))
    #expect(analysis.missing.map(\.name) == ["ohter"])
    #expect(analysis.missing.first?.nearest == ["other"])
    #expect(analysis.missing.first?.isFilteredOut == false)
    var filter = CallFilter()
    filter.cpus = [7...7]
    let filtered = try analyze(text, AnalysisRequest(selection: selection("f"), filter: filter))
    #expect(filtered.missing.map(\.isFilteredOut) == [true])
    #expect(filtered.functions.isEmpty)
  }

  @Test("Durations that were not printed are an error where none is")
  func noDurations() throws {
    let bare = " 0)  f() {\n 0)    g();\n 0)  }\n"
    #expect {
      _ = try analyze("# tracer: function_graph\n" + bare, AnalysisRequest(selection: selection("f")))
    } throws: {
      guard case .noDurations(function: "f")? = $0 as? AnalysisError else { return false }
      return true
    }
  }

  @Test("A text without a call is no function graph")
  func noFunctionGraph() throws {
    #expect {
      _ = try analyze("# tracer: nop\nhello\n", AnalysisRequest(selection: selection("f")))
    } throws: {
      guard case .noFunctionGraph? = $0 as? AnalysisError else { return false }
      return true
    }
  }

  @Test("Headings divide a text into sides")
  func sides() throws {
    let file = try TemporaryFile(
      """
      Before this patch:
      funcgraph_entry: # 73036.000 us | f();
      After this patch:
      funcgraph_entry: # 33813.703 us | f();

      """)
    let request = AnalysisRequest(selection: selection("f"))
    let sides = try TraceAnalyzer(path: file.path, request: request).analyzeSides(
      SniffedInput(path: file.path))
    #expect(!sides.byColumn)
    #expect(sides.before.functions.map(\.durations.values) == [[73_036_000]])
    #expect(sides.after.functions.map(\.durations.values) == [[33_813_703]])
    let one = try TemporaryFile("Before this patch:\nfuncgraph_entry: # 73036.000 us | f();\n")
    #expect {
      _ = try TraceAnalyzer(path: one.path, request: request).analyzeSides(SniffedInput(path: one.path))
    } throws: {
      guard case .noSides(found: [.before])? = $0 as? AnalysisError else { return false }
      return true
    }
  }

  @Test("Export gives calls as they end, unfinished ones last")
  func export() throws {
    let file = try TemporaryFile(text + " 0)   1.000 us    |  f();\n")
    var selected = try SelectedCalls(
      SniffedInput(path: file.path), request: AnalysisRequest(selection: selection("f", "g")))
    var rows: [String] = []
    var calls: [Call] = []
    while try selected.next(&calls) {
      for call in calls {
        rows.append("\(selected.functions[call.function].symbol) \(call.status) \(call.duration ?? -1)")
      }
    }
    #expect(
      rows == [
        "g complete 2000", "g complete 3000", "f complete 20000", "f complete 30000", "f complete 1000",
        "f unfinished -1",
      ])
  }

  @Test("A stored analysis loads as the trace does, for the functions that it holds")
  func storedAnalysis() throws {
    let analysis = try analyze(text, AnalysisRequest(selection: selection("f", "g")))
    let document = AnalysisDocument(
      tool: .init(name: "pinstat", version: "0"), functionsSelected: ["f", "g"], size: nil, pageSize: nil,
      backing: nil,
      recorded: nil, filters: [], traces: [.init(analysis, size: nil, warnings: [])])
    let file = try TemporaryFile(String(decoding: document.encoded(), as: UTF8.self))
    let loaded = try InputLoader(request: AnalysisRequest(selection: selection("g", "h"))).load(
      path: file.path)
    #expect(loaded.count == 1)
    #expect(loaded.first?.functions.map(\.durations.values) == [[2_000, 3_000]])
    #expect(loaded.first?.missing.map(\.name) == ["h"])
    let broken = try TemporaryFile("{\"schema\": \"other\"}")
    #expect {
      _ = try InputLoader(request: AnalysisRequest(selection: selection("f"))).load(path: broken.path)
    } throws: {
      guard case .baseline? = $0 as? AnalysisError else { return false }
      return true
    }
  }
}
