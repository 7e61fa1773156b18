import Analysis
import Foundation
import Inputs

/// A stored analysis: what is taken can be compared with itself and written again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Data(UnsafeBufferPointer(start: data, count: size))
  guard let document = try? AnalysisDocument(baseline: bytes) else { return 0 }
  let side = ComparedSide(runs: document.traces.map { $0.analysis() })
  var request = ComparisonRequest()
  request.gates = Gates(maxSlowdown: 0.05, minSpeedup: 1)
  let selection = FunctionSelection(patterns: [], all: true)
  _ = try? Comparator(selection: selection, request: request).compare(side, side)
  _ = try? document.encoded()
  return 0
}
