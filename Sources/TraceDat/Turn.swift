/// The records of one task on one CPU between which no other task has any.
///
/// That a task ran on another CPU in between, its records there alone tell. Where all belong to one task, as in what
/// `trace-cmd record -F` writes, a CPU's would be one turn from its first to its last. So a turn ends as well where nothing
/// was recorded for a while: to go to another CPU and come back takes a task longer than what lies between two records of
/// a busy one. Where it took less, that is noticed when the turns are put in order.
enum Turn {
  /// What is a while: nanoseconds, or ticks of another clock; a power of two. Of five captures of 6.17 and 6.18 one
  /// record of 95 to 1,600 is as far from the one before it on its CPU.
  static let gap: UInt64 = 1 << 15
  /// Nothing is one. Times that go back are further apart.
  static let noGap: UInt64 = 1 << 63
  /// Of a record's first word what is 0 if it is closer than `gap` to the one before: the time between stands above the
  /// lowest five bits.
  static let gapMask: UInt64 = 0xffff_ffff & ~((gap << 5) - 1)

  /// What ends one turn and begins the next.
  enum Start: UInt8 {
    /// None begins.
    case none
    /// It is the first one of a piece of a CPU's data.
    case piece
    case otherTask
    /// Nothing was recorded for a while, or nothing left out since the record before.
    case sameTask
  }
}
