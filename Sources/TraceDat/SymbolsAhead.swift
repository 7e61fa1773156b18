public import FunctionGraph

/// Symbols that are looked for before a reader asks for them, by one thread and perhaps a second one.
public final class SymbolsAhead: @unchecked Sendable {
  let prefixes: [String]
  private let container: Container
  private let file: FileBytes
  /// Nil of a compressed table, which comes in one piece.
  private let shared: SharedSymbolSearch?
  private let inflated = Guarded(Inflated())

  private struct Inflated: @unchecked Sendable {
    var found: SymbolIndex?
    var failure: TraceError?
  }

  fileprivate init(_ prefixes: [String], _ container: Container, _ file: FileBytes) throws(TraceError) {
    self.prefixes = prefixes
    self.container = container
    self.file = file
    shared = try container.sharedSearch(beginning: prefixes, file)
  }

  /// Looks for them.
  public func begin() {
    guard let shared else {
      var result = Inflated()
      do throws(TraceError) {
        result.found = try container.searchSymbols(beginning: prefixes, file, jobs: 1)
      } catch {
        result.failure = error
      }
      inflated.withLock { $0 = result }
      return
    }
    shared.begin()
  }

  /// Takes a part of what another thread still has before it.
  public func join() {
    shared?.join()
  }

  /// To be called when both are through.
  func found() throws(TraceError) -> SymbolIndex? {
    if let shared { return try shared.found() }
    let result = inflated.withLock { $0 }
    if let failure = result.failure { throw failure }
    return result.found
  }
}

extension DatReader {
  /// Looks for the symbols that `selectFunctions` is going to look for if it is called with the same prefixes, as soon as
  /// `begin` of what this gives is called.
  ///
  /// - Throws: what reading the file throws.
  public mutating func symbolsAhead(beginning prefixes: [String]) throws(TraceError) -> SymbolsAhead {
    let symbols = try SymbolsAhead(prefixes, container, file)
    ahead = symbols
    return symbols
  }

  /// Found already, or now.
  func symbols(beginning prefixes: [String]) throws(TraceError) -> SymbolIndex? {
    if let ahead, ahead.prefixes == prefixes { return try ahead.found() }
    return try container.searchSymbols(beginning: prefixes, file, jobs: jobs)
  }
}
