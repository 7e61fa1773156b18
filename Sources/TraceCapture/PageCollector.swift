internal import Glibc

/// Takes the ring-buffer pages of all CPUs out of the kernel as they fill.
///
/// Pages are read (read(2) of `per_cpu/cpuN/trace_pipe_raw` gives one at a time, which is then no longer in the kernel) and
/// not spliced: splice(2) hands over full pages only, so that the last ones need reading anyway. poll(2) wakes when a
/// buffer is filled to `buffer_percent`, half by default, and so a quiet capture is not disturbed by its own reader.
final class PageCollector {
  /// A run of pages of one CPU in the scratch file.
  struct Piece {
    var offset: UInt64
    var count: UInt64
  }

  private struct Source {
    var cpu: Int
    var descriptor: Int32
    var pieces: [Piece] = []
    /// A plain file in the place of the kernel's comes to an end.
    var hasEnded = false
  }

  let pageSize: Int
  private let file: ScratchFile
  private var sources: [Source] = []
  /// Filled with pages of one CPU before they are written out.
  private let block: UnsafeMutableRawBufferPointer

  /// - Parameters:
  ///   - prefix: of the buffer's files: empty, or `instances/NAME/`.
  ///   - pageSize: bytes in a sub-buffer.
  init(_ tree: any TracingTree, prefix: String, pageSize: Int) throws(CaptureError) {
    self.pageSize = pageSize
    file = try ScratchFile()
    block = .allocate(byteCount: max(pageSize, 256 << 10 / pageSize * pageSize), alignment: 16)
    for cpu in Self.cpus(tree, prefix: prefix) {
      let descriptor: Int32
      do throws(TracingFileError) {
        descriptor = try tree.open("\(prefix)per_cpu/cpu\(cpu)/trace_pipe_raw")
      } catch {
        throw .file(error)
      }
      sources.append(Source(cpu: cpu, descriptor: descriptor))
    }
  }

  deinit {
    closeAll()
    block.deallocate()
  }

  static func cpus(_ tree: any TracingTree, prefix: String) -> [Int] {
    tree.names(in: "\(prefix)per_cpu").compactMap { $0.hasPrefix("cpu") ? Int($0.dropFirst(3)) : nil }
      .sorted()
  }

  /// Has to come before the instance is removed: it is busy while its files are open.
  func closeAll() {
    for source in sources where source.descriptor >= 0 { close(source.descriptor) }
    for index in sources.indices { sources[index].descriptor = -1 }
  }

  /// Waits until `descriptor` can be read, a CPU has pages, or so much time is over.
  func wait(_ descriptor: Int32, milliseconds: Int32) -> Bool {
    var polled = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    for source in sources where !source.hasEnded {
      polled.append(pollfd(fd: source.descriptor, events: Int16(POLLIN), revents: 0))
    }
    guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return false }
    return polled.dropFirst().contains { $0.revents != 0 }
  }

  /// Takes full pages of every CPU, and with `isLast`, when nothing is recorded any more, all of them.
  ///
  /// A read takes what a page holds so far. Behind a CPU that records all the time that would never end, and give pages of a
  /// few events each: a page that is not half full says that the reader has caught up, until the next time.
  ///
  /// - Returns: bytes taken.
  func collect(isLast: Bool = false) throws(CaptureError) -> UInt64 {
    var total: UInt64 = 0
    for index in sources.indices where !sources[index].hasEnded {
      // Of a CPU that fills faster than it is read, the others would never be.
      var left = isLast ? Int.max : 16 << 20
      while left > 0 {
        let (count, hasMore) = try fill(index, isLast: isLast)
        if count > 0 {
          let offset = file.size
          try file.append(UnsafeRawBufferPointer(rebasing: block[..<count]))
          if let last = sources[index].pieces.last, last.offset + last.count == offset {
            sources[index].pieces[sources[index].pieces.count - 1].count += UInt64(count)
          } else {
            sources[index].pieces.append(Piece(offset: offset, count: UInt64(count)))
          }
          total += UInt64(count)
          left -= count
        }
        if !hasMore { break }
      }
    }
    return total
  }

  /// Reads pages of one CPU into the block.
  private func fill(_ index: Int, isLast: Bool) throws(CaptureError) -> (count: Int, hasMore: Bool) {
    var filled = 0
    while filled + pageSize <= block.count {
      let page = UnsafeMutableRawBufferPointer(rebasing: block[filled..<filled + pageSize])
      let count = read(sources[index].descriptor, page.baseAddress, pageSize)
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN { return (filled, false) }
        throw .file(TracingFileError("per_cpu/cpu\(sources[index].cpu)/trace_pipe_raw", code))
      }
      if count == 0 {
        sources[index].hasEnded = isPlainFile(sources[index].descriptor)
        return (filled, false)
      }
      if count < pageSize {
        UnsafeMutableRawBufferPointer(rebasing: page[count...]).initializeMemory(as: UInt8.self, repeating: 0)
      }
      filled += pageSize
      if !isLast, committed(page) < pageSize / 2 { return (filled, false) }
    }
    return (filled, true)
  }

  /// How much of a page holds events: the low bits of the word behind the time stamp (`struct buffer_data_page`).
  private func committed(_ page: UnsafeMutableRawBufferPointer) -> Int {
    Int(page.loadUnaligned(fromByteOffset: 8, as: UInt32.self) & 0x000f_ffff)
  }

  private func isPlainFile(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0 else { return false }
    return true
  }

  /// Bytes taken of each CPU, by number.
  var sizes: [(cpu: Int, size: UInt64)] {
    sources.map { ($0.cpu, $0.pieces.reduce(0) { $0 + $1.count }) }
  }

  /// Appends the pages of one CPU to another file.
  func copy(cpu: Int, to target: ScratchFile) throws(CaptureError) {
    for source in sources where source.cpu == cpu {
      for piece in source.pieces { try target.append(file, at: piece.offset, count: piece.count) }
    }
  }
}
