internal import CCompression

/// A section being decompressed, as much at a time as there is room for.
struct Inflation: ~Copyable {
  enum State {
    case more
    /// All has been made. Found out by a `make` that is asked for more than there is.
    case ended
    /// What is damaged, or was cut, ends here. What was made before is as it was.
    case damaged
  }

  private(set) var state = State.more
  /// The bytes that are being decompressed, and how to get those behind them.
  private let source: RawBlock
  private let refill: () -> Bool
  private let compression: Compression
  /// It must not move.
  private let zlib = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var zstd: OpaquePointer?
  /// Of the source.
  private var position = 0
  /// It is whole where nothing follows.
  private var mayEnd: Bool

  /// - Parameters:
  ///   - source: the first of it; kept as long as this is.
  ///   - refill: puts what follows into `source`, in the place of what was there; false where nothing does.
  init(_ source: RawBlock, _ compression: Compression, refill: @escaping () -> Bool = { false }) {
    self.source = source
    self.refill = refill
    self.compression = compression
    mayEnd = compression == .none
    zlib.initialize(to: z_stream())
    switch compression {
    case .none: break
    case .zlib:
      if inflateInit_(zlib, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) != Z_OK { state = .damaged }
    case .zstd:
      zstd = ZSTD_createDStream_advanced(HugePages.forZstd)
      if zstd == nil { state = .damaged }
    }
  }

  deinit {
    if compression == .zlib { inflateEnd(zlib) }
    zlib.deallocate()
    if let zstd { ZSTD_freeDStream(zstd) }
  }

  /// Fills `target` as far as there is something to fill it with.
  ///
  /// - Returns: the number of bytes made. Less than the target holds: `state` says why.
  mutating func make(into target: UnsafeMutableRawBufferPointer) -> Int {
    var made = 0
    while state == .more, made < target.count {
      if position == source.count {
        if refill() {
          position = 0
        } else if mayEnd {
          state = .ended
          break
        }
      }
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[made...])
      let before = (made, position)
      switch compression {
      case .none: made += copy(to: rest)
      case .zlib: made += inflateZlib(rest)
      case .zstd: made += inflateZstd(rest)
      }
      if state == .more, (made, position) == before { state = .damaged }
    }
    return made
  }

  private mutating func copy(to target: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(target.count, source.count - position)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.bytes[position..<position + count]))
    position += count
    return count
  }

  private mutating func inflateZlib(_ target: UnsafeMutableRawBufferPointer) -> Int {
    let input = source.memory.baseAddress.map { $0 + position }
    zlib.pointee.next_in = input?.assumingMemoryBound(to: Bytef.self)
    zlib.pointee.avail_in = uInt(clamping: source.count - position)
    zlib.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: Bytef.self)
    zlib.pointee.avail_out = uInt(clamping: target.count)
    let room = Int(zlib.pointee.avail_out)
    switch inflate(zlib, Z_NO_FLUSH) {
    case Z_STREAM_END: state = .ended
    case Z_OK: break
    default: state = .damaged
    }
    position = source.count - Int(zlib.pointee.avail_in)
    return room - Int(zlib.pointee.avail_out)
  }

  private mutating func inflateZstd(_ target: UnsafeMutableRawBufferPointer) -> Int {
    var input = ZSTD_inBuffer(src: source.memory.baseAddress, size: source.count, pos: position)
    var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
    let left = ZSTD_decompressStream(zstd, &output, &input)
    position = input.pos
    if ZSTD_isError(left) != 0 { state = .damaged }
    // Another frame may follow.
    mayEnd = left == 0
    return output.pos
  }
}
