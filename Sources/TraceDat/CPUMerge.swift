internal import FunctionGraph

/// Who comes next of several that each have a time: a binary heap by (time stamp, index).
///
/// trace-cmd's order (`tracecmd_read_next_data`): always the CPU whose next event is the oldest, of several the lowest.
/// A CPU whose time goes back keeps its own order.
struct MergeHeap {
  private var heap: [(timestamp: UInt64, index: Int)] = []

  mutating func insert(_ index: Int, at timestamp: UInt64) {
    heap.append((timestamp, index))
    var child = heap.count - 1
    while child > 0, heap[child] < heap[(child - 1) / 2] {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Whose turn it is.
  var first: Int? { heap.first?.index }

  /// How long `first` stays first, whatever the others have: while its time stamp is below this, or equal to it with
  /// `winsTies`.
  var limit: (timestamp: UInt64, winsTies: Bool) {
    guard heap.count > 1 else { return (.max, true) }
    let second = heap.count > 2 && heap[2] < heap[1] ? heap[2] : heap[1]
    return (second.timestamp, heap[0].index < second.index)
  }

  /// `first` went on to `timestamp`, or has nothing left.
  mutating func update(to timestamp: UInt64?) {
    guard !heap.isEmpty else { return }
    if let timestamp {
      heap[0].timestamp = timestamp
    } else {
      let last = heap.removeLast()
      if heap.isEmpty { return }
      heap[0] = last
    }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      if child >= heap.count { return }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      if heap[parent] < heap[child] { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
}

/// The CPUs of one buffer, merged by (time stamp, CPU).
struct CPUMerge {
  /// Sorted by CPU; the index breaks ties.
  private let streams: [CPUStream]
  private var heap = MergeHeap()

  init(
    _ streams: [CPUStream], _ context: borrowing PageContext, _ diagnostics: inout Diagnostics
  ) throws(TraceError) {
    self.streams = streams
    for (index, stream) in streams.enumerated() where try stream.advance(context, &diagnostics) {
      heap.insert(index, at: stream.timestamp)
    }
  }

  init() {
    streams = []
  }

  /// The CPU whose event comes next.
  var first: CPUStream? { heap.first.map { streams[$0] } }

  /// See `MergeHeap.limit`.
  var limit: (timestamp: UInt64, winsTies: Bool) { heap.limit }

  /// `first` went on to its next event, or has none left.
  mutating func update(isFinished: Bool) {
    guard let first else { return }
    heap.update(to: isFinished ? nil : first.timestamp)
  }
}
