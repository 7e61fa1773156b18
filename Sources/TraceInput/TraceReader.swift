public import FunctionGraph
internal import Glibc
internal import Synchronization
internal import TraceDat
internal import TraceText

/// Events out of a file, a pipe or standard input, text or trace.dat: told apart by the first bytes, never by the name.
public struct TraceReader: EventReader, ~Copyable {
  private let readers: Readers
  private let progress: ReadingProgress
  /// Bytes of the input where it is a file.
  public let size: UInt64?

  /// Reads an input.
  ///
  /// - Parameters:
  ///   - input: read from its beginning.
  ///   - jobs: how many threads may read, where the format makes use of several.
  ///   - onRead: called with the bytes read so far and, of a file, those there are, whenever some have been read, on the
  ///     thread that has read them.
  /// - Throws: `TraceError` where the input is empty, is a known format that holds no function graph, or is a trace.dat of
  ///   which nothing can be trusted.
  public init(
    _ input: consuming SniffedInput, jobs: Int = 1,
    onRead: @escaping @Sendable (_ read: UInt64, _ size: UInt64?) -> Void = { _, _ in }
  ) throws(TraceError) {
    let size = input.size
    if let begun = input.begun {
      begun.progress.report(to: onRead)
      begun.reader.dat?.allow(jobs: jobs)
      progress = begun.progress
      readers = begun.reader
      self.size = size
      return
    }
    let progress = ReadingProgress(size: size, onRead)
    self.progress = progress
    if input.isTraceDat {
      let reader = try Self.openDat(input.file, input.prefix, jobs, progress)
      readers = Readers(text: nil, dat: consume reader)
    } else {
      let file = input.file
      let prefix = input.prefix
      let problem = prefix.isEmpty ? TraceError(.empty, "the file is empty") : nil
      if let problem = problem ?? foreignFormat(prefix).map({ TraceError(.notATrace, $0) }) { throw problem }
      readers = Readers(text: Self.openText(file, prefix, progress), dat: nil)
      if let start = startOfText(file.file, prefix) {
        readers.reopenText = { Self.openText(file, at: start, size ?? 0, jobs, progress) }
        readers.text = readers.reopenText?()
      }
    }
    self.size = size
  }

  /// Whether this process reads another trace after one: what is kept for it is not kept else. It is unless this says
  /// otherwise.
  ///
  /// - Parameter isMore: of all that are read from now on.
  public static func expectsMore(_ isMore: Bool) {
    DatReader.expectsMore(isMore)
  }

  static func openDat(
    _ file: SharedInput, _ prefix: [UInt8], _ jobs: Int, _ progress: ReadingProgress
  ) throws(TraceError) -> DatReader {
    if let size = file.file.size {
      return try DatReader(
        size: size, jobs: jobs, pages: FilePages(descriptor: file.file.descriptor, size: size),
        makeReadAt: {
          guard let own = ReopenedFile(file.file.descriptor) else { return nil }
          return { (offset, buffer) throws(TraceError) in try own.read(at: offset, into: buffer) }
        },
        onRead: progress.add,
        readAt: { (offset, buffer) throws(TraceError) in
          try readDescriptor(file.file.descriptor, at: offset, buffer)
        })
    }
    let spool = SharedSpool(try copyToDisk(file.file, after: prefix))
    return try DatReader(size: spool.file.size, jobs: jobs, onRead: progress.add) {
      (offset, buffer) throws(TraceError) in
      try readDescriptor(spool.file.descriptor, at: offset, buffer)
    }
  }

  /// A text that comes once: a pipe.
  private static func openText(
    _ file: SharedInput, _ prefix: [UInt8], _ progress: ReadingProgress
  ) -> TextReader {
    var pending = prefix[...]
    return TextReader { (buffer) throws(TraceError) in
      guard pending.isEmpty else {
        let count = min(pending.count, buffer.count)
        buffer.copyBytes(from: pending.prefix(count))
        pending.removeFirst(count)
        progress.add(count)
        return count
      }
      let count = try file.file.read(into: buffer)
      progress.add(count)
      return count
    }
  }

  /// A text that can be read again, and at any place.
  private static func openText(
    _ file: SharedInput, at start: UInt64, _ size: UInt64, _ jobs: Int, _ progress: ReadingProgress
  ) -> TextReader {
    TextReader(size: size > start ? size - start : 0, jobs: jobs) { (offset, buffer) throws(TraceError) in
      let count = try readDescriptor(file.file.descriptor, at: start + offset, buffer)
      progress.add(count)
      return count
    }
  }

  public mutating func next(_ batch: inout [Event]) throws(TraceError) -> Bool {
    if let more = try readers.text?.next(&batch) { return more }
    return try readers.dat?.next(&batch) ?? false
  }

