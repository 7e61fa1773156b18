extension Recognition {
  /// By the callees of the map in a nested trace.
  ///
  /// A callee that is there tells much; one that is missing tells little, as static functions are inlined.
  /// - Parameters:
  ///   - callees: names as the trace has them (a suffix such as `.isra.0` is dropped), with their calls per call of the
  ///     map.
  ///   - pages: pages of 4 KiB that one call maps; nil: unknown.
  public static func byCallees(_ callees: [(name: String, callsPerCall: Double)], pages: Int? = nil)
    -> Recognition
  {
    var calls: [String: Double] = [:]
    for callee in callees { calls[plain(callee.name), default: 0] += callee.callsPerCall }
    func has(_ name: String) -> Bool { calls[name, default: 0] > 0 }

    if has("memfd_pin_folios") {
      return Recognition(
        candidates: [.iommufdMemfd], reasons: ["memfd_pin_folios is called: iommufd with a memfd"])
    }
    if let name = calls.keys.sorted().first(where: { $0.hasPrefix("iopt_") || $0.hasPrefix("pfn_reader_") }) {
      return Recognition(candidates: [], reasons: ["\(name) is called: iommufd, but not with a memfd"])
    }
    if has("contig_pages") {
      return Recognition(
        candidates: [.contigPages], reasons: ["contig_pages is called, which only version 5 has"])
    }
    if has("num_pages_contiguous") {
      return Recognition(
        candidates: [.merged], reasons: ["num_pages_contiguous is called, which came with v6.18"])
    }
    if has("vpfn_pages") {
      return Recognition(
        candidates: [.merged, .contigPages],
        reasons: [
          "vpfn_pages is called: v6.18 and later, or version 5 of the patch, which was not merged in that form"
        ])
    }
    if has("vfio_find_vpfn_range") {
      return Recognition(
        candidates: [.folioStep, .patchV1],
        reasons: ["vfio_find_vpfn_range is called and vpfn_pages is not: versions 1 to 4 of the patch"])
    }
    if has("vaddr_get_pfn") && !has("vaddr_get_pfns") {
      return Recognition(
        candidates: [.singlePage],
        reasons: ["vaddr_get_pfn is called, which v5.12 replaced by vaddr_get_pfns"])
    }
    return byRefills(calls, pages)
  }

  /// Nothing in the names decides; the number of refills may.
  private static func byRefills(_ calls: [String: Double], _ pages: Int?) -> Recognition {
    guard let refills = calls["vaddr_get_pfns"], refills > 0 else {
      return Recognition(
        candidates: [],
        reasons: ["neither vaddr_get_pfns nor any other function of the pinning loop is seen: trace deeper"])
    }
    if let pages, pages > 1, refills >= Double(pages) {
      return Recognition(
        candidates: [.perPage, .singlePage],
        reasons: ["vaddr_get_pfns is called once a page: batches of one, so disable_hugepages is set"])
    }
    if let lookups = calls["vfio_find_vpfn"], let pages, lookups >= Double(pages) * 0.99 {
      return Recognition(candidates: [.perPage], reasons: ["vfio_find_vpfn is called once a page"])
    }
    return Recognition(
      candidates: [.perPage, .patchV1, .folioStep],
      reasons: [
        "vaddr_get_pfns is called: v5.12 or later",
        "vpfn_pages is not, which v6.18 calls in every turn unless the compiler inlined it",
        "of these only per-page was ever in a release",
      ])
  }

  /// A symbol without what compilers append.
  static func plain(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let appended = ["isra", "constprop", "part", "cold", "llvm"]
    guard let place = parts.dropFirst().firstIndex(where: { appended.contains(String($0)) }) else {
      return name
    }
    return parts[..<place].joined(separator: ".")
  }
}

/// Which operations a callee of the map does, so that its time in a nested trace is an observation of its own.
public enum Callee {
  /// nil: no function that the model prices.
  ///
  /// GUP's functions stand for all that they call. Of `vfio_pin_pages_remote` it is the self time, with `vpfn_pages`
  /// where that was not inlined.
  public static func operations(of name: String) -> [Operation]? {
    switch Recognition.plain(name) {
    case "vaddr_get_pfns", "vaddr_get_pfn", "pin_user_pages_remote":
      [.refills, .leafWalks, .longtermLookups, .pointersStored]
    case "vfio_pin_pages_remote": [.loopTurns, .reservedTests, .vpfnLookups, .pointerCompares]
    case "vpfn_pages", "vfio_find_vpfn", "vfio_find_vpfn_range": [.vpfnLookups]
    case "num_pages_contiguous", "contig_pages": [.pointerCompares]
    case "vfio_lock_acct": [.lockAccts]
    case "iommu_map": [.iommuMaps]
    case "iommu_iova_to_phys": [.iovaWalks]
    case "iommu_unmap", "iommu_unmap_fast": [.iommuUnmaps]
    default: nil
    }
  }
}

extension OperationCounts {
  /// Only these operations; the others 0.
  public func only(_ operations: [Operation]) -> OperationCounts {
    var counts = OperationCounts()
    for operation in operations { counts[operation] = self[operation] }
    return counts
  }
}
