internal import FunctionGraph
internal import Glibc

/// A file's huge pages in the page cache, mapped so that the processor can fetch from them what will be read next.
///
/// Nothing is ever read through the map: a mapped file that shrinks is a SIGBUS, and what somebody writes to it would change
/// between a check and its use. All bytes come by pread(2), and that is bound by main memory: while the system copies, nothing
/// else goes on. Where the pages are mapped, a walk over one block's records can have the next block fetched, a line of the
/// cache a record, and the copy finds it there (one function of 390 MiB takes 0.8 of the time, all functions 0.87: a Xeon with
/// 2 MiB of second cache, Linux 6.18). A prefetch of what is not there does nothing.
///
/// To map 2 MiB takes 2 microseconds where the page cache has them as one page, as it has on ext4 (Linux 6.16) and XFS of what
/// was read with a large readahead; else 60 to 200, more than there is to gain, so that only such pages are mapped.
public final class FilePages: Sendable {
  /// Of a page that one entry of the processor's tables maps, where pages are of 4 KiB.
  static let windowSize: UInt64 = 2 << 20
  /// Each counts as the process's memory.
  static let mostWindows = 8
  /// Beyond those that are needed, so that several are let go of at once: each time, all processors that this process runs on
  /// are told, which took two threads 1.0 of 84 ms of CPU time, and 0.5 with three (perf); other numbers were not tried.
  static let spareWindows = 3
  /// Smaller files are read before this pays.
  public static let worthMapping: UInt64 = 8 << 20
  /// Of other windows, in a row and for each stream, before no more are tried: the first 30 MB may be of smaller pages, as
  /// readahead begins with them, wherever somebody began to read.
  static let mostMisses = 24

