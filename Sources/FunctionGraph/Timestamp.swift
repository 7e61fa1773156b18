/// A point in trace time, as the source gave it.
public struct Timestamp: Hashable, Sendable {
  public enum Unit: UInt8, Sendable {
    /// The source prints no times here.
    case none
    /// Nanoseconds since the clock's origin.
    case nanoseconds
    /// Ticks or event numbers: clock `counter`, or an unconverted `x86-tsc`. Order within a CPU, not time.
    case raw
  }

  public var value: UInt64
  public var unit: Unit

  public init(value: UInt64, unit: Unit) {
    self.value = value
    self.unit = unit
  }

  public static let none = Timestamp(value: 0, unit: .none)

  public static func nanoseconds(_ value: UInt64) -> Timestamp { Timestamp(value: value, unit: .nanoseconds) }
  public static func raw(_ value: UInt64) -> Timestamp { Timestamp(value: value, unit: .raw) }
}
