internal import Analysis

/// The columns of time off the CPU and in interrupts, in the unit of the totals that they are parts of; none where the
/// trace does not tell of it.
struct TimeAwayColumns {
  private let unit: DurationColumn
  private let hasSwitches: Bool
  private let hasInterrupts: Bool

  init(_ callees: CalleeTable, _ unit: DurationColumn) {
    self.unit = unit
    hasSwitches = callees.parentOffCPU != nil
    hasInterrupts = callees.parentInterrupts != nil
  }

  init(_ functions: [FunctionDurations], _ unit: DurationColumn) {
    self.unit = unit
    hasSwitches = functions.contains { $0.offCPU != nil }
    hasInterrupts = functions.contains { $0.interrupts != nil }
  }

  var titles: [String] {
    (hasSwitches ? ["off-CPU \(unit.unit)"] : []) + (hasInterrupts ? ["irq \(unit.unit)"] : [])
  }

  /// Nanoseconds; nil where they are not known of a row.
  func cells(_ offCPU: Int64?, _ interrupts: Int64?) -> [String] {
    (hasSwitches ? [unit.format(offCPU.map(Double.init))] : [])
      + (hasInterrupts ? [unit.format(interrupts.map(Double.init))] : [])
  }

  /// The same for HTML.
  func figures(_ prefix: String, _ offCPU: Int64?, _ interrupts: Int64?) -> [Markup] {
    func cell(_ key: String, _ value: Int64?) -> Markup {
      figure(prefix + key, value.map { Double($0) / 1_000 }, unit.format(value.map(Double.init)))
    }
    return (hasSwitches ? [cell("off_cpu_us", offCPU)] : [])
      + (hasInterrupts ? [cell("irq_us", interrupts)] : [])
  }
}