  /// Delivers some functions only, where that is cheaper and the input can be read again if it does not go well: see
  /// `DatReader.selectFunctions` and `TextReader.selectFunctions`. To be called before the first `next`.
  public mutating func selectFunctions(
    beginning prefixes: [String] = [], orSumUp: Bool = false,
    _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool
  ) throws(TraceError) {
    try readers.dat?.selectFunctions(beginning: prefixes, ifFew: orSumUp, isWanted)
    if readers.reopenText != nil { readers.text?.selectFunctions(orSumUp: orSumUp, isWanted) }
  }

  /// Delivers too what tells when a task was not in its functions: task switches and interrupts, where the trace has
  /// records of them. To be called before everything else.
  public mutating func noticeTimeAway() throws(TraceError) {
    try readers.dat?.noticeTimeAway()
    readers.noticesTimeAway = true
    readers.text?.noticeTimeAway()
  }

  /// Keeps the names of these functions however many others a text has in front of them.
  public mutating func keepNames(_ isNeeded: @escaping @Sendable (_ symbol: String) -> Bool) {
    readers.isNeeded = isNeeded
    readers.text?.keepNames(isNeeded)
  }

  /// What was seen of the functions that were not delivered; nil where all were.
  public var leftOut: LeftOutFunctions? {
    switch readers.dat {
    case .some(let reader):
      guard let leftOut = reader.leftOut else { return nil }
      return LeftOutFunctions(
        exits: leftOut.exits, deepest: leftOut.deepest, isComplete: leftOut.isComplete,
        isWorthRepeating: leftOut.isWorthRepeating)
    case .none: break
    }
    switch readers.text {
    case .some(let reader):
      guard let leftOut = reader.leftOut else { return nil }
      return LeftOutFunctions(
        exits: leftOut.exits, deepest: leftOut.deepest, isComplete: leftOut.isComplete)
    case .none: return nil
    }
  }

  /// Sums all calls up instead of delivering events, where the format can: see `DatReader.tally`. To be called before the
  /// first `next`; where it gives nil, `next` then delivers all.
  ///
  /// - Parameters:
  ///   - withPaths: fills `TraceTally.paths` and `sums`.
  ///   - isWanted: which functions' durations, self times and callees are wanted, by symbol.
  ///   - makeSink: a sink for the durations of the lane of this number. Lanes may be read on different threads.
  public mutating func tally(
    withPaths: Bool, _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool,
    makeSink: (_ lane: Int) -> any DurationSink
  ) throws(TraceError) -> TraceTally? {
    if readers.reopenText != nil {
      if let tally = try readers.text?.tally(withPaths: withPaths, isWanted, makeSink: makeSink) {
        return tally
      }
      restart()
      return nil
    }
    if let tally = try readers.dat?.tally(withPaths: withPaths, isWanted, makeSink: makeSink) { return tally }
    restart()
    return nil
  }

  /// How many calls an input of this size usually has; 0 where that cannot be told.
  var likelyCalls: UInt64 {
    // Of a text some three lines.
    of({ _ in (size ?? 0) / 200 }, { $0.likelyCalls }) ?? 0
  }

  /// Whether `nextCalls` can deliver the calls, which makes `next` and the pairing of its events needless: see
  /// `DatReader.pairsCalls`. To be called before the first `next`.
  mutating func pairsCalls() throws(TraceError) -> Bool { try readers.dat?.pairsCalls() ?? false }

  mutating func nextCalls(_ calls: inout [Call]) throws(TraceError) -> Bool {
    try readers.dat?.nextCalls(&calls) ?? false
  }

  /// What `nextCalls` has seen so far.
  var pairedSums: (losses: Int, lostEvents: UInt64, deepest: Int32) {
    switch readers.dat {
    case .some(let reader): return reader.pairedSums
    case .none: return (0, 0, -1)
    }
  }

  /// From the beginning again, all functions delivered. Only where `leftOut` is not nil, or `tally` gave something.
  public mutating func restart() {
    progress.startOver()
    readers.dat?.restart()
    if let reopen = readers.reopenText {
      readers.text = reopen()
      if let isNeeded = readers.isNeeded { readers.text?.keepNames(isNeeded) }
      if readers.noticesTimeAway { readers.text?.noticeTimeAway() }
    }
  }

  /// True for trace.dat, whose buffers' events follow one another.
  public var isTraceDat: Bool { readers.dat != nil }

  public var functions: FunctionTable { of({ $0.functions }, { $0.functions }) ?? FunctionTable() }
  public var comms: StringTable { of({ $0.comms }, { $0.comms }) ?? StringTable() }

  public var description: TraceDescription {
    var description = of({ $0.description }, { $0.description }) ?? TraceDescription(format: .unknownText)
    description.byteCount = size ?? bytesRead
    return description
  }

  public var diagnostics: Diagnostics { of({ $0.diagnostics }, { $0.diagnostics }) ?? Diagnostics() }
  public var bytesRead: UInt64 { of({ $0.bytesRead }, { $0.bytesRead }) ?? 0 }

