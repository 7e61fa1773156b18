import Foundation
import Testing

@testable import TraceCapture

extension CaptureTests {
  @Suite struct Pages {
    /// A page of which so many bytes are committed, in this machine's order (little-endian).
    private func page(_ committed: Int, mark: UInt8) -> [UInt8] {
      var page = [UInt8](repeating: mark, count: 4096)
      page.replaceSubrange(8..<16, with: [UInt8(committed & 0xff), UInt8(committed >> 8), 0, 0, 0, 0, 0, 0])
      return page
    }

    private func collector(_ pages: [[UInt8]]) throws -> PageCollector {
      let state = TracefsState(tracesInInstances: false)
      state.pages[1] = Data(pages.joined())
      return try PageCollector(FakeKernel(state, root: "/"), prefix: "", pageSize: 4096)
    }

    /// Behind a CPU that records all the time, taking every started page would neither end nor give but slivers.
    @Test func stopsWhereItHasCaughtUp() throws {
      let full = page(4080, mark: 1)
      let started = page(100, mark: 2)
      let pages = [full, full, started, started, full]
      let collector = try collector(pages)
      #expect(try collector.collect() == 3 * 4096)
      #expect(try collector.collect() == 4096)
      #expect(try collector.collect(isLast: true) == 4096)
      #expect(try collector.collect(isLast: true) == 0)
      let target = try ScratchFile()
      try collector.copy(cpu: 1, to: target)
      var bytes = [UInt8](repeating: 0, count: pages.count * 4096)
      #expect(pread(target.descriptor, &bytes, bytes.count, 0) == bytes.count)
      #expect(bytes == Array(pages.joined()))
    }

    @Test func aPageThatIsCutIsFilledUp() throws {
      let collector = try collector([page(4080, mark: 1), Array(page(10, mark: 2).prefix(100))])
      #expect(try collector.collect(isLast: true) == 2 * 4096)
      #expect(collector.sizes.map(\.size) == [0, 8192])
    }
  }
}
