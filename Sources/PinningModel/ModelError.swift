/// A model that was asked for something that does not exist. Errors that the kernel itself would return are not here:
/// they are results of a simulation, see `Errno`.
public enum ModelError: Error, Sendable, Equatable {
  case unknownPageSize(bytes: UInt64)
  case noSuchBacking(Backing, pageSize: FolioSize)
  /// An address or a size that is no multiple of a page.
  case misaligned(what: String, bytes: UInt64)
  case empty(what: String)
  /// An address plus a size runs over 2⁶⁴.
  case wrapsAround(what: String, start: UInt64, size: UInt64)
  case tooLarge(what: String, value: UInt64, limit: UInt64)
  case invalidExtent(index: Int, reason: String)
  case invalidRange(what: String, reason: String)
  case invalidDuration(Double)
}

extension ModelError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownPageSize(let bytes):
      "page size \(bytes): expected 4096 (4K), 16384 (16K), 65536 (64K), 2097152 (2M) or 1073741824 (1G)"
    case .noSuchBacking(let backing, let size):
      "\(backing.rawValue) has no pages of \(size.rawValue) bytes: expected one of "
        + backing.folioSizes.map { "\($0.rawValue)" }.joined(separator: ", ")
    case .misaligned(let what, let bytes): "\(what) \(bytes): expected a multiple of 4096"
    case .empty(let what): "\(what) 0: expected at least 4096"
    case .wrapsAround(let what, let start, let size):
      "\(what) \(start) with size \(size) wraps around: expected an end of at most 2^64"
    case .tooLarge(let what, let value, let limit): "\(what) \(value): expected at most \(limit)"
    case .invalidExtent(let index, let reason): "extent \(index): \(reason)"
    case .invalidRange(let what, let reason): "\(what): \(reason)"
    case .invalidDuration(let value): "duration \(value): expected a finite number above 0"
    }
  }
}

/// The kernel's error of a map that fails, as `errno`.
public enum Errno: Int32, Error, Sendable, CaseIterable {
  /// Memory locked over RLIMIT_MEMLOCK.
  case noMemory = 12
  /// No page can be pinned there.
  case badAddress = 14
  /// The IOVA range overlaps an earlier one.
  case fileExists = 17
  /// Zero, misaligned, or wrapping around; or an IOVA that the IOMMU cannot translate.
  case invalidArgument = 22
  /// As many mappings as `dma_entry_limit` allows.
  case noSpace = 28

  public var name: String {
    switch self {
    case .noMemory: "ENOMEM"
    case .badAddress: "EFAULT"
    case .fileExists: "EEXIST"
    case .invalidArgument: "EINVAL"
    case .noSpace: "ENOSPC"
    }
  }
}
