import Dispatch

/// Calls both, at the same time where a thread is free; back when both are done.
///
/// Not checked by the compiler: that the two share nothing that changes is up to the caller.
func atOnce(_ first: () -> Void, _ second: () -> Void) {
  withoutActuallyEscaping(first) { first in
    withoutActuallyEscaping(second) { second in
      nonisolated(unsafe) let first = first
      nonisolated(unsafe) let second = second
      DispatchQueue.concurrentPerform(iterations: 2) { number in
        if number == 0 { first() } else { second() }
      }
    }
  }
}
