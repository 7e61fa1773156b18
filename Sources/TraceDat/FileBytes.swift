internal import FunctionGraph
internal import Glibc
internal import Synchronization

/// The bytes of the input, read by offset, with every range checked against the file's size first. Several threads may
/// read at once.
final class FileBytes: Sendable {
  typealias ReadAt = DatReader.ReadAt

  let size: UInt64
  private let readAt: ReadAt
  private let makeReadAt: (@Sendable () -> ReadAt?)?
  private let count: ReadCount
  /// Bytes that are not counted yet.
  private let uncounted = Atomic<UInt64>(0)
  /// From so many on they are.
  private let countsAtOnce: UInt64

  /// Of the same file, if it is one that can be mapped.
  let pages: FilePages?

  /// - Parameters:
  ///   - makeReadAt: makes another `readAt`, for one thread; nil where that one is as good.
  ///   - onRead: as of `DatReader`.
  convenience init(
    size: UInt64, pages: FilePages? = nil, makeReadAt: (@Sendable () -> ReadAt?)? = nil,
    onRead: @escaping @Sendable (_ count: Int) -> Void = { _ in }, readAt: @escaping ReadAt
  ) {
    self.init(size, pages, readAt, makeReadAt, ReadCount(onRead), countsAtOnce: 1)
  }

  private init(
    _ size: UInt64, _ pages: FilePages?, _ readAt: @escaping ReadAt,
    _ makeReadAt: (@Sendable () -> ReadAt?)?, _ count: ReadCount, countsAtOnce: UInt64
  ) {
    self.size = size
    self.pages = pages
    self.readAt = readAt
    self.makeReadAt = makeReadAt
    self.count = count
    self.countsAtOnce = countsAtOnce
  }

  deinit { countAll() }

  /// The same bytes, for a thread that reads beside others. What all threads change goes from one processor's cache to the
  /// other's each time: the count of bytes, the progress, and the system's count of who uses an open file took two threads 1.5
  /// of 84 ms of CPU time more than one (perf, one function of 390 MiB).
  func forOneThread() -> FileBytes {
    FileBytes(size, pages, makeReadAt?() ?? readAt, makeReadAt, count, countsAtOnce: 1 << 20)
  }

  /// Bytes that have been read so far, less at most a MiB of each thread's.
  var bytesRead: UInt64 { count.value }

  /// It is read from the beginning again.
  func startOver() { count.startOver() }

  private func countAll() { count.add(uncounted.exchange(0, ordering: .relaxed)) }

  /// How many of the `count` bytes at `offset` the file has.
  func available(at offset: UInt64, count: UInt64) -> UInt64 {
    offset >= size ? 0 : min(count, size - offset)
  }

  /// Fills `buffer` from `offset`, calling the source again after a short count.
  ///
  /// - Returns: the number of bytes read; fewer than `buffer.count` only at the end of the file.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
    let wanted = Int(available(at: offset, count: UInt64(buffer.count)))
    var done = 0
    while done < wanted {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<wanted])
      let count = try readAt(offset + UInt64(done), rest)
      // A source that ends earlier than it said (the file shrank), or that claims more than was asked for.
      if count <= 0 || count > rest.count { break }
      done += count
    }
    if uncounted.wrappingAdd(UInt64(done), ordering: .relaxed).newValue >= countsAtOnce { countAll() }
    return done
  }
}

/// How many bytes of a file all threads have read together.
private final class ReadCount: Sendable {
  private let read = Atomic<UInt64>(0)
  private let onRead: @Sendable (_ count: Int) -> Void

  init(_ onRead: @escaping @Sendable (_ count: Int) -> Void) {
    self.onRead = onRead
  }

  var value: UInt64 { read.load(ordering: .relaxed) }

  func startOver() { read.store(0, ordering: .relaxed) }

  func add(_ count: UInt64) {
    guard count > 0 else { return }
    read.wrappingAdd(count, ordering: .relaxed)
    onRead(Int(clamping: count))
  }
}

/// Raw memory with an owner, or a part of another block's, which it keeps alive. Not zeroed.
final class RawBlock {
  /// So many bytes behind the memory can be read too; what they are is of no account. The fields of a record are loaded
  /// before it is known that there is one.
  static let overhang = 256
  /// Of a cache line. The system copies pages of a file three to four times slower to memory that begins 1 to 31 bytes
  /// behind a page's start (Zen 3, Linux 6.18: 250 ms for 390 MiB, 60 for all other places), and that is where malloc puts what
  /// it maps: 16 bytes behind it.
  private static let alignment = 64

  let memory: UnsafeMutableRawBufferPointer
  /// How much of it holds something.
  var count = 0
  private let owner: RawBlock?

  init(capacity: Int) {
    // Only tables of symbols are as large as this.
    let isLarge = capacity >= 2 * HugePages.size
    let all = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(capacity, 1) + Self.overhang, alignment: isLarge ? HugePages.size : Self.alignment)
    memory = UnsafeMutableRawBufferPointer(rebasing: all[..<max(capacity, 1)])
    if isLarge { HugePages.advise(UnsafeMutableRawBufferPointer(rebasing: memory[..<capacity])) }
    owner = nil
  }

  /// - Parameter range: within the bytes of `owner`.
  init(_ owner: RawBlock, _ range: Range<Int>) {
    memory = UnsafeMutableRawBufferPointer(rebasing: owner.memory[range])
    count = range.count
    self.owner = owner
  }

  deinit {
    if owner == nil { memory.deallocate() }
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[0..<count]) }
}

extension UnsafeMutableRawBufferPointer {
  private static var worthPopulating: Int { 256 << 10 }

  /// Has the system give all of the memory at once, where it is going to be filled: one page fault after another takes
  /// a little longer (4.2 to 4.7 instead of 3.7 to 4.0 ms for 12 MB). Kernels before 5.14 do not know how, and give it by page faults then.
  func populate() {
    guard count >= Self.worthPopulating, let baseAddress else { return }
    let page = UInt(sysconf(CInt(_SC_PAGESIZE)))
    let first = (UInt(bitPattern: baseAddress) + page - 1) & ~(page - 1)
    let end = (UInt(bitPattern: baseAddress) + UInt(count)) & ~(page - 1)
    madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_POPULATE_WRITE)
  }
}

/// Whole numbers in the byte order of the file.
struct ByteOrder {
  var isBigEndian: Bool

  @inline(__always)
  func uint16(_ pointer: UnsafeRawPointer, _ offset: Int = 0) -> UInt16 {
    let value = pointer.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    return isBigEndian ? UInt16(bigEndian: value) : UInt16(littleEndian: value)
  }

  @inline(__always)
  func uint32(_ pointer: UnsafeRawPointer, _ offset: Int = 0) -> UInt32 {
    let value = pointer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return isBigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value)
  }

  @inline(__always)
  func uint64(_ pointer: UnsafeRawPointer, _ offset: Int = 0) -> UInt64 {
    let value = pointer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    return isBigEndian ? UInt64(bigEndian: value) : UInt64(littleEndian: value)
  }

  /// A number of 1, 2, 4 or 8 bytes, zero-extended.
  @inline(__always)
  func unsigned(_ pointer: UnsafeRawPointer, _ offset: Int, size: Int) -> UInt64 {
    switch size {
    case 8: uint64(pointer, offset)
    case 4: UInt64(uint32(pointer, offset))
    case 2: UInt64(uint16(pointer, offset))
    default: UInt64(pointer.load(fromByteOffset: offset, as: UInt8.self))
    }
  }
}
