public import FunctionGraph

/// Symbols that are looked for before a reader asks for them, by one thread and perhaps a second one.
public final class SymbolsAhead: @unchecked Sendable {
  let prefixes: [String]
  private let container: Container
  private let file: FileBytes
  private let work: Work
  private let inflated = Guarded(Inflated())

  private enum Work {
    case search(SharedSymbolSearch)
    case all(SharedSortedSymbols)
    /// Of a compressed table, or one that is kept for the next trace, which comes in one piece.
    case inflate
  }

  private struct Inflated: @unchecked Sendable {
    var found: SymbolIndex?
    var diagnostics = Diagnostics()
    var failure: TraceError?
  }

  fileprivate init(_ prefixes: [String], _ container: Container, _ file: FileBytes) throws(TraceError) {
    self.prefixes = prefixes
    self.container = container
    self.file = file
    if Self.areAll(prefixes) {
      work = try container.sharedSymbols(file).map { .all($0) } ?? .inflate
    } else {
      work = try container.sharedSearch(beginning: prefixes, file).map { .search($0) } ?? .inflate
    }
  }

  /// Whether all symbols are wanted where those are that begin with `prefixes`.
  static func areAll(_ prefixes: [String]) -> Bool { prefixes.contains("") }

  /// Looks for them.
  public func begin() {
    switch work {
    case .search(let shared): shared.begin()
    case .all(let shared): shared.begin()
    case .inflate:
      var result = Inflated()
      do throws(TraceError) {
        result.found =
          Self.areAll(prefixes)
          ? try container.readSymbols(file, jobs: 1, diagnostics: &result.diagnostics)
          : try container.searchSymbols(beginning: prefixes, file, jobs: 1)
      } catch {
        result.failure = error
      }
      inflated.withLock { $0 = result }
    }
  }

  /// Takes a part of what another thread still has before it.
  public func join() {
    switch work {
    case .search(let shared): shared.join()
    case .all(let shared): shared.join()
    case .inflate: break
    }
  }

  /// To be called when both are through.
  ///
  /// - Parameter jobs: how many threads may put together what was found.
  /// - Returns: nil where the table is better read by who wants it.
  func found(jobs: Int, _ diagnostics: inout Diagnostics) throws(TraceError) -> SymbolIndex? {
    switch work {
    case .search(let shared): return try shared.found()
    case .all(let shared): return try SymbolIndex(shared, jobs: jobs)
    case .inflate:
      let result = inflated.withLock { $0 }
      if let failure = result.failure { throw failure }
      diagnostics = result.diagnostics
      return result.found
    }
  }
}

extension DatReader {
  /// Looks for the symbols that `selectFunctions` is going to look for if it is called with the same prefixes, as soon as
  /// `begin` of what this gives is called.
  ///
  /// - Parameter prefixes: an empty one stands for all symbols.
  /// - Throws: what reading the file throws.
  public mutating func symbolsAhead(beginning prefixes: [String]) throws(TraceError) -> SymbolsAhead {
    let symbols = try SymbolsAhead(prefixes, container, file)
    ahead = symbols
    return symbols
  }

  /// Some, found already, or now.
  func symbols(beginning prefixes: [String]) throws(TraceError) -> SymbolIndex? {
    if let ahead, ahead.prefixes == prefixes, !SymbolsAhead.areAll(prefixes) {
      // Of those nothing is said.
      var diagnostics = Diagnostics()
      return try ahead.found(jobs: jobs, &diagnostics)
    }
    return try container.searchSymbols(beginning: prefixes, file, jobs: jobs)
  }

  /// All, found already, or now.
  func allSymbols(_ diagnostics: inout Diagnostics) throws(TraceError) -> SymbolIndex {
    if let ahead, SymbolsAhead.areAll(ahead.prefixes),
      let found = try ahead.found(jobs: jobs, &diagnostics)
    {
      return found
    }
    return try container.readSymbols(file, jobs: jobs, diagnostics: &diagnostics)
  }
}
