import Glibc

/// The limit on the process's address space, `ulimit -v`.
///
/// Below some size the system's libraries end the process by a signal. So little is refused at the start instead.
enum AddressSpace {
  /// Bytes: the program's text and data, the stacks that are reserved for its threads (8 MiB each), libraries, and the
  /// 256 MiB that reading may take at most.
  static let needed: UInt64 = 384 << 20

  /// Why the limit is not enough; nil where it is, or there is none.
  static var objection: String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < needed else {
      return nil
    }
    return "the address space is limited to \(limit.rlim_cur >> 20) MiB, \(needed >> 20) are needed; "
      + "raise the limit (ulimit -v)"
  }
}
