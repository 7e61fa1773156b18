internal import CVector

/// A line of the kernel's own layout with CPU and duration alone, the tracer's default:
///
///      0) + 33.030 us   |        } /* get_next_timer_interrupt */
///
/// Accepts only what the general parser reads as one call, with the same CPU, depth, name and duration: whatever is
/// refused goes to that one.
struct StrictGraphLayout: Sendable {
  /// Digits of the CPU column, right-aligned (`print_graph_cpu`): 1 to 3.
  let width: Int
  let fronts: GraphFronts

  /// The layout that `line` has, line feed included; nil where it has none of these.
  init?(_ line: UnsafeRawPointer, limit: UnsafeRawPointer) {
    for width in 1...3 where (line + width + 1).load(as: UInt8.self) == UInt8(ascii: ")") {
      let layout = StrictGraphLayout(width: width)
      guard layout.read(line, limit: limit, DurationShapes.kernel) != nil else { return nil }
      self = layout
      return
    }
    return nil
  }

  private init(width: Int) {
    self.width = width
    fronts = GraphFronts.all[width - 1]
  }

  /// - Parameters:
  ///   - line: its first byte, before `limit`.
  ///   - limit: the end of the bytes that were read; `StrictCall.slack` more can be loaded.
  @inline(__always)
  func read(
    _ line: UnsafeRawPointer, limit: UnsafeRawPointer, _ shapes: DurationShapes
  ) -> StrictGraphLine? {
    let head = line.loadUnaligned(as: UInt64.self).littleEndian
    guard UInt8(truncatingIfNeeded: head) == 0x20,
      UInt16(truncatingIfNeeded: head &>> UInt64(truncatingIfNeeded: (width &+ 1) &* 8)) == 0x2029
    else { return nil }
    var cpu: UInt64 = 0
    var hasDigit = false
    for place in 1...width {
      let byte = UInt8(truncatingIfNeeded: head &>> UInt64(truncatingIfNeeded: place &* 8))
      if byte.isDigit {
        cpu = cpu &* 10 &+ UInt64(byte &- 0x30)
        hasDigit = true
      } else {
        guard byte == 0x20, !hasDigit, place < width else { return nil }
      }
    }
    let mark = line + width + 3
    guard let column = shapes.read(mark),
      let call = StrictCall(
        mark + column.width, limit: limit, hasDuration: column.point != DurationShapes.blank)
    else { return nil }
    return StrictGraphLine(cpu: Int32(truncatingIfNeeded: cpu), point: column.point, mark: mark, call: call)
  }
}

struct StrictGraphLine {
  var cpu: Int32
  /// Of the duration, for `DurationShapes.value`.
  var point: Int
  var mark: UnsafeRawPointer
  var call: StrictCall
}

/// The fronts of lines up to the blank behind the parenthesis, ` 12) `, each as one number: a CPU is read by looking up
/// what it would look like.
struct GraphFronts: @unchecked Sendable {
  /// By CPU; what else the digits' low bits may come to looks like nothing.
  let expected: UnsafePointer<UInt64>

  /// For CPU columns of 1, 2 and 3 digits.
  static let all = (1...3).map(GraphFronts.init)

  private init(width: Int) {
    // Never freed: there are three for the whole program. Three times 15 in all places is less.
    let expected = UnsafeMutablePointer<UInt64>.allocate(capacity: 2048)
    expected.initialize(repeating: .max, count: 2048)
    for cpu in 0..<[10, 100, 1000][width - 1] {
      let digits = String(cpu)
      let text = " " + String(repeating: " ", count: width - digits.count) + digits + ") "
      expected[cpu] = text.utf8.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.expected = UnsafePointer(expected)
  }
}
