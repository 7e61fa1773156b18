internal import FunctionGraph

/// The data of several CPUs divided by time, so that several threads can sum it up: from every CPU the pages in which a slice's
/// records are.
struct TimeSlices {
  struct Slice {
    /// Its records: from the first time on, and before the second one.
    var from: UInt64
    var to: UInt64
    /// Of each CPU, by the order of the CPUs; nil where it has nothing of that time.
    var cpus: [CPUData?]
  }

  private let cpus: [CPUData]
  private let pageSize: UInt64
  /// Of the page that begins at this offset in the file.
  private let pageTime: (UInt64) throws(TraceError) -> UInt64

  /// - Parameters:
  ///   - cpus: uncompressed.
  ///   - pageTime: when the page that begins at this offset in the file was begun.
  init(
    _ cpus: [CPUData], pageSize: Int, pageTime: @escaping (_ offset: UInt64) throws(TraceError) -> UInt64
  ) {
    self.cpus = cpus
    self.pageSize = UInt64(pageSize)
    self.pageTime = pageTime
  }

  /// All of it, undivided.
  static func whole(_ cpus: [CPUData]) -> [Slice] { [Slice(from: 0, to: .max, cpus: cpus)] }

  /// At most `count` slices, between which the CPU with the most data is divided evenly.
  func slices(_ count: Int) throws(TraceError) -> [Slice] {
    guard let most = cpus.max(by: { $0.extent.size < $1.extent.size }) else { return [] }
    let pages = most.extent.size / pageSize
    var times: [UInt64] = []
    for number in 1..<max(1, UInt64(count)) {
      let page = number * pages / UInt64(count)
      guard page > 0 else { continue }
      let time = try pageTime(most.extent.offset + page * pageSize)
      if time > times.last ?? 0, time < .max { times.append(time) }
    }
    var slices: [Slice] = []
    var starts = cpus.map(\.extent.offset)
    for time in times + [.max] {
      var slice = Slice(from: slices.last?.to ?? 0, to: time, cpus: [])
      for (index, cpu) in cpus.enumerated() {
        let end = cpu.extent.offset + cpu.extent.size
        let last = try time == .max ? nil : lastPage(of: cpu, before: time)
        var part = cpu
        let behind = time == .max ? end : last.map { min(end, $0 + pageSize) } ?? starts[index]
        part.extent.offset = starts[index]
        part.extent.size = max(behind, starts[index]) - starts[index]
        part.isCut = cpu.isCut && part.extent.offset + part.extent.size == end
        slice.cpus.append(part.extent.size > 0 ? part : nil)
        // The next slice may have records in the same page.
        if let last { starts[index] = last }
      }
      slices.append(slice)
    }
    return slices
  }

  /// The last page that was begun before `time`; nil where there is none. All behind it hold records of that time or later
  /// only, as long as time does not go back.
  private func lastPage(of cpu: CPUData, before time: UInt64) throws(TraceError) -> UInt64? {
    var low: UInt64 = 0
    var high = (cpu.extent.size + pageSize - 1) / pageSize
    while low < high {
      let middle = low + (high - low) / 2
      if try pageTime(cpu.extent.offset + middle * pageSize) < time {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low == 0 ? nil : cpu.extent.offset + (low - 1) * pageSize
  }
}
