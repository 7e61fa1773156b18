import Foundation
import FunctionGraph
import Synchronization
import Testing

@testable import TraceDat

/// Pieces that are in work while others are taken up, and what may become of their reader meanwhile.
@Suite struct SievedPiecesTests {
  static let pages = 120
  /// Two CPUs of so many pages, calls of one function.
  static let bytes: [UInt8] = {
    let bytes = SyntheticTrace.Bytes(isBigEndian: false, longSize: 8)
    let formats = SyntheticFormats(variant: .today, bytes: bytes)
    var trace = SyntheticTrace(version: 7, bytes: bytes, pageSize: 4096)
    trace.compression = .none
    trace.formats = formats.texts
    let address = SieveTests.addresses[0]
    var cpus: [SyntheticTrace.CPU] = []
    for cpu in 0..<2 as Range<UInt32> {
      var time = 1_000_000 + UInt64(cpu)
      var written: [[UInt8]] = []
      for _ in 0..<pages {
        var page = SyntheticPage(bytes, size: 4096, timestamp: time)
        while page.used < 3_900 {
          time += 100
          page.record(time, formats.entry(address, depth: 0, pid: Int32(42 + cpu)))
          page.record(
            time + 50, formats.exit(address, depth: 0, pid: Int32(42 + cpu), from: time, to: time + 50))
        }
        written.append(page.written())
      }
      cpus.append(.init(number: cpu, pages: written))
    }
    trace.buffers.append(.init(name: "", cpus: cpus))
    return trace.written()
  }()

  /// The file, and how often it was read.
  final class Source: Sendable {
    let reads = Atomic<Int>(0)
    /// Seconds that a read takes.
    let delay: Double
    /// Reads that need this byte fail.
    let bad: Int

    init(delay: Double = 0, bad: Int = -1) {
      self.delay = delay
      self.bad = bad
    }

    /// A reader that lets calls of all functions pass.
    func reader(jobs: Int) throws(TraceError) -> DatReader {
      var limits = DatReader.Limits(leastForThreads: 0)
      limits.sieving = SievedBuffer.Limits(pieceSize: 4096, waiting: 1 << 16)
      var reader = try DatReader(size: UInt64(bytes.count), jobs: jobs, limits: limits) {
        [self] (offset, target) throws(TraceError) -> Int in
        reads.add(1, ordering: .relaxed)
        if delay > 0 { Thread.sleep(forTimeInterval: delay) }
        let count = min(target.count, bytes.count - Int(offset))
        if (Int(offset)..<Int(offset) + count).contains(bad) {
          throw TraceError(.io(EIO), at: .byte(offset), "a bad place")
        }
        target.copyBytes(from: bytes[Int(offset)..<Int(offset) + count])
        return count
      }
      try reader.selectFunctions { !$0.isEmpty }
      return reader
    }
  }

  /// The error of the piece that comes first, and the events in front of it, whatever threads found first.
  @Test func failsAsOneThreadDoes() throws {
    var failed = 0
    for bad in stride(from: 0, to: Self.bytes.count, by: 32_000) {
      var outcomes: [(events: Int, error: TraceError?)] = []
      for jobs in [1, 3] {
        var outcome = (events: 0, error: TraceError?.none)
        do throws(TraceError) {
          var reader = try Source(bad: bad).reader(jobs: jobs)
          var batch: [Event] = []
          while try reader.next(&batch) { outcome.events += batch.count }
        } catch {
          outcome.error = error
        }
        outcomes.append(outcome)
      }
      #expect(outcomes[0].error == outcomes[1].error)
      #expect(outcomes[0].events == outcomes[1].events)
      if outcomes[1].error != nil, outcomes[1].events > 0 { failed += 1 }
    }
    #expect(failed > 0)
  }

  /// Who lets go of a reader has no thread left that reads.
  @Test func stopsWithItsReader() throws {
    let source = Source(delay: 0.005)
    do {
      var reader = try source.reader(jobs: 3)
      var batch: [Event] = []
      let isMore = try reader.next(&batch)
      #expect(isMore && !batch.isEmpty)
    }
    let reads = source.reads.load(ordering: .relaxed)
    Thread.sleep(forTimeInterval: 0.05)
    #expect(source.reads.load(ordering: .relaxed) == reads)
    // Else nothing was left to be read: it takes three threads 0.4 s, and the first batch a tenth of that.
    #expect(reads < 2 * Self.pages)
  }

  /// From the beginning with all functions, while pieces are in work.
  @Test func restartsInTheMiddle() throws {
    var reader = try Source(delay: 0.001).reader(jobs: 3)
    var batch: [Event] = []
    let isMore = try reader.next(&batch)
    #expect(isMore)
    reader.restart()
    var count = 0
    while try reader.next(&batch) { count += batch.count }
    let isWhole = reader.leftOut == nil
    #expect(isWhole)
    #expect(count == (try Reading(Self.bytes)).events.count)
  }
}
