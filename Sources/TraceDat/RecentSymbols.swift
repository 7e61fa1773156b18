internal import FunctionGraph
internal import Glibc

/// The symbols of the last traces, for those that come after them in the same process: of two boots, which is what a
/// comparison has. They take some 13 MB each; of a single trace they
/// are not kept.
enum RecentSymbols {
  private struct Entry {
    /// As the file has them: compressed, or the text itself.
    let stored: RawBlock
    /// What the symbols that are in the index begin with; nil of all.
    let prefixes: [String]?
    let index: SymbolIndex
  }

  private static let most = 2
  /// The last one first. What is in it does not change any more, so that threads may share it.
  private static let entries = Guarded(Shared())

  private struct Shared: @unchecked Sendable {
    var entries: [Entry] = []
  }

  private static let keeping = Guarded(true)

  /// Whether another trace is expected.
  static var areKept: Bool {
    get { keeping.withLock { $0 } }
    set { keeping.withLock { $0 = newValue } }
  }

  /// The symbols of a table that was stored as these very bytes: all, or those that begin so.
  static func find(_ stored: RawBlock, beginning prefixes: [String]? = nil) -> SymbolIndex? {
    // Compared outside the lock: what was taken out stays as it is.
    let known = entries.withLock { $0 }
    let found = known.entries.first { entry in
      guard entry.prefixes == nil || entry.prefixes == prefixes, entry.stored.count == stored.count,
        let a = entry.stored.memory.baseAddress,
        let b = stored.memory.baseAddress
      else { return false }
      return memcmp(a, b, stored.count) == 0
    }
    return found?.index
  }

  static func keep(_ index: SymbolIndex, of stored: RawBlock, beginning prefixes: [String]? = nil) {
    // Another thread may have been as fast.
    if !areKept || find(stored, beginning: prefixes) != nil { return }
    let entry = Shared(entries: [Entry(stored: stored, prefixes: prefixes, index: index)])
    entries.withLock { $0.entries = Array((entry.entries + $0.entries).prefix(most)) }
  }
}
