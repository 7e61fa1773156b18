import FunctionGraph
import Glibc

/// Progress on standard error: only once a run lasts over a second, and only to a terminal unless asked for.
final class Progress: Sendable {
  private struct State {
    var bytes: [Int: (read: UInt64, total: UInt64?)] = [:]
    var lastShown: Double = 0
    var isShown = false
  }

  private let isOn: Bool
  private let start = monotonicSeconds()
  private let state = Guarded(State())

  init(_ when: When?, quiet: Bool) {
    switch when ?? .auto {
    case .always: isOn = true
    case .never: isOn = false
    case .auto: isOn = !quiet && isatty(2) == 1
    }
  }

  var seconds: Double { monotonicSeconds() - start }

  /// How far input number `input` has been read.
  func update(input: Int, read: UInt64, total: UInt64?) {
    guard isOn else { return }
    state.withLock { state in
      state.bytes[input] = (read, total)
      let now = seconds
      guard now > 1, now - state.lastShown > 0.2 else { return }
      state.lastShown = now
      state.isShown = true
      let read = state.bytes.values.reduce(0) { $0 + $1.read }
      let totals = state.bytes.values.compactMap(\.total)
      let mebibytes = read >> 20
      var line = "\rpinstat: \(mebibytes) MiB read"
      if totals.count == state.bytes.count {
        let total = totals.reduce(0, +)
        if total > 0 { line += " (\(min(100, read * 100 / total))%)" }
      }
      line += "\u{1b}[K"
      write(line)
    }
  }

  /// Takes the line away, so that what follows starts clean.
  func finish() {
    state.withLock { state in
      if state.isShown { write("\r\u{1b}[K") }
      state.isShown = false
    }
  }

  private func write(_ text: String) {
    Array(text.utf8).withUnsafeBytes { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }
}

func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
