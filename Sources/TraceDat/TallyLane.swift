internal import FunctionGraph

/// What a tally keeps of one of the CPUs that it sums up.
final class TallyLane {
  /// Among these.
  let number: Int
  /// Gets the durations of calls that end on this CPU.
  private let sink: any DurationSink
  /// By number; 0 is none.
  let functions = GrowingTable<StackTally.Function>(capacity: 1024)
  /// Where durations go for which there is no room yet.
  private let nowhere = UnsafeMutablePointer<TimedDuration>.allocate(capacity: 1)
  /// By the hash of parent and address: what is there answers in one load and two compares.
  let nodeCache = GrowingTable<StackTally.CachedNode>(repeating: .none, count: StackTally.cacheSlots)
  /// Functions in the order in which this CPU's records name them, and when they do first. One may be missing of which another
  /// CPU has the entry and this one an exit: that one names it earlier.
  private(set) var appearances: [(function: Int, time: UInt64)] = []
  private var hasAppeared: [Bool] = []
  var losses = LaneLosses()

  init(_ number: Int, sink: any DurationSink) {
    self.number = number
    self.sink = sink
    addFunction(isSelected: false)
  }

  deinit {
    for number in 0..<functions.count { functions.base[number].waiting?.deallocate() }
    nowhere.deallocate()
  }

  func addFunction(isSelected: Bool) {
    functions.append(StackTally.Function(next: nowhere, end: nowhere, isSelected: isSelected))
    hasAppeared.append(false)
  }

  /// A record of this CPU names a function.
  func note(_ function: UInt32, at time: UInt64) {
    guard !hasAppeared[Int(function)] else { return }
    hasAppeared[Int(function)] = true
    appearances.append((Int(function), time))
  }

  /// Rarely called: within `StackTally.skim` it would take registers from what is done for every record.
  ///
  /// - Parameter number: of a selected function.
  @inline(never)
  func append(_ duration: TimedDuration, _ number: Int) {
    let function = functions.base + number
    if function.pointee.next == function.pointee.end {
      let isFirst = function.pointee.waiting == nil
      deliver(number)
      let limit = isFirst ? TimedDuration.firstBatch : TimedDuration.batchSize
      if function.pointee.waiting.map({ function.pointee.end - $0 }) != limit {
        function.pointee.waiting?.deallocate()
        let waiting = UnsafeMutablePointer<TimedDuration>.allocate(capacity: limit)
        function.pointee.waiting = waiting
        function.pointee.next = waiting
        function.pointee.end = waiting + limit
      }
    }
    function.pointee.next.pointee = duration
    function.pointee.next += 1
  }

  /// Whether it got durations of this function.
  func hasDurations(of number: Int) -> Bool { functions.base[number].waiting != nil }

  /// The data's end: the sink gets what waits for it.
  func close() {
    for number in 1..<max(1, functions.count) { deliver(number) }
  }

  private func deliver(_ number: Int) {
    let function = functions.base + number
    guard let waiting = function.pointee.waiting, function.pointee.next != waiting else { return }
    let count = function.pointee.next - waiting
    sink.add(UnsafeBufferPointer(start: waiting, count: count), of: number)
    function.pointee.next = waiting
  }
}
