internal import FunctionGraph
internal import Glibc
internal import TraceDat

/// A trace.dat that is opened, and its symbols looked for, while the thread that will want it is busy with something else.
///
/// Nothing is said of a file that is none, or that cannot be opened or read: whoever wants it then opens it again, and is
/// told. Only regular files are opened, of which nobody else can tell.
public final class TraceAhead: Sendable {
  private let path: String
  private let call: Helpers.Call
  private let begun: Guarded<BegunDat?>

  /// Opens `path` on a thread of its own, if there is one.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - prefixes: what all functions that are going to be selected begin with, see `TraceReader.selectFunctions`; nothing,
  ///     but that, where all functions are looked at, and none where it is not known.
  public init(path: String, symbolsBeginning prefixes: [String]) {
    let begun = Guarded<BegunDat?>(nil)
    self.path = path
    self.begun = begun
    call = Helpers.shared.call(1) { _ in
      guard let dat = try? BegunDat(path: path, symbolsBeginning: prefixes) else { return }
      begun.withLock { $0 = dat }
      dat.symbols?.begin()
    }
  }

  /// Whether there is something to give.
  var isOpen: Bool { begun.withLock { $0 != nil } }

  /// Gives the input, once; nil where it was not this one, or nothing came of it.
  ///
  /// - Parameter path: of the file that is wanted.
  public func take(path: String) -> SniffedInput? {
    guard path == self.path else { return nil }
    begun.withLock { $0 }?.symbols?.join()
    Helpers.shared.dismiss(call)
    let found = begun.withLock { begun in
      defer { begun = nil }
      return begun
    }
    return found.map { SniffedInput($0) }
  }
}

/// A trace.dat of which what the file says about itself has been read: on one thread, for another one, which has it alone
/// from then on.
final class BegunDat: @unchecked Sendable {
  let file: SharedInput
  let prefix: [UInt8]
  let progress: ReadingProgress
  let reader: Readers
  fileprivate let symbols: SymbolsAhead?

  init?(path: String, symbolsBeginning prefixes: [String]) throws(TraceError) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let input = try SniffedInput(path: path)
    guard input.isTraceDat, let size = input.size else { return nil }
    file = input.file
    prefix = input.prefix
    progress = ReadingProgress(size: size) { _, _ in }
    var dat = try TraceReader.openDat(input.file, input.prefix, 1, progress)
    symbols = prefixes.isEmpty ? nil : try dat.symbolsAhead(beginning: prefixes)
    reader = Readers(text: nil, dat: consume dat)
  }
}
