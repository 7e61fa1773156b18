internal import CCompression
internal import FunctionGraph

/// The compression of a version 7 file, named in its header.
enum Compression: String {
  case none
  case zlib
  case zstd
}

/// Decompresses sections and chunks, each into memory whose size the file announces and these limits bound.
final class Decompressor {
  /// No section or chunk may become larger than this.
  static let largestResult: UInt64 = 64 << 20
  /// A result up to this size is taken whatever the ratio: an almost empty page compresses some hundred times.
  static let freeResult: UInt64 = 1 << 20
  /// Above that, how many times larger than the compressed bytes a result may be. zlib reaches 1032 at most.
  static let largestRatio: UInt64 = 4096

  let compression: Compression
  /// Reused for each zstd frame; nil until the first.
  private var zstdContext: OpaquePointer?

  /// Room for compressed bytes, shared by all who decompress one after another.
  private var scratch = RawBlock(capacity: 0)

  func scratch(_ count: Int) -> RawBlock {
    if scratch.memory.count < count { scratch = RawBlock(capacity: count) }
    return scratch
  }

  init(_ compression: Compression) {
    self.compression = compression
  }

  deinit {
    if let zstdContext { ZSTD_freeDCtx(zstdContext) }
  }

  /// Why sizes that the file announces are not acceptable; nil if they are.
  static func objection(compressed: UInt64, decompressed: UInt64) -> String? {
    if compressed > largestResult {
      return "\(compressed) compressed bytes, at most \(largestResult) are taken"
    }
    if decompressed > largestResult {
      return "\(decompressed) bytes decompressed, at most \(largestResult) are taken"
    }
    if decompressed > freeResult, decompressed / largestRatio > compressed {
      return
        "\(compressed) bytes would become \(decompressed), a ratio of \(decompressed / max(compressed, 1)),"
        + " at most \(largestRatio) is taken"
    }
    return nil
  }

  /// Decompresses `source` into `target`.
  ///
  /// - Returns: the number of bytes made, or nil where `source` is damaged or makes more than `target` holds.
  func decompress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int? {
    switch compression {
    case .none:
      guard source.count <= target.count else { return nil }
      target.copyMemory(from: source)
      return source.count
    case .zlib:
      var made = uLongf(target.count)
      let code = uncompress(
        target.baseAddress?.assumingMemoryBound(to: Bytef.self), &made,
        source.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(source.count))
      return code == Z_OK ? Int(made) : nil
    case .zstd:
      if zstdContext == nil { zstdContext = ZSTD_createDCtx() }
      guard let zstdContext else { return nil }
      let made = ZSTD_decompressDCtx(
        zstdContext, target.baseAddress, target.count, source.baseAddress, source.count)
      return ZSTD_isError(made) == 0 ? made : nil
    }
  }

  /// Decompresses as much of `source`, the beginning of something that was cut, as stands in `target` for certain: whole
  /// blocks of zstd, whatever zlib has put out.
  ///
  /// - Returns: the number of bytes made.
  func decompressBeginning(
    _ source: RawBlock, into target: UnsafeMutableRawBufferPointer
  ) -> Int {
    var inflation = Inflation(source, compression)
    return inflation.make(into: target)
  }
}