  private borrowing func of<Value>(
    _ ofText: (borrowing TextReader) -> Value, _ ofDat: (borrowing DatReader) -> Value
  ) -> Value? {
    switch readers.text {
    case .some(let reader): return ofText(reader)
    case .none: break
    }
    switch readers.dat {
    case .some(let reader): return ofDat(reader)
    case .none: return nil
    }
  }
}

/// How far an input has been read, by whichever threads read it.
final class ReadingProgress: Sendable {
  typealias Report = @Sendable (UInt64, UInt64?) -> Void

  private let read = Atomic<UInt64>(0)
  private let size: UInt64?
  /// A MiB, less of small files.
  private let step: UInt64
  private let listener: Guarded<Listener>

  /// A function in a generic's storage would be wrapped once more each time it is looked at.
  private struct Listener {
    var report: Report
  }

  init(size: UInt64?, _ report: @escaping Report) {
    self.size = size
    step = max(1, min(1 << 20, (size ?? 0) / 64))
    listener = Guarded(Listener(report: report))
  }

  /// Who gets to know from now on.
  func report(to report: @escaping Report) {
    listener.withLock { $0.report = report }
  }

  /// Of a file, the listener gets to know of each `step`: several threads may read it, and would wait for each other.
  func add(_ count: Int) {
    let (before, now) = read.wrappingAdd(UInt64(max(0, count)), ordering: .relaxed)
    guard before / step != now / step || now >= size ?? 0 else { return }
    let listener = listener.withLock { $0 }
    listener.report(now, size)
  }

  func startOver() { read.store(0, ordering: .relaxed) }
}

/// What was seen of the functions that a reader did not deliver.
public struct LeftOutFunctions: Sendable {
  /// Exits of all functions, delivered or not.
  public var exits: UInt64
  /// The deepest depth of all records, −1 where there were none.
  public var deepest: Int32
  /// False where the calls cannot be told from the delivered events: the trace has to be read again as a whole.
  public var isComplete: Bool
  /// Where it is not: the same once more, after `restart`, goes about it in another way that may do.
  public var isWorthRepeating = false
}

/// One of the two readers. Behind a reference, since `TraceReader`'s own layout must not depend on modules that its users
/// do not import: the build would miss to compile them again when a reader changes.
final class Readers {
  var text: TextReader?
  var dat: DatReader?
  /// Where the text is a file: the text from its beginning.
  var reopenText: (() -> TextReader)?
  var isNeeded: (@Sendable (String) -> Bool)?
  var noticesTimeAway = false

  init(text: consuming TextReader?, dat: consuming DatReader?) {
    self.text = text
    self.dat = dat
  }
}

/// Where the text began before its first bytes were looked at; nil where it cannot be read again.
private func startOfText(_ file: borrowing InputFile, _ prefix: [UInt8]) -> UInt64? {
  guard file.size != nil else { return nil }
  let position = lseek(file.descriptor, 0, SEEK_CUR)
  return position >= prefix.count ? UInt64(position) - UInt64(prefix.count) : nil
}

private final class SharedSpool: Sendable {
  let file: SpoolFile
  init(_ file: consuming SpoolFile) { self.file = file }
}

private func copyToDisk(_ file: borrowing InputFile, after prefix: [UInt8]) throws(TraceError) -> SpoolFile {
  var spool = try SpoolFile()
  var block = prefix
  var count = prefix.count
  while count > 0 {
    var failure: TraceError?
    block.withUnsafeBytes { bytes in
      do throws(TraceError) {
        try spool.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    if block.count < 1 << 18 { block = [UInt8](repeating: 0, count: 1 << 18) }
    count = try fill(&block, from: file)
  }
  return spool
}

/// Formats that people hand in by mistake, and what to do instead.
private func foreignFormat(_ prefix: [UInt8]) -> String? {
  if prefix.count >= 512, prefix.allSatisfy({ $0 == 0 }) {
    return "it begins with \(prefix.count) zero bytes: it was never written, or is no trace"
  }
  if prefix.starts(with: [0x1f, 0x8b]) {
    return "it is compressed with gzip: decompress it, as in `zcat FILE | pinstat analyze -`"
  }
  if prefix.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
    return "it is compressed with zstd: decompress it, as in `zstdcat FILE | pinstat analyze -`"
  }
  if prefix.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a]) {
    return "it is compressed with xz: decompress it, as in `xzcat FILE | pinstat analyze -`"
  }
  if prefix.starts(with: Array("PERFILE2".utf8)) {
    return
      "it is a perf.data: function durations come from `perf ftrace` or `trace-cmd record -p function_graph`"
  }
  if prefix.starts(with: [0x7f, 0x45, 0x4c, 0x46]) { return "it is a program (ELF), not a trace" }
  if prefix.count >= 3, prefix.count < 10,
    [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e].starts(with: prefix)
  {
    return "it is a trace.dat cut short after \(prefix.count) bytes: nothing in it is whole"
  }
  return nil
}
