internal import Synchronization

/// Calls `body` once for every item, in any order, on up to `workers` threads; back when all are done.
///
/// - Parameter body: gets the item and the worker, 0 ..< `workers`, that has it; a worker has one item at a time.
package func inParallel(_ items: Int, workers: Int, _ body: (_ item: Int, _ worker: Int) -> Void) {
  let workers = min(workers, items)
  guard workers > 1 else {
    for item in 0..<items { body(item, 0) }
    return
  }
  let next = Atomic<Int>(0)
  withoutActuallyEscaping(body) { body in
    withUnsafePointer(to: body) { body in
      // Not checked by the compiler: that calls for different items and workers share nothing that changes is up to `body`.
      // By its place, as a helper's thread may let go of what it was called with when all is done.
      nonisolated(unsafe) let body = body
      @Sendable func work(_ worker: Int) {
        while true {
          let item = next.add(1, ordering: .relaxed).oldValue
          if item >= items { return }
          body.pointee(item, worker)
        }
      }
      let call = Helpers.shared.call(workers - 1) { work($0 + 1) }
      work(0)
      Helpers.shared.dismiss(call)
    }
  }
}
