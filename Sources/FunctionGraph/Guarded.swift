internal import Dispatch

/// A value that several threads change, one at a time.
///
/// Not `Mutex` of the Synchronization module: that one is built without the thread sanitizer's instrumentation, which then
/// takes everything behind it for a race. It knows libdispatch's semaphores.
package final class Guarded<Value>: @unchecked Sendable {
  private let turn = DispatchSemaphore(value: 1)
  private var value: Value

  package init(_ value: Value) {
    self.value = value
  }

  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    turn.wait()
    defer { turn.signal() }
    return body(&value)
  }
}
