import PinningModel

/// Steele, Lea and Flood's SplitMix64: the same memories on every machine.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
}

/// Memories that a process can have and some that are only possible: every kind of extent, sliced and copied folios,
/// neighbours that happen to be adjacent, vpfns, limits.
struct RandomScenario {
  var generator: SplitMix64

  init(seed: UInt64) { generator = SplitMix64(state: seed) }

  mutating func scenario() throws -> Scenario {
    var extents: [Extent] = []
    let count = 1 + generator.below(5)
    while extents.count < count { append(to: &extents) }
    let pages = extents.reduce(0) { $0 + $1.pages }
    let memory = try Memory(start: 0x10_0000, extents)
    let skipped = generator.chance(60) ? 0 : generator.below(min(pages, 700))
    let beyond = generator.chance(3) ? 1 + generator.below(20) : 0
    let left = pages - skipped
    let asked = (generator.chance(60) ? left : 1 + generator.below(left)) + beyond
    let iova: UInt64 = 0x8000_0000
    var container = Container()
    container.domains = generator.chance(80) ? 1 : generator.below(4)
    container.vpfns = vpfns(from: iova >> 12, pages: asked)
    var lock = MemoryLock()
    lock.lockedPages = generator.chance(50) ? 0 : generator.below(1000)
    if generator.chance(25) {
      lock.limit =
        UInt64(lock.lockedPages + generator.below(asked + 100)) * 4096 + UInt64(generator.below(4096))
      lock.hasCapability = generator.chance(15)
    }
    return try Scenario(
      memory: memory,
      request: MapRequest(vaddr: 0x10_0000 + UInt64(skipped) * 4096, iova: iova, size: UInt64(asked) * 4096),
      container: container, memoryLock: lock, gup: generator.pick(GUP.allCases),
      disableHugepages: generator.chance(12))
  }

  private mutating func vpfns(from first: UInt64, pages: Int) -> [Range<UInt64>] {
    guard generator.chance(30) else { return [] }
    var ranges: [Range<UInt64>] = []
    var position = generator.below(pages)
    while position < pages && ranges.count < 6 {
      let length = 1 + generator.below(generator.chance(50) ? 4 : 3000)
      ranges.append(first + UInt64(position)..<first + UInt64(position + length))
      position += length + 1 + generator.below(1500)
    }
    return ranges
  }

  private mutating func append(to extents: inout [Extent]) {
    let roll = generator.below(100)
    let place = (1 << 22) * (1 + generator.below(4000))
    if roll < 2 {
      extents.append(.hole(pages: 1 + generator.below(20)))
    } else if roll < 12 {
      reserved(to: &extents, place)
    } else if roll < 30, let last = extents.last, last.kind == .folios {
      follow(last, in: &extents, place)
    } else {
      extents.append(folios(place))
    }
  }

  private mutating func reserved(to extents: inout [Extent], _ place: Int) {
    var pfn = place
    if generator.chance(30), let last = extents.last, last.kind != .hole { pfn = last.lastPFN + 1 }
    let leaf: FolioSize = generator.chance(70) ? .size4K : .size2M
    var extent = Extent.reserved(
      pages: 1 + generator.below(leaf == .size4K ? 300 : 1200), pfn: pfn, leaf: leaf)
    if leaf == .size2M { extent.offset = pfn % 512 }
    extents.append(extent)
  }

  /// What follows: the folio goes on, it goes on after a page of another, or its neighbour happens to be adjacent.
  private mutating func follow(_ last: Extent, in extents: inout [Extent], _ place: Int) {
    let next = last.lastPFN + 1
    let inFolio = (last.offset + last.pages) % last.folioPages
    var extent = last
    extent.leafPages = generator.chance(50) ? last.leafPages : 1
    extent.pages = 1 + generator.below(700)
    if generator.chance(50) { extent.folioStride = last.folioPages }
    switch generator.below(3) {
    case 0:
      (extent.pfn, extent.offset) = (next, inFolio)
    case 1:
      extents.append(.folios(.size4K, pages: 1, pfn: place))
      extent.pfn = next + (inFolio + 1 < last.folioPages && inFolio > 0 ? 1 : 0)
      extent.offset = inFolio + (extent.pfn - next)
    default:
      extent = folios(next - inFolio + (inFolio > 0 ? last.folioPages : 0))
      if inFolio == 0 && extent.offset == 0 { extent.pfn = next }
    }
    extents.append(extent)
  }

  private mutating func folios(_ head: Int) -> Extent {
    let sizes: [FolioSize] = [
      .size4K, .size4K, .size16K, .size64K, .size64K, .size2M, .size2M, .size2M, .size1G,
    ]
    let size = generator.pick(sizes)
    let strides = [size.pages, 2 * size.pages, 3 * size.pages, -size.pages, -2 * size.pages, 33 * size.pages]
    let stride = generator.chance(35) ? size.pages : generator.pick(strides)
    let offset = generator.chance(60) ? 0 : generator.below(size.pages)
    let length = 1 + generator.below(generator.chance(88) ? 600 : 6000)
    return .folios(
      size, pages: generator.chance(20) ? (length / 512 + 1) * 512 : length, pfn: head + offset,
      offset: offset,
      folioStride: stride, hugetlb: generator.chance(55), leafPages: generator.chance(80) ? nil : 1)
  }
}

extension Extent {
  /// Page frame of the last page, from the definition of an extent.
  var lastPFN: Int {
    let place = offset + pages - 1
    return pfn - offset + place / folioPages * folioStride + place % folioPages
  }
}
