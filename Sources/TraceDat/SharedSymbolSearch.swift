internal import FunctionGraph

/// A search for symbols in a text in a file, by one thread and, as soon as it has time, a second one.
///
/// The first one begins at the front; the second one takes the back half of what is left then.
final class SharedSymbolSearch: Sendable {
  private let prefixes: [String]
  private let file: FileBytes
  private let offset: UInt64
  private let front: KallsymsPieces.Front
  private let parts = Guarded(Parts())

  private struct Parts: @unchecked Sendable {
    var first: Part?
    var second: Part?
  }

  private struct Part {
    var range: Range<UInt64>
    var search: SymbolSearch
    var isWhole = false
    var failure: TraceError?
  }

  /// - Parameters:
  ///   - prefixes: as `SymbolSearch.takes` takes them.
  ///   - offset: where the text begins in the file.
  ///   - size: bytes of the text.
  init(_ prefixes: [String], _ file: FileBytes, at offset: UInt64, size: UInt64) {
    self.prefixes = prefixes
    self.file = file
    self.offset = offset
    front = KallsymsPieces.Front(size: size)
  }

  /// Goes through the text from its beginning.
  func begin() {
    let part = look(0..<0) { (search) throws(TraceError) in
      try search.look(through: file, at: offset, front)
    }
    parts.withLock { $0.first = part }
  }

  /// Takes part in what another thread has begun, or will.
  func join() {
    do throws(TraceError) {
      guard let range = try front.takeHalf(of: file, at: offset) else { return }
      let part = look(range) { (search) throws(TraceError) in
        try search.look(through: file, at: offset, range)
      }
      parts.withLock { $0.second = part }
    } catch {
      // The first one comes upon it, too.
    }
  }

  private func look(
    _ range: Range<UInt64>, _ body: (inout SymbolSearch) throws(TraceError) -> Bool
  ) -> Part {
    var part = Part(range: range, search: SymbolSearch(prefixes))
    do throws(TraceError) {
      part.isWhole = try body(&part.search)
    } catch {
      part.failure = error
    }
    return part
  }

  /// To be called when both are through.
  ///
  /// - Returns: what `SymbolSearch.found` does; nil, too, of a text that is not so long, or has no lines.
  /// - Throws: what reading the file threw.
  func found() throws(TraceError) -> SymbolIndex? {
    let parts = parts.withLock { $0 }
    guard var first = parts.first else { return nil }
    if let failure = first.failure ?? parts.second?.failure { throw failure }
    guard first.isWhole, parts.second?.isWhole != false else { return nil }
    if let second = parts.second, !first.search.append(second.search) {
      guard try first.search.look(through: file, at: offset, second.range) else { return nil }
    }
    return first.search.found()
  }
}
