import Foundation
import Testing

@testable import TraceDat

/// What is decompressed piece by piece against what is decompressed at once, and against what was compressed.
@Suite struct InflationTests {
  private static let text = Array((0..<30_000).map { "line \($0 * $0)\n" }.joined().utf8.prefix(200_000))

  /// A zstd frame of raw blocks (RFC 8878): a content size of four bytes.
  ///
  /// - Parameter window: describes it; nil for one segment.
  private static func frame(_ data: [UInt8], window: UInt8? = nil) -> [UInt8] {
    var out: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd] + (window.map { [0x80, $0] } ?? [0xa0])
    out += (0..<4).map { UInt8(data.count >> (8 * $0) & 255) }
    var rest = data[...]
    repeat {
      let block = rest.prefix(100_000)
      rest = rest.dropFirst(block.count)
      let header = block.count << 3 | (rest.isEmpty ? 1 : 0)
      out += (0..<3).map { UInt8(header >> (8 * $0) & 255) } + block
    } while !rest.isEmpty
    return out
  }

  private static func block(_ bytes: some Collection<UInt8>) -> RawBlock {
    let block = RawBlock(capacity: bytes.count)
    block.memory.copyBytes(from: bytes)
    block.count = bytes.count
    return block
  }

  /// Everything that comes out, in pieces of these sizes over and over again.
  ///
  /// - Parameter portion: how much of the source there is at a time; nil for all of it at once.
  private static func inflated(
    _ source: some Collection<UInt8>, _ compression: Compression, pieces: [Int], portion: Int? = nil
  ) -> (bytes: [UInt8], state: Inflation.State) {
    var rest = Array(source)[...]
    let first = block(rest.prefix(portion ?? rest.count))
    rest = rest.dropFirst(first.count)
    var inflation = Inflation(first, compression) {
      let next = rest.prefix(first.memory.count)
      first.memory.copyBytes(from: next)
      first.count = next.count
      rest = rest.dropFirst(next.count)
      return !next.isEmpty
    }
    var made: [UInt8] = []
    let target = RawBlock(capacity: pieces.max() ?? 1)
    for piece in 0... {
      let size = pieces[piece % pieces.count]
      let count = inflation.make(into: UnsafeMutableRawBufferPointer(rebasing: target.memory[..<size]))
      made += target.memory[..<count]
      if count < size { break }
    }
    return (made, inflation.state)
  }

  private static func sources() -> [(compression: Compression, bytes: [UInt8], text: [UInt8])] {
    return [
      (.none, text, text), (.zlib, SyntheticTrace.stored(text), text), (.zstd, frame(text), text),
    ]
  }

  @Test(arguments: [[1 << 20], [4, 100_000], [1, 7, 4_096]])
  func whole(pieces: [Int]) {
    for (compression, bytes, text) in Self.sources() {
      let found = Self.inflated(bytes, compression, pieces: pieces)
      #expect(found.bytes == text)
      #expect(found.state == .ended)
    }
  }

  /// A window so large that its memory is other than that of smaller ones, more than once around.
  @Test func largeWindow() {
    let text = Array(repeating: Self.text, count: 50).joined()
    // Of four megabytes: RFC 8878, 3.1.1.1.2.
    let frame = Self.frame(Array(text), window: 12 << 3)
    let found = Self.inflated(frame, .zstd, pieces: [65_536])
    #expect(found.bytes.elementsEqual(text))
    #expect(found.state == .ended)
  }

  /// The source comes in portions too.
  @Test(arguments: [1, 1_000, 65_536])
  func portions(portion: Int) {
    for (compression, bytes, text) in Self.sources() {
      // Two zstd frames behind one another, and one where a frame ends with a portion.
      let sources = compression == .zstd ? [(bytes, text), (bytes + bytes, text + text)] : [(bytes, text)]
      for (bytes, text) in sources {
        for portion in [portion, bytes.count / 2] {
          let found = Self.inflated(bytes, compression, pieces: [5, 40_000], portion: portion)
          #expect(found.bytes == text)
          #expect(found.state == .ended)
          let cut = Self.inflated(bytes.dropLast(3), compression, pieces: [40_000], portion: portion)
          #expect(text.starts(with: cut.bytes))
          #expect(compression == .none || cut.state == .damaged)
        }
      }
    }
  }

  /// What was made of a part is the beginning of the whole.
  @Test func cut() {
    var random = SieveTests.Generator(state: 3)
    for (compression, bytes, text) in Self.sources() where compression != .none {
      for _ in 0..<20 {
        let count = Int.random(in: 0..<bytes.count, using: &random)
        let found = Self.inflated(bytes[..<count], compression, pieces: [50_000])
        #expect(text.starts(with: found.bytes))
        #expect(found.state == .damaged || found.bytes == text)
      }
    }
  }

  @Test func damaged() {
    var random = SieveTests.Generator(state: 4)
    for (compression, bytes, text) in Self.sources() {
      for _ in 0..<20 {
        var bytes = bytes
        bytes[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
        let found = Self.inflated(bytes, compression, pieces: [50_000])
        #expect(found.bytes.count <= 2 * text.count || found.state != .more)
      }
      // zstd takes what follows for another frame.
      if compression == .zstd {
        #expect(Self.inflated(bytes + [1], compression, pieces: [50_000]).state == .damaged)
      }
    }
  }
}
