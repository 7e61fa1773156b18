internal import Glibc

/// What a trace.dat holds of the kernel besides the events.
struct KernelMetadata {
  /// `events/header_page`, `events/header_event`.
  var headerPage: [UInt8]
  var headerEvent: [UInt8]
  /// `events/ftrace/*/format`: those of the tracers' own events.
  var formats: [[UInt8]]
  /// The names of functions; empty where the kernel hides them.
  var kallsyms: [UInt8]
  var printkFormats: [UInt8]
  /// `PID comm` lines: the names of the tasks that were seen last.
  var savedCmdlines: [UInt8]
  /// The clocks, the buffer's own in brackets.
  var clock: [UInt8]
  /// By CPU: `per_cpu/cpuN/stats`.
  var statistics: [(cpu: Int, text: [UInt8])]
  /// `sysname nodename release machine`, as trace-cmd has it.
  var uname: String

  /// To be read after the events: the command may load modules, and the names of tasks come with them.
  init(_ tree: any TracingTree, prefix: String, kallsyms path: String) throws(CaptureError) {
    do throws(TracingFileError) {
      headerPage = try tree.read("events/header_page")
      headerEvent = (try? tree.read("events/header_event")) ?? []
      formats = []
      for name in tree.names(in: "events/ftrace") {
        let path = "events/ftrace/\(name)/format"
        if tree.exists(path) { formats.append(try tree.read(path)) }
      }
      clock = try tree.read("\(prefix)trace_clock")
    } catch {
      throw .file(error)
    }
    printkFormats = (try? tree.read("printk_formats")) ?? []
    savedCmdlines = (try? tree.read("saved_cmdlines")) ?? []
    statistics = PageCollector.cpus(tree, prefix: prefix).compactMap { cpu in
      (try? tree.read("\(prefix)per_cpu/cpu\(cpu)/stats")).map { (cpu, $0) }
    }
    kallsyms = readFile(path) ?? []
    uname = Self.unameText()
  }

  private static func unameText() -> String {
    var name = utsname()
    guard Glibc.uname(&name) == 0 else { return "Linux" }
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return [text(name.sysname), text(name.nodename), text(name.release), text(name.machine)].joined(
      separator: " ")
  }

  /// Bytes in a sub-buffer of this buffer.
  ///
  /// `buffer_subbuf_size_kb` (Linux 6.8) is the buffer's own; before it every sub-buffer was as header_page tells, a memory
  /// page. What neither tells is a memory page.
  static func pageSize(_ tree: any TracingTree, prefix: String) -> Int {
    let path = "\(prefix)buffer_subbuf_size_kb"
    if tree.exists(path), let text = try? tree.text(path), let kibibytes = Int(text),
      (1...1024).contains(kibibytes)
    {
      return kibibytes << 10
    }
    guard let text = try? tree.text("events/header_page") else { return Int(getpagesize()) }
    for line in text.split(separator: "\n") where line.contains(" data;") {
      var numbers: [Int] = []
      for part in line.split(whereSeparator: { $0 == ";" || $0 == "\t" || $0 == " " }) {
        for key in ["offset:", "size:"] where part.hasPrefix(key) {
          if let number = Int(part.dropFirst(key.count)) { numbers.append(number) }
        }
      }
      if numbers.count == 2, numbers.allSatisfy({ (0...(1 << 20)).contains($0) }) {
        let size = numbers[0] + numbers[1]
        if size >= 256, size & (size - 1) == 0 { return size }
      }
    }
    return Int(getpagesize())
  }
}
