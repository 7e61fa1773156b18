internal import FunctionGraph

/// What one thread finds in a part of a text of symbols.
protocol SymbolsPart {
  /// Looks through a text in a file, from its beginning on.
  ///
  /// - Parameters:
  ///   - offset: where the text begins in the file.
  ///   - front: of the text.
  /// - Returns: false where it is not so long, or has no lines.
  mutating func look(
    through file: FileBytes, at offset: UInt64, _ front: KallsymsPieces.Front
  ) throws(TraceError) -> Bool

  /// Looks through a part of it.
  ///
  /// - Parameter range: bytes of the text.
  mutating func look(
    through file: FileBytes, at offset: UInt64, _ range: Range<UInt64>
  ) throws(TraceError) -> Bool
}

/// A text of symbols in a file, looked through by one thread and, as soon as it has time, a second one.
///
/// The first one begins at the front; the second one takes the back half of what is left then.
final class SharedSymbols<Part: SymbolsPart>: Sendable {
  let file: FileBytes
  let offset: UInt64
  /// Bytes of the text.
  let size: UInt64
  private let front: KallsymsPieces.Front
  private let makePart: @Sendable (_ start: UInt64) -> Part
  private let looks = Guarded(Looks())

  private struct Looks: @unchecked Sendable {
    var first: Look?
    var second: Look?
  }

  private struct Look {
    var range: Range<UInt64>
    var part: Part
    var isWhole = false
    var failure: TraceError?
  }

  /// - Parameters:
  ///   - offset: where the text begins in the file.
  ///   - size: bytes of the text.
  ///   - makePart: one that begins at this byte of the text.
  init(
    _ file: FileBytes, at offset: UInt64, size: UInt64,
    _ makePart: @escaping @Sendable (_ start: UInt64) -> Part
  ) {
    self.file = file
    self.offset = offset
    self.size = size
    self.makePart = makePart
    front = KallsymsPieces.Front(size: size)
  }

  /// Goes through the text from its beginning.
  func begin() {
    let look = look(0..<0) { (part) throws(TraceError) in
      try part.look(through: file, at: offset, front)
    }
    looks.withLock { $0.first = look }
  }

  /// Takes part in what another thread has begun, or will.
  func join() {
    do throws(TraceError) {
      guard let range = try front.takeHalf(of: file, at: offset) else { return }
      let look = look(range) { (part) throws(TraceError) in
        try part.look(through: file, at: offset, range)
      }
      looks.withLock { $0.second = look }
    } catch {
      // The first one comes upon it, too.
    }
  }

  /// Both at once, where there may be a second thread; alone, one has nothing left to take part in.
  func look(jobs: Int) {
    inParallel(2, workers: jobs) { item, _ in item == 0 ? begin() : join() }
  }

  private func look(
    _ range: Range<UInt64>, _ body: (inout Part) throws(TraceError) -> Bool
  ) -> Look {
    var look = Look(range: range, part: makePart(range.lowerBound))
    do throws(TraceError) {
      look.isWhole = try body(&look.part)
    } catch {
      look.failure = error
    }
    return look
  }

  /// To be called when both are through.
  ///
  /// - Returns: nil of a text that is not so long, or has no lines.
  /// - Throws: what reading the file threw.
  fileprivate func parts() throws(TraceError) -> (first: Part, second: (Part, Range<UInt64>)?)? {
    let looks = looks.withLock { $0 }
    guard let first = looks.first else { return nil }
    if let failure = first.failure ?? looks.second?.failure { throw failure }
    guard first.isWhole, looks.second?.isWhole != false else { return nil }
    return (first.part, looks.second.map { ($0.part, $0.range) })
  }
}

/// For symbols that begin with certain strings.
typealias SharedSymbolSearch = SharedSymbols<SymbolSearch>

extension SharedSymbols where Part == SymbolSearch {
  /// - Parameter prefixes: as `SymbolSearch.takes` takes them.
  convenience init(_ prefixes: [String], _ file: FileBytes, at offset: UInt64, size: UInt64) {
    self.init(file, at: offset, size: size) { _ in SymbolSearch(prefixes) }
  }

  /// To be called when both are through.
  ///
  /// - Returns: what `SymbolSearch.found` does; nil, too, of a text that is not so long, or has no lines.
  /// - Throws: what reading the file threw.
  func found() throws(TraceError) -> SymbolIndex? {
    guard let parts = try parts() else { return nil }
    var first = parts.first
    if let (next, range) = parts.second, !first.append(next) {
      guard try first.look(through: file, at: offset, range) else { return nil }
    }
    return first.found()
  }
}

/// For all symbols, as far as they are sorted.
typealias SharedSortedSymbols = SharedSymbols<SortedSymbols.Part>

extension SharedSymbols where Part == SortedSymbols.Part {
  /// - Parameter isWide: whether the machine's wide vectors are used.
  convenience init(_ file: FileBytes, at offset: UInt64, size: UInt64, isWide: Bool) {
    self.init(file, at: offset, size: size) { SortedSymbols.Part(from: Int($0), isWide: isWide) }
  }

  /// To be called when both are through.
  ///
  /// - Returns: nil of a text that is not so long, or has no lines.
  /// - Throws: what reading the file threw.
  func found() throws(TraceError) -> SortedSymbols? {
    guard let (first, second) = try parts() else { return nil }
    if let (next, _) = second { first.append(next) }
    return SortedSymbols(first, in: file, at: offset)
  }
}
