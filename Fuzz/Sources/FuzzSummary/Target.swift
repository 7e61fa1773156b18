import Analysis
import Foundation
import TraceInput

/// The inputs of merge: stored analyses and summaries, one object or one a line, through a file as in the program. What
/// is taken can be written, is then the same when read and written again, and can be compared.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let merged = withFile(UnsafeRawBufferPointer(start: data, count: size), summary) else { return 0 }

  guard let written = try? encoded(merged) else { return 0 }
  let again = written.withUnsafeBytes { withFile($0, summary) }
  precondition(again.flatMap { try? encoded($0) } == written, "what was written is not read as it was")

  let selection = FunctionSelection(patterns: [], all: true)
  for unit in [InputLoader.SummaryUnit.host, .kernel] {
    let loader = InputLoader(request: AnalysisRequest(selection: selection), summaryUnit: unit)
    let runs = written.withUnsafeBytes { withFile($0) { path in try? loader.load(path: path) } }
    guard let runs else { continue }
    var request = ComparisonRequest()
    request.gates = Gates(maxSlowdown: 0.05, minSpeedup: 1)
    let side = ComparedSide(runs: runs)
    _ = try? Comparator(selection: selection, request: request).compare(side, side)
  }
  return 0
}

private func summary(_ path: String) -> TraceSummary? {
  guard let input = try? SniffedInput(path: path), input.isJSON else { return nil }
  var summary = TraceSummary()
  guard (try? summary.merge(contentsOf: input)) != nil else { return nil }
  return summary
}

private func encoded(_ summary: TraceSummary) throws -> Data {
  try SummaryDocument(summary, tool: .init(name: "fuzz", version: "0")).encoded()
}

/// Bytes in a file, in memory alone.
private func withFile<Result>(_ bytes: UnsafeRawBufferPointer, _ body: (String) -> Result?) -> Result? {
  let path = "/dev/shm/pinstat-fuzz-\(getpid())"
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  precondition(descriptor >= 0)
  defer { unlink(path) }
  var written = 0
  while written < bytes.count {
    let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
    precondition(count > 0)
    written += count
  }
  close(descriptor)
  return body(path)
}
