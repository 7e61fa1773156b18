internal import FunctionGraph

/// The first bytes of a trace.dat (trace-cmd.dat.v6(5), trace-cmd.dat.v7(5), "INITIAL FORMAT").
struct ContainerHeader {
  /// 6 or 7.
  var version: Int
  var order: ByteOrder
  /// Bytes in a long of the traced machine's user space: 4 or 8.
  var longSize: Int
  var pageSize: UInt32
  var compression: Compression
  /// Version 7: where the first options section is.
  var optionsOffset: UInt64?
  /// Where the header ends.
  var end: UInt64
}

/// The trace data of one CPU in the file.
struct CPUExtent: Equatable {
  var cpu: UInt32
  var offset: UInt64
  /// Bytes in the file: pages, or chunks where the buffer is compressed (without the word that counts them).
  var size: UInt64
}

/// One buffer: the top one, or that of an instance.
struct BufferLayout {
  var name: String
  var clock: String
  var pageSize: UInt32
  var isCompressed: Bool
  /// The file ends inside this buffer's data, and that has been said.
  var isCut: Bool
  var cpus: [CPUExtent]
}

/// A stretch of the file that holds metadata: version 6 as it stands, version 7 a section with a header in front.
enum MetadataPlace {
  case plain(offset: UInt64, size: UInt64)
  case section(offset: UInt64)
}

/// What a trace.dat says before its trace data: where things are, and what its options hold.
struct Container {
  /// Metadata larger than this is refused; kallsyms, the largest, has 9 MB.
  static let largestMetadata = Int(Decompressor.largestResult)
  static let largestHeaderPage = 64 << 10
  static let mostFormats: UInt32 = 4096
  static let mostBuffers = 4096
  static let mostCPUs: UInt32 = 1 << 16

  var header: ContainerHeader
  /// For sections, one after another.
  let decompressor: Decompressor
  var subBuffer: SubBufferLayout
  /// The formats of the function graph tracer that the grammar accepted.
  var formats: [EventFormatText] = []
  var formatsPlace: Diagnostic.Place = .whole
  /// The formats of all other events.
  var eventFormats: MetadataPlace?
  var kallsyms: MetadataPlace?
  var savedCmdlines: MetadataPlace?
  var options = ContainerOptions()
  var buffers: [BufferLayout] = []

  static let magic: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing".utf8)

  init(_ file: FileBytes, diagnostics: inout Diagnostics) throws(TraceError) {
    let header = try Self.readHeader(file)
    self.header = header
    decompressor = Decompressor(header.compression)
    subBuffer = SubBufferLayout(longSize: header.longSize)
    if header.version == 6 {
      try readVersion6(file, diagnostics: &diagnostics)
    } else {
      try readVersion7(file, diagnostics: &diagnostics)
    }
  }

  private static func readHeader(_ file: FileBytes) throws(TraceError) -> ContainerHeader {
    guard file.size > 0 else { throw TraceError(.empty, "0 bytes") }
    // Before the byte order is known only bytes are read.
    var cursor = ByteCursor(file: file, order: ByteOrder(isBigEndian: false), from: 0)
    for byte in magic {
      guard cursor.remaining > 0, try cursor.uint8("magic") == byte else {
        throw TraceError(
          .notATrace, at: .byte(0), "no trace.dat: it does not begin with 17 08 44 \"tracing\"")
      }
    }
    let versionText = try cursor.string("version", limit: 16)
    let version = String(decoding: versionText, as: UTF8.self)
    guard version == "6" || version == "7" else {
      throw TraceError(
        .unsupported, at: .byte(10), "trace.dat version \(version.debugDescription), 6 or 7 expected")
    }
    let endian = try cursor.uint8("byte order")
    guard endian <= 1 else {
      throw TraceError(.corrupt, at: .byte(cursor.position - 1), "byte order \(endian), 0 or 1 expected")
    }
    let longSize = try cursor.uint8("size of a long")
    guard longSize == 4 || longSize == 8 else {
      throw TraceError(
        .corrupt, at: .byte(cursor.position - 1), "a long of \(longSize) bytes, 4 or 8 expected")
    }
    let order = ByteOrder(isBigEndian: endian == 1)
    cursor = ByteCursor(file: file, order: order, from: cursor.position)
    let pageSize = try cursor.uint32("page size")
    var header = ContainerHeader(
      version: version == "6" ? 6 : 7, order: order, longSize: Int(longSize), pageSize: pageSize,
      compression: .none, end: 0)
    if header.version == 7 {
      let name = String(decoding: try cursor.string("compression", limit: 64), as: UTF8.self)
      _ = try cursor.string("version of the compression", limit: 64)
      guard let compression = Compression(rawValue: name) else {
        throw TraceError(
          .unsupported, at: cursor.place, "compression \(name.debugDescription), none, zlib or zstd expected")
      }
      header.compression = compression
      header.optionsOffset = try cursor.uint64("offset of the options")
    }
    header.end = cursor.position
    return header
  }

