import FunctionGraph
import Synchronization
import Testing

@testable import TraceDat

/// The order of events across CPUs, and the memory that reading takes.
@Suite struct MergeTests {
  /// Many CPUs with equal and different times, against a stable sort of all events.
  @Test(arguments: [1, 2, 3, 17, 400])
  func order(cpus: Int) throws {
    let bytes = SyntheticTrace.Bytes()
    let formats = SyntheticFormats(variant: .today, bytes: bytes)
    var trace = SyntheticTrace(bytes: bytes)
    trace.formats = formats.texts
    var random = DamageTests.Generator(state: UInt64(cpus))
    var all: [(time: UInt64, cpu: Int32, pid: Int32)] = []
    var table: [SyntheticTrace.CPU] = []
    for cpu in 0..<cpus {
      var time: UInt64 = 1_000_000
      var pages: [[UInt8]] = []
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        var page = SyntheticPage(bytes, size: 4096, timestamp: time)
        for _ in 0..<Int.random(in: 0...20, using: &random) {
          time += UInt64.random(in: 0...40, using: &random)
          let pid = Int32(all.count + 1)
          page.record(time, formats.entry(0x8100_0104, depth: 0, pid: pid))
          all.append((time, Int32(cpu), pid))
        }
        pages.append(page.written())
      }
      if !pages.isEmpty { table.append(.init(number: UInt32(cpu), pages: pages)) }
    }
    // In the file the CPUs stand in any order.
    table.shuffle(using: &random)
    trace.buffers = [SyntheticTrace.Buffer(cpus: table)]
    let reading = try Reading(trace.written())
    let expected = all.sorted { ($0.time, $0.cpu, $0.pid) < ($1.time, $1.cpu, $1.pid) }
    #expect(reading.events.map(\.pid) == expected.map(\.pid))
    #expect(reading.events.map(\.cpu) == expected.map(\.cpu))
  }

  /// A trace of 256 MiB that exists only as a function: no read is larger than a block, whatever the file's size.
  @Test func readsInBlocks() throws {
    let bytes = SyntheticTrace.Bytes()
    let formats = SyntheticFormats(variant: .today, bytes: bytes)
    var trace = SyntheticTrace(bytes: bytes, pageSize: 65536)
    trace.formats = formats.texts
    var page = SyntheticPage(bytes, size: 65536, timestamp: 1000)
    page.record(1000, formats.entry(0x8100_0104, depth: 0, pid: 1))
    page.record(1001, bytes.u16(99) + Array(repeating: 0, count: 60_000))
    trace.buffers = [
      SyntheticTrace.Buffer(cpus: [.init(number: 0, pages: [page.written(), page.written()])])
    ]
    let head = trace.written()
    let pages = 4096
    // The size of the CPU's data, the number 131072, becomes that of so many pages behind the end of the real file.
    var file = head
    let start = (head.count + 65535) / 65536 * 65536
    let place = try #require(file.firstRange(of: bytes.u64(131_072))).lowerBound
    file.replaceSubrange(place - 8..<place, with: bytes.u64(UInt64(start)))
    file.replaceSubrange(place..<place + 8, with: bytes.u64(UInt64(pages * 65536)))
    let content = page.written()
    let largest = Mutex(0)
    let front = file
    var reader = try DatReader(size: UInt64(start + pages * 65536)) {
      (offset, target) throws(TraceError) -> Int in
      largest.withLock { $0 = max($0, target.count) }
      let source = offset < UInt64(start) ? front : content
      let from = offset < UInt64(start) ? Int(offset) : Int(offset - UInt64(start)) % 65536
      guard from < source.count else { return 0 }
      let count = min(target.count, source.count - from)
      source.withUnsafeBytes {
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[from..<from + count]))
      }
      return count
    }
    var events = 0
    var batch: [Event] = []
    while try reader.next(&batch) { events += batch.count }
    #expect(events == pages)
    #expect(largest.withLock { $0 } == CPUStream.blockSize)
    #expect(reader.bytesRead >= UInt64(pages * 65536))
    // Pages that all begin at the same time: each but the first goes back by one.
    #expect(reader.diagnostics.counts.keys.allSatisfy { $0 == .timeGoesBack })
  }

  @Test func errorsOfTheSourceAreHandedOn() throws {
    let trace = DamageTests.small().written()
    for limit in [5, 200, 5000] {
      #expect(throws: TraceError(.io(5), "no luck")) {
        var reader = try DatReader(size: UInt64(trace.count)) { (offset, target) throws(TraceError) -> Int in
          guard offset <= UInt64(limit) else { throw TraceError(.io(5), "no luck") }
          let count = min(target.count, trace.count - Int(offset), max(1, limit - Int(offset)))
          trace.withUnsafeBytes {
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + count]))
          }
          return count
        }
        var batch: [Event] = []
        while try reader.next(&batch) {}
      }
    }
  }
}
