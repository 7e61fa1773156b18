internal import CProcessors
internal import Glibc

/// The CPUs on which the process may run, as they were when they were first asked for.
package struct Processors: Sendable {
  package static let allowed = Processors()

  /// Ascending; empty where the kernel does not say.
  private let numbers: [Int32]

  /// How many there are; at least 1.
  package var count: Int {
    max(1, numbers.isEmpty ? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) : numbers.count)
  }

  private init() { self.init(numbers: Self.ofThread()) }

  init(numbers: [Int32]) { self.numbers = numbers }

  /// Those on which the calling thread may run.
  static func ofThread() -> [Int32] {
    var numbers = [Int32](repeating: 0, count: 64)
    let count = Int(processors_allowed(&numbers, Int32(numbers.count)))
    if count > numbers.count {
      numbers = Array(repeating: 0, count: count)
      processors_allowed(&numbers, Int32(numbers.count))
    }
    return Array(numbers.prefix(count))
  }

  /// The CPU of the calling thread; -1 where the kernel does not say.
  static var current: Int32 { processors_current() }

  /// One that is not among `taken`, the next behind `start`; nil where there is none.
  func free(behind start: Int32, taken: [Int32]) -> Int32? {
    let first = numbers.firstIndex { $0 > start } ?? 0
    for offset in numbers.indices {
      let cpu = numbers[(first + offset) % numbers.count]
      if !taken.contains(cpu) { return cpu }
    }
    return nil
  }

  /// Lets the calling thread, which was put on one CPU, run on every one again; it stays where it is until the scheduler
  /// moves it.
  func release() {
    _ = processors_release(numbers, Int32(numbers.count))
  }
}