  /// Address of the map.
  private let base: UInt
  private let size: UInt64
  private let mapAtOnce: MapAtOnce?
  private let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))
  /// Tells which pages are mapped (Documentation/admin-guide/mm/pagemap.rst).
  private let pagemap: CInt
  private let windows = Guarded(Windows())

  /// Maps a window, or finds that it is not worth it.
  typealias MapAtOnce = @Sendable (_ start: UnsafeMutableRawPointer, _ count: Int) -> Bool

  private struct Windows {
    /// By number, the latest last.
    var mapped: [UInt64] = []
    /// So many of them are needed at once, and so many may be.
    var needed = 0
    var most = 0
    /// In a row, and how many may be.
    var misses = 0
    var mostMisses = 0
    /// Which ones were tried in vain, the latest last: each stream comes back to its own with the next block.
    var missed: [UInt64] = []

    mutating func takeOldest(_ count: Int) -> [UInt64] {
      guard count > 0 else { return [] }
      defer { mapped.removeFirst(count) }
      return Array(mapped.prefix(count))
    }
  }

  /// - Parameters:
  ///   - descriptor: of a regular file; it may be closed afterwards.
  ///   - size: bytes in the file.
  /// - Returns: nil where there is nothing to gain, or the system does not map it.
  public convenience init?(descriptor: Int32, size: UInt64) {
    guard size >= Self.worthMapping else { return nil }
    self.init(descriptor: descriptor, size: size, mapAtOnce: nil)
  }

  /// - Parameter mapAtOnce: nil for one that maps huge pages only.
  init?(descriptor: Int32, size: UInt64, mapAtOnce: MapAtOnce?) {
    // A limit on addresses is for memory.
    var limit = rlimit()
    guard let length = Int(exactly: size),
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur == rlim_t.max,
      let base = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED
    else { return nil }
    self.base = UInt(bitPattern: base)
    self.size = size
    self.mapAtOnce = mapAtOnce
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(bitPattern: base), Int(size))
    if pagemap >= 0 { close(pagemap) }
  }

  /// So many streams read the file by turns from now on, each in another place. With too many, none gets anything.
  func serve(streams: Int) {
    let dropped = windows.withLock { windows in
      // Between two blocks a stream needs the end of one window and the beginning of the next.
      windows.needed = pagemap >= 0 && streams < Self.mostWindows ? streams + 1 : 0
      windows.most = windows.needed > 0 ? min(Self.mostWindows, windows.needed + Self.spareWindows) : 0
      windows.mostMisses = streams * Self.mostMisses
      return windows.takeOldest(windows.mapped.count - windows.needed)
    }
    drop(dropped)
  }

  /// Maps a part of the file, for as long as not too many others are.
  ///
  /// - Parameter range: not empty.
  /// - Returns: the address of its first byte, to prefetch from; nil where nothing was mapped.
  func map(_ range: Range<UInt64>) -> UInt? {
    guard !range.isEmpty, range.upperBound <= size else { return nil }
    let first = range.lowerBound / Self.windowSize
    let last = (range.upperBound - 1) / Self.windowSize
    for number in first...last where !isMapped(number) { return nil }
    return base + UInt(range.lowerBound)
  }

  /// Whether a window is mapped, or is being mapped: what is fetched before that is done is nothing.
  private func isMapped(_ number: UInt64) -> Bool {
    enum Found {
      case mapped, none
      case toBeMapped(dropping: [UInt64])
    }
    let found = windows.withLock { windows -> Found in
      if windows.mapped.contains(number) { return .mapped }
      guard windows.most > 0, !windows.missed.contains(number) else { return .none }
      defer { windows.mapped.append(number) }
      guard windows.mapped.count >= windows.most else { return .toBeMapped(dropping: []) }
      return .toBeMapped(dropping: windows.takeOldest(windows.mapped.count - windows.needed + 1))
    }
    // The system's work is done while no other thread has to wait for it.
    switch found {
    case .mapped: return true
    case .none: return false
    case .toBeMapped(let oldest):
      drop(oldest)
      let isThere = isMappedAtOnce(number)
      if !note(number, isThere: isThere) { drop([number]) }
      return isThere
    }
  }

  /// - Returns: whether the window is to stay mapped.
  private func note(_ number: UInt64, isThere: Bool) -> Bool {
    windows.withLock { windows in
      guard !isThere else {
        windows.misses = 0
        // Others may have mapped so many meanwhile that its turn is over.
        return windows.mapped.contains(number)
      }
      windows.mapped.removeAll { $0 == number }
      if windows.missed.count >= Self.mostWindows { windows.missed.removeFirst() }
      windows.missed.append(number)
      windows.misses += 1
      if windows.misses >= windows.mostMisses { windows.most = 0 }
      return false
    }
  }

  /// How many windows are mapped.
  var mappedWindows: Int { windows.withLock { $0.mapped.count } }

  private func window(_ number: UInt64) -> (start: UInt, count: Int) {
    let start = number * Self.windowSize
    return (base + UInt(start), Int(min(Self.windowSize, size - start)))
  }

  /// Maps a window's first page, if it is in the page cache.
  ///
  /// - Returns: whether all others came with it.
  private func isMappedAtOnce(_ number: UInt64) -> Bool {
    let (start, count) = window(number)
    guard let first = UnsafeMutableRawPointer(bitPattern: start) else { return false }
    var isThere: UInt8 = 0
    var entry: UInt64 = 0
    let last = start + UInt(count - 1)
    if let mapAtOnce { return mapAtOnce(first, count) }
    // Kernels before 5.14 do not know how to map without a look at the page.
    guard mincore(first, 1, &isThere) == 0, isThere & 1 == 1,
      madvise(first, pageSize, MADV_POPULATE_READ) == 0,
      pread(pagemap, &entry, 8, off_t(last / UInt(pageSize) * 8)) == 8
    else { return false }
    return entry >> 63 == 1
  }

  private func drop(_ numbers: [UInt64]) {
    var rest = numbers.sorted()[...]
    while let first = rest.popFirst() {
      let start = window(first).start
      var count = window(first).count
      var last = first
      while rest.first == last + 1 {
        last = rest.removeFirst()
        count += window(last).count
      }
      madvise(UnsafeMutableRawPointer(bitPattern: start), count, MADV_DONTNEED)
    }
  }
}
