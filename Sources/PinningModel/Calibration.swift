/// One measured duration and what was done in it.
public struct CalibrationObservation: Sendable, Hashable {
  /// For residuals: a file's name, a size.
  public var label: String
  public var counts: OperationCounts
  /// Columns of the caller's own, with their counts: recorded children, and hooked children that were not recorded, are
  /// two different ones.
  public var extra: [String: Double]
  /// Above 0. Of several calls alike, the caller decides which: the least where noise only adds.
  public var nanoseconds: Double
  /// Standard error of the duration, relative; nil: unknown.
  public var relativeError: Double?

  public init(
    label: String, counts: OperationCounts, extra: [String: Double] = [:], nanoseconds: Double,
    relativeError: Double? = nil
  ) {
    self.label = label
    self.counts = counts
    self.extra = extra
    self.nanoseconds = nanoseconds
    self.relativeError = relativeError
  }
}

/// Why a calibration was refused.
public enum CalibrationError: Error, Sendable, Equatable {
  /// Fewer durations than numbers to be determined, which are named; hold some of them at a known profile.
  case tooFewEquations(equations: Int, unknowns: [String])
  /// A duration that is not finite and above 0, or a count that is not finite and 0 or above.
  case invalidValue(label: String, what: String, value: Double)
  /// Nothing was counted, or everything is held.
  case nothingToFit
  /// The iteration did not end.
  case noConvergence
}

extension CalibrationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooFewEquations(let equations, let unknowns):
      "\(equations) durations for \(unknowns.count) unknown costs (\(unknowns.joined(separator: "; "))): expected at "
        + "least \(unknowns.count), of different sizes or backings"
    case .invalidValue(let label, let what, let value):
      "\(label): \(what) \(value): expected a finite number"
        + (what == "duration" ? " above 0" : " that is not negative")
    case .nothingToFit: "nothing to calibrate: expected counts that are not all 0"
    case .noConvergence: "the fit did not converge"
    }
  }
}

/// Costs determined from durations.
public struct Calibration: Sendable, Hashable {
  /// One number that the data determine: the cost of one column, or the sum of several whose counts are in the same
  /// proportion in every observation.
  public struct Term: Sendable, Hashable {
    /// Names of the columns, and how many of each go with one of the first.
    public var columns: [(name: String, weight: Double)]
    /// The weighted sum.
    public var nanoseconds: Double
    /// Its standard error; nil: unknown (as many numbers as durations, and no errors given; or see `Calibration.mixed`).
    public var uncertainty: Double?

    public var name: String {
      columns.map { column in
        let whole = Equations.whole(column.weight).map { "\($0)" } ?? "\(column.weight)"
        return column.weight == 1 ? column.name : "\(whole) x \(column.name)"
      }.joined(separator: " + ")
    }

    public static func == (a: Term, b: Term) -> Bool {
      a.name == b.name && a.nanoseconds == b.nanoseconds && a.uncertainty == b.uncertainty
    }

    public func hash(into hasher: inout Hasher) {
      hasher.combine(name)
      hasher.combine(nanoseconds)
    }
  }

  public struct Residual: Sendable, Hashable {
    public var label: String
    public var measured: Double
    public var fitted: Double
    /// fitted / measured − 1.
    public var relative: Double { fitted / measured - 1 }
  }

  public var terms: [Term]
  public var residuals: [Residual]
  /// Largest by smallest singular value of the equations, each column scaled to length 1: how many times errors can grow.
  /// Infinite where `mixed` is not empty.
  public var conditionNumber: Double
  /// Columns whose counts are proportional throughout: only their sum is known.
  public var indistinguishable: [[String]]
  /// Sets of terms of which some combination changes no fitted duration: their values are one solution of many.
  public var mixed: [[String]]
  public var degreesOfFreedom: Int
  /// Standard error of one duration, relative; nil: unknown.
  public var relativeError: Double?
  /// The operations' costs, those held included. Sums are divided as in the prior, else equally.
  public var profile: CostProfile
  /// The caller's own columns, nanoseconds each.
  public var extra: [String: Double]

  public var worstRelativeResidual: Double { residuals.map { abs($0.relative) }.max() ?? 0 }
}
