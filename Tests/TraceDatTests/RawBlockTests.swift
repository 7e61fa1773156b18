import Testing

@testable import TraceDat

@Suite struct RawBlockTests {
  /// Not where malloc puts what it maps: see `RawBlock.alignment`.
  @Test(arguments: [1, 4096, 128 << 10, 256 << 10, 1 << 20, 5 << 20])
  func beginsAtACacheLine(capacity: Int) throws {
    let blocks = (0..<4).map { _ in RawBlock(capacity: capacity) }
    for block in blocks {
      #expect(UInt(bitPattern: block.memory.baseAddress) % 64 == 0)
      #expect(block.memory.count == capacity)
    }
  }
}
