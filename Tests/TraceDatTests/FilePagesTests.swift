import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// What is mapped to be fetched, of files that may shrink.
@Suite struct FilePagesTests {
  /// A file that is gone when this is.
  final class Temporary {
    let descriptor: Int32
    let path: String

    init(_ bytes: [UInt8]) throws {
      var path = Array("/tmp/pinstat-pages-XXXXXX".utf8CString)
      descriptor = mkstemp(&path)
      self.path = path.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      try #require(descriptor >= 0)
      unlink(path)
      var done = 0
      while done < bytes.count {
        // So the page cache has small pages, where it does not join them.
        let count = bytes.withUnsafeBytes {
          write(descriptor, $0.baseAddress! + done, min(4096, $0.count - done))
        }
        try #require(count > 0)
        done += count
      }
    }

    deinit { close(descriptor) }

    /// Bytes of it that this process has mapped, by proc_pid_smaps(5).
    func mappedBytes() throws -> UInt64 {
      let handle = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
      let text = String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
      let smaps = text.split(separator: "\n")
      let start = try #require(smaps.firstIndex { $0.contains(path) })
      let rss = try #require(smaps[start...].first { $0.hasPrefix("Rss:") })
      return 1024 * (UInt64(rss.split(separator: " ")[1]) ?? 0)
    }
  }

  static let window = FilePages.windowSize
  /// Three and a half windows; every eight bytes say where they are.
  static let bytes: [UInt8] = (0..<7 * (1 << 20) / 8).flatMap { number in
    withUnsafeBytes(of: UInt64(number * 8).littleEndian) { Array($0) }
  }

  static func pages(of file: Temporary) throws -> FilePages {
    let pages = FilePages(descriptor: file.descriptor, size: UInt64(bytes.count), mapAtOnce: mapAnyPages)
    return try #require(pages)
  }

  static let mapAnyPages: FilePages.MapAtOnce = { madvise($0, $1, MADV_POPULATE_READ) == 0 }

  @Test func addressesAreThoseOfTheBytes() throws {
    let file = try Temporary(Self.bytes)
    let pages = try Self.pages(of: file)
    #expect(pages.map(0..<4096) == nil)
    pages.serve(streams: 1)
    for start in stride(from: 0, to: UInt64(Self.bytes.count), by: 96 << 10) {
      let end = min(start + 128 << 10, UInt64(Self.bytes.count))
      let address = try #require(pages.map(start..<end))
      // Only here: the file stays as it is.
      let bytes = try #require(UnsafeRawPointer(bitPattern: address))
      #expect(bytes.load(as: UInt64.self) == start)
      #expect(bytes.load(fromByteOffset: Int(end - start) - 8, as: UInt64.self) == end - 8)
    }
    #expect(pages.mappedWindows == 4)
    let size = UInt64(Self.bytes.count)
    #expect(pages.map(size - 4096..<size + 1) == nil)
    #expect(pages.map(4096..<4096) == nil)
    pages.serve(streams: FilePages.mostWindows)
    #expect(pages.mappedWindows == 0)
    #expect(pages.map(0..<4096) == nil)
  }

  @Test func fetchesNothingOfAFileThatShrank() throws {
    let file = try Temporary(Self.bytes)
    let pages = try Self.pages(of: file)
    pages.serve(streams: 2)
    let block = RawBlock(capacity: 128 << 10)
    let base = UnsafeRawPointer(try #require(block.memory.baseAddress))
    var ahead = BlockAhead()
    let first = UInt64(0)..<128 << 10
    ahead.move(to: first, from: base)
    #expect(ahead.distance == 0 && !ahead.hasMapped(first))
    ahead.map(first, pages)
    ahead.move(to: first, from: base)
    #expect(ahead.distance != 0)
    #expect(ftruncate(file.descriptor, 4096) == 0)
    for offset in stride(from: 0, to: 128 << 10, by: 64) { BlockAhead.fetch(base + offset, ahead.distance) }
    // A window that has gone.
    let second = Self.window..<Self.window + 4096
    #expect(!ahead.hasMapped(second))
    ahead.map(second, pages)
    ahead.move(to: second, from: base)
    #expect(ahead.distance == 0)
    BlockAhead.fetch(base, ahead.distance)
  }

  /// Two windows and one for each stream are enough, and a few more wait to be let go of together.
  @Test(arguments: [1, 2, 4, 7]) func letsGoOfWhatIsBehind(streams: Int) throws {
    let file = try Temporary([1])
    let span = 12 * Self.window
    let size = UInt64(streams) * span
    try #require(ftruncate(file.descriptor, off_t(size)) == 0)
    let pages = try #require(
      FilePages(descriptor: file.descriptor, size: size, mapAtOnce: Self.mapAnyPages))
    pages.serve(streams: streams)
    var most = 0
    for place in stride(from: 0, to: span - Self.window, by: 1 << 20) {
      for stream in 0..<UInt64(streams) {
        let start = stream * span + place
        #expect(pages.map(start..<start + 128 << 10) != nil)
        #expect(try file.mappedBytes() == UInt64(pages.mappedWindows) * Self.window)
        most = max(most, pages.mappedWindows)
      }
    }
    #expect(most == min(FilePages.mostWindows, streams + 1 + FilePages.spareWindows))
    #expect(pages.mappedWindows > streams)
    pages.serve(streams: FilePages.mostWindows)
    #expect(try pages.mappedWindows == 0 && file.mappedBytes() == 0)
  }

