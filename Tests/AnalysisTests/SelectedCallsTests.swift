import Foundation
import FunctionGraph
import Testing
import TraceInput

@testable import Analysis

/// Calls that are picked out of a trace against those found among all.
@Suite struct SelectedCallsTests {
  private static let files = ["traces", "broken"].flatMap { name in
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures").appendingPathComponent(name)
    return (FileManager.default.enumerator(atPath: folder.path)!.compactMap { $0 as? String })
      .filter { [".dat", ".txt"].contains(where: $0.hasSuffix) }.map {
        folder.appendingPathComponent($0).path
      }
  }.sorted()

  private struct Outcome {
    var rows: [String] = []
    var quality = ""
    var missing: [String] = []
    var isEmpty = false
    var failure = ""
  }

  private func outcome(
    _ path: String, _ request: AnalysisRequest, isPlain: Bool, limit: Int? = nil
  ) -> Outcome {
    var result = Outcome()
    do {
      var selected = try SelectedCalls(
        SniffedInput(path: path), request: request, jobs: 2, isPlain: isPlain)
      if let limit { selected.pickedLimit = limit }
      var calls: [Call] = []
      while try selected.next(&calls) {
        for call in calls {
          // The stack's numbers and what only all calls tell are no part of a row.
          let times = "\(call.timestamp) \(call.duration ?? -1) \(call.resolution)"
          result.rows.append(
            "\(selected.functions[call.function]) \(call.status) \(call.buffer) \(call.cpu) \(call.pid) "
              + "\(selected.comms[call.comm]) \(call.depth) \(times)")
        }
      }
      let quality = selected.quality
      result.quality =
        "\(quality.calls) \(quality.losses) \(quality.lostEvents) \(quality.isNested) \(quality.deepest) "
        + "\(quality.skipped) \(quality.diagnostics.kept) "
        + quality.diagnostics.counts.map { "\($0.key) \($0.value)" }.sorted().joined(separator: " ")
      result.missing = selected.missing.map { "\($0)" }
      result.isEmpty = selected.isEmpty
    } catch {
      result.failure = "\(error)"
    }
    return result
  }

  private static let requests: [(names: [String], filter: CallFilter)] = {
    var few = CallFilter()
    few.skipFirst = 3
    few.cpus = [0...1]
    return [
      (["vfio_pin_map_dma"], CallFilter()), (["vfio_*"], CallFilter()),
      (["iommu_map", "absent"], CallFilter()),
      (["*lock*"], few), (["vfio_dma_do_map", "kernel_*"], few),
    ]
  }()

  @Test(arguments: files)
  func picksTheSame(_ path: String) {
    for (names, filter) in Self.requests {
      let request = AnalysisRequest(
        selection: FunctionSelection(patterns: names.map(FunctionPattern.init), all: false), filter: filter)
      let plain = outcome(path, request, isPlain: true)
      // Of more than are kept, all others are read too.
      let picked = outcome(path, request, isPlain: false)
      let few = outcome(path, request, isPlain: false, limit: 4)
      #expect(few.rows == plain.rows && few.quality == plain.quality, "\(names), more than are kept")
      #expect(picked.rows == plain.rows, "\(names)")
      #expect(picked.quality == plain.quality, "\(names)")
      #expect(picked.missing == plain.missing, "\(names)")
      #expect(picked.isEmpty == plain.isEmpty && picked.failure == plain.failure, "\(names)")
    }
  }

  @Test func fixturesHaveSuchCalls() {
    let counts = Self.files.map { path in
      outcome(
        path,
        AnalysisRequest(selection: FunctionSelection(patterns: [FunctionPattern("vfio_*")], all: false)),
        isPlain: false
      ).rows.count
    }
    #expect(counts.count > 70 && counts.count { $0 > 0 } > 40)
  }
}