  /// Page sizes that a ring buffer can have: powers of two, up to the largest sub-buffer that the kernel allows many
  /// times over.
  static func isPageSize(_ size: UInt32) -> Bool {
    size >= 256 && size <= 16 << 20 && size & (size - 1) == 0
  }

  /// Header page and header event: the names, sizes and texts that stand in this order in both versions.
  mutating func readHeaderInfo(
    _ cursor: inout ByteCursor, diagnostics: inout Diagnostics
  ) throws(TraceError) {
    guard try cursor.consume("header_page\0", "header_page") else {
      throw TraceError(.corrupt, at: cursor.place, "\"header_page\" expected")
    }
    let place = cursor.place
    let text = try cursor.block(
      try cursor.uint64("size of header_page"), limit: Self.largestHeaderPage, "header_page")
    // trace-cmd writes an empty one where the kernel has none.
    if let layout = SubBufferLayout(headerPage: text.bytes) {
      subBuffer = layout
    } else {
      diagnostics.record(
        .missingFormat, at: place, "header_page is not usable; a long of \(header.longSize) bytes is assumed")
    }
    guard try cursor.consume("header_event\0", "header_event") else {
      throw TraceError(.corrupt, at: cursor.place, "\"header_event\" expected")
    }
    try cursor.skip(try cursor.uint64("size of header_event"), "header_event")
  }

  /// The formats of the system `ftrace`; those of the function graph tracer are kept.
  mutating func readFtraceFormats(
    _ cursor: inout ByteCursor, diagnostics: inout Diagnostics
  ) throws(TraceError) {
    formatsPlace = cursor.place
    let count = try cursor.uint32("number of ftrace formats")
    guard count <= Self.mostFormats else {
      throw TraceError(
        .corrupt, at: formatsPlace, "\(count) ftrace formats, at most \(Self.mostFormats) are taken")
    }
    for _ in 0..<count {
      let size = try cursor.uint64("size of an ftrace format")
      guard size <= UInt64(EventFormatText.largest) else {
        try cursor.skip(size, "ftrace format")
        continue
      }
      let place = cursor.place
      let text = try cursor.block(size, limit: EventFormatText.largest, "ftrace format")
      let name = GraphFormats.names.first { text.bytes.starts(with: "name: \($0)\n".utf8) }
      guard let name else { continue }
      if let format = EventFormatText(text.bytes) {
        if !formats.contains(where: { $0.name == name }) { formats.append(format) }
      } else {
        diagnostics.record(.missingFormat, at: place, "the format of \(name) is malformed")
      }
    }
  }

  /// The text of a metadata place, in memory of its own.
  ///
  /// - Parameter sizeWidth: in a section, a size of so many bytes (4 or 8) stands in front of the text.
  func text(
    _ place: MetadataPlace, sizeWidth: Int, _ file: FileBytes, _ what: String
  ) throws(TraceError) -> RawBlock {
    switch place {
    case .plain(let offset, let size):
      var cursor = ByteCursor(file: file, order: header.order, from: offset)
      return try cursor.block(size, limit: Self.largestMetadata, what)
    case .section(let offset):
      var cursor = try openSection(at: offset, file, what)
      let size = sizeWidth == 4 ? UInt64(try cursor.uint32(what)) : try cursor.uint64(what)
      return try cursor.block(size, limit: Self.largestMetadata, what)
    }
  }
}
