internal import Statistics

/// A uniform sample of values of which there are too many: those with the lowest random priorities.
///
/// Samples of parts merge into one of the whole, whatever the parts and their order (bottom-k sampling: Cohen and Kaplan,
/// "Summarizing data using bottom-k sketches", PODC 2007), which a reservoir's do not.
struct PrioritySample: Sendable {
  private(set) var capacity: Int
  /// A binary heap, the highest priority on top.
  private var heap: [(priority: UInt64, value: Double)] = []
  /// None with a higher priority is taken.
  private var worst = UInt64.max
  private var generator = SeededGenerator(seed: 0)

  init(capacity: Int) {
    self.capacity = max(0, capacity)
  }

  /// The values, in an order that depends on nothing but them and their priorities.
  var values: [Double] {
    heap.sorted { ($0.priority, $0.value) < ($1.priority, $1.value) }.map(\.value)
  }

  /// With a priority drawn from a generator whose seed is always the same.
  mutating func add(_ value: Double) {
    add(value, priority: generator.next())
  }

  @inline(__always)
  mutating func add(_ value: Double, priority: UInt64) {
    // Nearly all end here, once there are some.
    if priority > worst { return }
    if heap.count >= capacity {
      guard let top = heap.first, (priority, value) < top else { return }
      replaceTop(priority, value)
      worst = heap[0].priority
    } else {
      heap.append((priority, value))
      var child = heap.count - 1
      while child > 0, heap[(child - 1) / 2] < heap[child] {
        heap.swapAt(child, (child - 1) / 2)
        child = (child - 1) / 2
      }
      if heap.count == capacity { worst = heap[0].priority }
    }
  }

  mutating func merge(_ other: PrioritySample) {
    for (priority, value) in other.heap { add(value, priority: priority) }
  }

  /// Keeps those that a sample of this capacity would have kept.
  mutating func lowerCapacity(to capacity: Int) {
    guard capacity < self.capacity else { return }
    self.capacity = max(0, capacity)
    // Sorted downwards is a heap too.
    if heap.count > self.capacity { heap = heap.sorted { $0 > $1 }.suffix(self.capacity) }
    if heap.count == self.capacity { worst = heap.first?.priority ?? 0 }
  }

  private mutating func replaceTop(_ priority: UInt64, _ value: Double) {
    heap[0] = (priority, value)
    var parent = 0
    while true {
      var child = 2 * parent + 1
      if child >= heap.count { return }
      if child + 1 < heap.count, heap[child] < heap[child + 1] { child += 1 }
      if heap[child] < heap[parent] { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
}
