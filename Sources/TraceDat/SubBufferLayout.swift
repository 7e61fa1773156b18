/// Where a sub-buffer (ring-buffer page) keeps its header: tracefs' `events/header_page`.
///
///     field: u64 timestamp;   offset:0;   size:8;     signed:0;
///     field: local_t commit;  offset:8;   size:8;     signed:1;
///     field: int overwrite;   offset:8;   size:1;     signed:1;
///     field: char data;       offset:16;  size:4080;  signed:0;
///
/// The size of `commit` is the size of the kernel's long, which may differ from the one in the file's header (that is
/// user space's).
struct SubBufferLayout: Equatable {
  var timestampOffset = 0
  var commitOffset = 8
  /// 4 or 8.
  var commitSize: Int
  var dataOffset: Int

  /// What kernels with this size of a long have written since 2.6.31.
  init(longSize: Int) {
    commitSize = longSize
    dataOffset = 8 + longSize
  }

  /// - Parameter text: `header_page`; nil is returned where a field is missing or lies outside any page.
  init?(headerPage text: UnsafeRawBufferPointer) {
    var timestamp: (offset: Int, size: Int)?
    var commit: (offset: Int, size: Int)?
    var data: (offset: Int, size: Int)?
    for line in text.split(separator: 0x0a).prefix(16) {
      guard let field = FormatField(line: UnsafeRawBufferPointer(rebasing: line)) else { continue }
      switch field.name {
      case "timestamp": timestamp = (field.offset, field.size)
      case "commit": commit = (field.offset, field.size)
      case "data": data = (field.offset, field.size)
      default: break
      }
    }
    guard let timestamp, let commit, let data, timestamp.size == 8, commit.size == 4 || commit.size == 8,
      timestamp.offset + timestamp.size <= data.offset, commit.offset + commit.size <= data.offset,
      data.offset <= 128
    else { return nil }
    timestampOffset = timestamp.offset
    commitOffset = commit.offset
    commitSize = commit.size
    dataOffset = data.offset
  }
}
