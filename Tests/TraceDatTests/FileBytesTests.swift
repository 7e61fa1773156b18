import FunctionGraph
import Testing

@testable import TraceDat

/// A file's bytes, read by several threads.
@Suite struct FileBytesTests {
  private static let size: UInt64 = 5 << 20

  private static func read(_ file: FileBytes, _ count: Int, at offset: UInt64) throws -> Int {
    try file.read(at: offset, into: RawBlock(capacity: count).memory)
  }

  /// A thread reads what the others read, by a way of its own, and counts by the MiB.
  @Test func countsForOneThread() throws {
    let ways = Guarded([0, 0])
    let told = Guarded<[Int]>([])
    @Sendable func way(_ number: Int) -> FileBytes.ReadAt {
      { (_, target) throws(TraceError) in
        ways.withLock { $0[number] += 1 }
        return target.count
      }
    }
    let file = FileBytes(
      size: Self.size, makeReadAt: { way(1) }, onRead: { count in told.withLock { $0.append(count) } },
      readAt: way(0))
    #expect(try Self.read(file, 1000, at: 0) == 1000)
    #expect(file.bytesRead == 1000)
    do {
      let own = file.forOneThread()
      #expect(own.size == Self.size)
      for part in 0..<10 {
        #expect(try Self.read(own, 200 << 10, at: UInt64(part) * 200 << 10) == 200 << 10)
      }
      #expect(file.bytesRead == 1000 + 1200 << 10)
      #expect(own.bytesRead == file.bytesRead)
      // As far as the file goes.
      #expect(try Self.read(own, 4096, at: Self.size - 96) == 96)
      #expect(try Self.read(own, 4096, at: Self.size) == 0)
    }
    #expect(file.bytesRead == 1000 + 2000 << 10 + 96)
    #expect(told.withLock { $0 } == [1000, 1200 << 10, 800 << 10 + 96])
    #expect(ways.withLock { $0 } == [1, 11])
    file.startOver()
    #expect(file.bytesRead == 0)
  }

  /// Without another way all read the same.
  @Test func readsWithoutAnotherWay() throws {
    let reads = Guarded(0)
    let file = FileBytes(
      size: Self.size, makeReadAt: { nil },
      readAt: { (_, target) throws(TraceError) in
        reads.withLock { $0 += 1 }
        return target.count
      })
    inParallel(4, workers: 4) { _, _ in
      let own = file.forOneThread()
      for part in 0..<UInt64(50) { _ = try? Self.read(own, 4096, at: part * 4096) }
    }
    #expect(reads.withLock { $0 } == 200)
    #expect(file.bytesRead == 200 * 4096)
  }
}
