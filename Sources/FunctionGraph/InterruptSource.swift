/// The kernel's pairs of events that stand around an interrupt: where `NAME_entry` and `NAME_exit` are recorded, what lies
/// between them is the interrupt's time.
///
/// Pairs are told apart by their number in `all`, so that an exit closes no other pair's entry.
public enum InterruptSource {
  /// System and name without `_entry` and `_exit`: include/trace/events/irq.h and ipi.h,
  /// arch/x86/include/asm/trace/irq_vectors.h, arch/powerpc/include/asm/trace.h. Tasklets run inside softirqs.
  package static let all: [(system: String, name: String)] = [
    ("irq", "irq_handler"), ("irq", "softirq"), ("ipi", "ipi"),
    ("irq_vectors", "local_timer"), ("irq_vectors", "reschedule"), ("irq_vectors", "call_function"),
    ("irq_vectors", "call_function_single"), ("irq_vectors", "irq_work"),
    ("irq_vectors", "x86_platform_ipi"), ("irq_vectors", "thermal_apic"),
    ("irq_vectors", "threshold_apic"), ("irq_vectors", "deferred_error_apic"),
    ("irq_vectors", "error_apic"), ("irq_vectors", "spurious_apic"),
    ("powerpc", "irq"), ("powerpc", "timer_interrupt"), ("powerpc", "doorbell"),
  ]
  /// The arrows that the function graph tracer prints around an interrupt's functions in text.
  package static let arrow = UInt8(all.count)

  /// - Parameter name: without `_entry` and `_exit`.
  package static func number(of name: UnsafeRawBufferPointer) -> UInt8? {
    all.firstIndex { name.elementsEqual($0.name.utf8) }.map { UInt8($0) }
  }
}
