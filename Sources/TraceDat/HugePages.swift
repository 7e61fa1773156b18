internal import CCompression
internal import Glibc

/// Memory in pages of 2 MiB: a small trace spends a good part of its time on the page faults of 9 MB of kallsyms otherwise, or,
/// where those are compressed, on the faults of the 2 MB that zstd looks back on, and on finding them in the tables of pages.
enum HugePages {
  static let size = 2 << 20

  /// The last page stays small where it would not be full. An advice that is not taken does no harm.
  ///
  /// - Parameter memory: begins where such a page can; all of it is going to be used.
  static func advise(_ memory: UnsafeMutableRawBufferPointer) {
    madvise(memory.baseAddress, memory.count & ~(size - 1), MADV_HUGEPAGE)
  }

  /// For a `ZSTD_DStream`, whose window is the only large thing that it has. As large as a frame claims, but no larger than zstd
  /// takes (128 MiB), it is filled as far as there is something to fill it with.
  static var forZstd: ZSTD_customMem {
    ZSTD_customMem(
      customAlloc: { _, count in
        guard count >= HugePages.size else { return malloc(count) }
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, HugePages.size, count) == 0 else { return nil }
        HugePages.advise(UnsafeMutableRawBufferPointer(start: memory, count: count))
        return memory
      }, customFree: { _, memory in free(memory) }, opaque: nil)
  }
}
