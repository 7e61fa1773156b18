import Analysis
import FunctionGraph
import Reports
import TraceInput

// The formats that show calls with what is below them.

extension ExportCommand {
  func openTrace(_ path: String) throws(TraceError) -> SniffedInput {
    if let input = Pinstat.ahead?.take(path: path) { return input }
    let input = try SniffedInput(path: path)
    if input.isJSON {
      throw TraceError(.unsupported, "it is a stored analysis, not a trace; export needs the trace itself")
    }
    return input
  }

  func exportFolded(_ path: String, _ index: Int, to file: Output, _ progress: Progress) throws {
    do {
      var trees = try SelectedTrees(openTrace(path), request: treesRequest)
      var stacks = FoldedStacks(trace: traces.count > 1 ? displayed(path) : nil)
      var members: [SelectedTrees.Member] = []
      while try trees.next(&members) {
        progress.update(input: index, read: trees.bytesRead, total: trees.size)
        for member in members { stacks.add(member, shownPath: trees.shownPath(for: member.call.path)) }
      }
      try stacks.write(trees, to: file.append)
      try finish(trees, path, progress, remarks: stacks.remarks(trees))
    } catch let error as TraceError {
      throw Failure(path, error)
    }
  }

  func exportChrome(
    _ path: String, _ index: Int, _ writer: inout ChromeTraceWriter, to file: Output, _ progress: Progress
  ) throws {
    do {
      var trees = try SelectedTrees(openTrace(path), request: treesRequest)
      writer.begin(trace: path)
      var members: [SelectedTrees.Member] = []
      while try trees.next(&members) {
        progress.update(input: index, read: trees.bytesRead, total: trees.size)
        if members.isEmpty { continue }
        let names = CallRowNames(
          functions: trees.functions, comms: trees.comms, buffers: trees.description.buffers)
        try file.append { out in
          for member in members { writer.append(member, names, to: &out) }
        }
      }
      try finish(trees, path, progress, remarks: writer.remarks)
      if writer.written == 0, writer.untimed > 0 {
        throw Failure(noTimes: trees.description.buffers.first { !$0.timestampsAreTime }, path: path)
      }
    } catch let error as TraceError {
      throw Failure(path, error)
    }
  }

  private var treesRequest: AnalysisRequest {
    AnalysisRequest(selection: selection.selection, filter: selection.filter)
  }

  private func finish(
    _ trees: borrowing SelectedTrees, _ path: String, _ progress: Progress, remarks: [String]
  ) throws {
    try finish(
      path, trees.quality, trees.description, isTraceDat: trees.isTraceDat, isEmpty: trees.quality.calls == 0,
      missing: trees.missing, progress,
      remarks: exportRemarks(trees.quality, isOutOfOrder: false) + remarks)
  }
}
