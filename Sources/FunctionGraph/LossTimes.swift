/// When events were last lost on each CPU, by the number of the event that says so.
struct LossTimes {
  /// Those of the first buffer's CPUs, by their number: every loss is looked up a few times.
  private var direct: [UInt64] = []
  private static let mostDirect: Int32 = 1 << 10
  private var others: [CallBuilder.CPUKey: UInt64] = [:]

  /// 0 where none were lost.
  subscript(key: CallBuilder.CPUKey) -> UInt64 {
    if Self.isDirect(key) { return Int(key.cpu) < direct.count ? direct[Int(key.cpu)] : 0 }
    return others.isEmpty ? 0 : others[key] ?? 0
  }

  mutating func set(_ key: CallBuilder.CPUKey, _ time: UInt64) {
    if Self.isDirect(key) {
      while direct.count <= Int(key.cpu) { direct.append(0) }
      direct[Int(key.cpu)] = time
      return
    }
    var key = key
    if others.count >= CallBuilder.cpusLimit, others[key] == nil {
      // No machine has so many CPUs: from here on a loss may have been anyone's.
      removeAll()
      key.cpu = -1
    }
    others[key] = time
  }

  mutating func removeAll() {
    direct.removeAll()
    others.removeAll()
  }

  private static func isDirect(_ key: CallBuilder.CPUKey) -> Bool {
    key.buffer == 0 && key.column == 0 && key.cpu >= 0 && key.cpu < mostDirect
  }
}
