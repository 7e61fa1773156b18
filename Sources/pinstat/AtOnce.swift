import FunctionGraph

/// Calls both, at the same time where a thread is free; back when both are done.
///
/// Not checked by the compiler: that the two share nothing that changes is up to the caller.
func atOnce(_ first: () -> Void, _ second: () -> Void) {
  inParallel(2, workers: 2) { item, _ in
    if item == 0 { first() } else { second() }
  }
}
