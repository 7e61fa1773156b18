public import TraceInput

extension TraceSummary {
  /// Merges what an input holds into this one: stored analyses and summaries, one object or one a line.
  ///
  /// - Throws: `AnalysisError`; what stood before the fault is merged then.
  public mutating func merge(contentsOf input: consuming SniffedInput) throws(AnalysisError) {
    var result = self
    // Not held twice while it grows.
    self = TraceSummary(rowLimit: runs.limit)
    defer { self = result }
    try StoredReader.read(input) { (item) throws(AnalysisError) in
      do throws(BaselineError) { try result.merge(item) } catch { throw .baseline(error) }
    }
  }

  private mutating func merge(_ item: StoredItem) throws(BaselineError) {
    switch item {
    case .summary(let document): try mergeMatching(try document.summary(rowLimit: runs.limit))
    case .analysis(let document):
      for trace in document.traces {
        try mergeMatching(TraceSummary(trace.analysis(), conditions: document.conditions))
      }
    }
  }

  mutating func mergeMatching(_ other: TraceSummary) throws(BaselineError) {
    do throws(SummaryError) { try merge(other) } catch {
      throw BaselineError(
        "the sketch of \(error.function) has a relative error of \(error.relativeError), those before it "
          + "\(error.expected)")
    }
  }
}

extension AnalysisDocument {
  /// What the analysis was made with.
  var conditions: TraceSummary.Conditions {
    var conditions = TraceSummary.Conditions()
    conditions.functionsSelected = Set(functionsSelected)
    conditions.filters = [filters]
    if let size { conditions.sizes = [size] }
    if let pageSize { conditions.pageSizes = [pageSize] }
    if let backing { conditions.backings = [backing] }
    if let recorded { conditions.recorded = [recorded] }
    return conditions
  }
}