  /// While one window is being mapped, others are, so many that its turn is over before it is there.
  @Test func letsGoOfWhatIsLate() throws {
    let file = try Temporary([1])
    let size = 12 * Self.window
    try #require(ftruncate(file.descriptor, off_t(size)) == 0)
    let others = Guarded<FilePages?>(nil)
    let pages = try #require(
      FilePages(descriptor: file.descriptor, size: size) { start, count in
        let pages = others.withLock { $0.take() }
        for number in 1..<UInt64(10) { _ = pages?.map(number * Self.window..<number * Self.window + 4096) }
        return Self.mapAnyPages(start, count)
      })
    pages.serve(streams: 1)
    others.withLock { $0 = pages }
    _ = pages.map(0..<4096)
    #expect(pages.mappedWindows > 1)
    #expect(try file.mappedBytes() == UInt64(pages.mappedWindows) * Self.window)
  }

  /// Threads that map and let go at once: what is mapped in the end is known. A window that one lets go of while another maps
  /// it anew may count as mapped and not be.
  @Test func countsWhatThreadsMap() throws {
    let file = try Temporary([1])
    let size = 64 * Self.window
    try #require(ftruncate(file.descriptor, off_t(size)) == 0)
    let pages = try #require(
      FilePages(descriptor: file.descriptor, size: size) { start, count in
        // Some are of small pages.
        UInt(bitPattern: start) >> 21 % 5 != 0 && Self.mapAnyPages(start, count)
      })
    pages.serve(streams: 3)
    inParallel(4, workers: 4) { item, _ in
      for step in 0..<500 {
        let start = UInt64((step + item * 17) * 7 % 63) * Self.window
        _ = pages.map(start..<start + 4096)
      }
    }
    #expect(pages.mappedWindows <= FilePages.mostWindows)
    #expect(try file.mappedBytes() <= UInt64(pages.mappedWindows) * Self.window)
  }

  /// Whatever pages the system keeps a file in: a window is mapped whole or not at all.
  @Test func mapsWholeWindowsOnly() throws {
    let file = try Temporary(Self.bytes + Self.bytes)
    let size = UInt64(2 * Self.bytes.count)
    let pages = try #require(FilePages(descriptor: file.descriptor, size: size))
    pages.serve(streams: 2)
    for start in stride(from: 0, to: size, by: 1 << 20) {
      let address = pages.map(start..<start + 128 << 10)
      let mapped = try file.mappedBytes()
      #expect(mapped == UInt64(pages.mappedWindows) * Self.window)
      #expect(address == nil || mapped > 0)
    }
  }

  /// Streams that read small pages by turns, each in another place: each window is tried once, in however many blocks it is
  /// read, and huge pages behind the small ones are found by all.
  @Test(arguments: [1, 2, 4]) func findsHugePagesBehindSmallOnes(streams: Int) throws {
    let file = try Temporary([1])
    let span = UInt64(FilePages.mostMisses + 2) * Self.window
    let size = UInt64(streams) * span
    try #require(ftruncate(file.descriptor, off_t(size)) == 0)
    let tried = Guarded<[UInt]>([])
    let pages = try #require(
      FilePages(descriptor: file.descriptor, size: size) { start, _ in
        tried.withLock { tried in
          tried.append(UInt(bitPattern: start))
          // All but the last two of each stream are of small pages, less one.
          return tried.count > streams * (FilePages.mostMisses - 1)
        }
      })
    pages.serve(streams: streams)
    var found = 0
    for place in stride(from: 0, to: span, by: 128 << 10) {
      for stream in 0..<UInt64(streams) {
        let start = stream * span + place
        if pages.map(start..<start + 128 << 10) != nil { found += 1 }
      }
    }
    #expect(found == 3 * streams * Int(Self.window / (128 << 10)))
    #expect(tried.withLock { Set($0).count == $0.count })
  }

  /// Where there are none, no more are looked for.
  @Test(arguments: [1, 3]) func givesUpSmallPages(streams: Int) throws {
    let file = try Temporary([1])
    let size = 100 * UInt64(streams) * Self.window
    try #require(ftruncate(file.descriptor, off_t(size)) == 0)
    let tried = Guarded(0)
    let pages = try #require(
      FilePages(descriptor: file.descriptor, size: size) { _, _ in
        tried.withLock { $0 += 1 }
        return false
      })
    pages.serve(streams: streams)
    for start in stride(from: 0, to: size, by: 1 << 20) {
      #expect(pages.map(start..<start + 4096) == nil)
    }
    #expect(tried.withLock { $0 } == streams * FilePages.mostMisses)
  }

  @Test func onlyWhatIsWorthIt() throws {
    let file = try Temporary(Self.bytes)
    #expect(FilePages(descriptor: file.descriptor, size: UInt64(Self.bytes.count)) == nil)
    #expect(FilePages(descriptor: -1, size: 1 << 30) == nil)
  }

  /// Calls that are picked out and summed up, with and without what is ahead, and of a file that shrinks meanwhile.
  ///
  /// - Parameter shrinksAfter: blocks.
  @Test(arguments: [1, 2], [nil, 2, 5]) func readsTheSame(jobs: Int, shrinksAfter: Int?) throws {
    var counts: [[Int]] = []
    for isMapped in [false, true] {
      let bytes = SievedPiecesTests.bytes
      for picks in [false, true] {
        let file = try Temporary(bytes)
        let pages =
          isMapped
          ? FilePages(descriptor: file.descriptor, size: UInt64(bytes.count), mapAtOnce: Self.mapAnyPages)
          : nil
        let reads = Guarded(0)
        let descriptor = file.descriptor
        let readAt: DatReader.ReadAt = { (offset, target) throws(TraceError) in
          let isLast = reads.withLock { count in
            if target.count > 64 << 10 { count += 1 }
            return count == shrinksAfter
          }
          if isLast { ftruncate(descriptor, off_t(bytes.count / 2)) }
          return pread(descriptor, target.baseAddress, target.count, off_t(offset))
        }
        let (owned, told) = (Guarded(0), Guarded(0))
        var reader = try DatReader(
          size: UInt64(bytes.count), jobs: jobs,
          limits: DatReader.Limits(leastForThreads: 0), pages: pages,
          makeReadAt: {
            owned.withLock { $0 += 1 }
            return isMapped ? readAt : nil
          }, onRead: { count in told.withLock { $0 += count } }, readAt: readAt)
        if picks {
          try reader.selectFunctions { !$0.isEmpty }
          var batch: [Event] = []
          var count = 0
          while try reader.next(&batch) { count += batch.count }
          counts.append([count])
        } else {
          let tally = try reader.tally({ _ in true }, makeSink: { _ in TallyTests.Sink() })
          counts.append([tally?.calls ?? -1])
        }
        if isMapped, shrinksAfter == nil { #expect(pages?.mappedWindows ?? 0 > 0) }
        #expect(owned.withLock { $0 } == (jobs > 1 ? jobs : 0))
        // What is looked at once more is told once more.
        #expect(told.withLock { min(UInt64($0), UInt64(bytes.count)) } == reader.bytesRead)
        if shrinksAfter == nil { #expect(reader.bytesRead == UInt64(bytes.count)) }
      }
    }
    // Which bytes are gone when a thread comes to them is its own affair.
    if jobs == 1 || shrinksAfter == nil { #expect(counts[0] == counts[2] && counts[1] == counts[3]) }
    if shrinksAfter == nil { #expect(counts.allSatisfy { $0[0] > 10_000 }) }
  }
}
