public import TraceInput

extension Summary {
  /// Merges what an input holds into this one: stored analyses and summaries, one object or one a line.
  ///
  /// - Throws: `AnalysisError`; what stood before the fault is merged then.
  public mutating func merge(contentsOf input: consuming SniffedInput) throws(AnalysisError) {
    var result = self
    // Not held twice while it grows.
    self = Summary(rowLimit: runs.limit)
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
        try mergeMatching(Summary(trace.analysis(), conditions: document.conditions))
      }
    }
  }

  mutating func mergeMatching(_ other: Summary) throws(BaselineError) {
    do throws(SummaryError) { try merge(other) } catch {
      throw BaselineError(
        "the sketch of \(error.function) has a relative error of \(error.relativeError), those before it "
          + "\(error.expected)")
    }
  }
}

extension AnalysisDocument {
  /// What the analysis was made with.
  var conditions: Summary.Conditions {
    var conditions = Summary.Conditions()
    conditions.functionsSelected = Set(functionsSelected)
    conditions.filters = [filters]
    if let size { conditions.sizes = [size] }
    if let pageSize { conditions.pageSizes = [pageSize] }
    if let backing { conditions.backings = [backing] }
    if let recorded { conditions.recorded = [recorded] }
    return conditions
  }
}
