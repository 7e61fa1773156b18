internal import Glibc
public import PinningModel
public import Statistics

/// Durations less what hooked but unrecorded callees cost.
///
/// `-g FUNCTION` with a depth limit records one line a call and still hooks every function below it: each costs a little on
/// either side, and so understates a gain. That cost is another than a recorded call's, which is many times larger;
/// the two are never mixed, and traces that record callees are not corrected.
public struct HookCorrection: Sendable, Hashable {
  /// Hooked callees for one call of the function.
  public var hooksBefore: Double
  public var hooksAfter: Double
  /// Nanoseconds each.
  public var hookCost: Double
  /// Medians, nanoseconds.
  public var before: Double
  public var after: Double
  public var speedup: Double
  /// Of the corrected samples; the hook cost counts as known.
  public var interval: ConfidenceInterval?

  /// Functions hooked below `vfio_pin_map_dma` for each folio of 2 MiB: counted in a capture of kernel 6.18.15 that
  /// records without a depth limit (Fixtures/traces/6.18-nestinf-64m-2m-stripped.dat) as those called at least once a
  /// folio, 44. Kernels before 6.18 lack `vpfn_pages`, one of them.
  public static func hooksPerFolio(_ variant: Variant) -> Double {
    switch variant {
    case .merged, .contigPages: 44
    default: 43
    }
  }

  /// Hooked callees a folio, from the callees of a trace that recorded them all: of each, how often it is called in every
  /// folio; what an interrupt adds now and then does not count.
  ///
  /// - Parameters:
  ///   - callees: of the function that maps.
  ///   - folios: that one call of the function maps.
  public static func hooksPerFolio(_ callees: CalleeTable, folios: Double) -> Double {
    guard callees.parentCalls > 0, folios >= 1 else { return 0 }
    return callees.rows.reduce(0) {
      $0 + floor(Double($1.calls) / (Double(callees.parentCalls) * folios) + 1e-9)
    }
  }

  /// nil where nothing is to be corrected, or more would be taken away than there is.
  static func of(
    _ samples: Samples, alpha: Double, before: Variant, after: Variant, _ request: ModelRequest
  ) -> HookCorrection? {
    guard request.calleesAreHooked, let cost = request.hookCost, cost > 0,
      request.pageSize == .size2M || request.hooksPerFolio != nil
    else { return nil }
    let folios = Double(request.size) / Double(request.pageSize.rawValue)
    let hooksBefore = folios * (request.hooksPerFolio ?? hooksPerFolio(before))
    let hooksAfter = folios * (request.hooksPerFolio ?? hooksPerFolio(after))
    let left = samples.before.map { $0 - hooksBefore * cost }
    let right = samples.after.map { $0 - hooksAfter * cost }
    guard left.allSatisfy({ $0 > 0 }), right.allSatisfy({ $0 > 0 }),
      let estimate = HodgesLehmann.ratio(of: left, to: right, alpha: alpha)
    else { return nil }
    return HookCorrection(
      hooksBefore: hooksBefore, hooksAfter: hooksAfter, hookCost: cost, before: median(left),
      after: median(right),
      speedup: estimate.ratio, interval: estimate.interval)
  }
}
