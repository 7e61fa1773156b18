import Foundation
import Testing

/// A directory of plain files in the place of tracefs, with what a real trace.dat of version 6 holds: its formats, its
/// symbols and its ring-buffer pages.
struct FakeTracefs {
  let folder: TemporaryFolder
  var path: String { folder.path + "/tracing" }
  var kallsyms: String { folder.path + "/kallsyms" }

  /// - Parameter name: of a fixture with one buffer.
  init(_ name: String, functions: [String] = ["vfio_pin_map_dma", "vfs_read", "vfs_readv", "vfs_write"])
    throws
  {
    folder = try TemporaryFolder()
    var file = Version6(data: [UInt8](try Tool.fixtureData(name)))
    file.position = 10 + 2 + 1 + 1
    let pageSize = Int(file.number(4))
    file.position += "header_page\0".utf8.count
    try write("events/header_page", file.block(8))
    file.position += "header_event\0".utf8.count
    try write("events/header_event", file.block(8))
    for _ in 0..<file.number(4) {
      let format = file.block(8)
      let name = String(decoding: format.prefix { $0 != 0x0a }.dropFirst("name: ".utf8.count), as: UTF8.self)
      try write("events/ftrace/\(name)/format", format)
    }
    for _ in 0..<file.number(4) {
      while file.data[file.position] != 0 { file.position += 1 }
      file.position += 1
      for _ in 0..<file.number(4) { _ = file.block(8) }
    }
    try Data(file.block(4)).write(to: URL(fileURLWithPath: kallsyms))
    try write("printk_formats", file.block(4))
    try write("saved_cmdlines", file.block(8))
    let cpus = file.number(4)
    file.position += "options  \0".utf8.count
    while file.number(2) != 0 { _ = file.block(4) }
    file.position += "flyrecord\0".utf8.count
    for cpu in 0..<cpus {
      let offset = file.number(8)
      let size = file.number(8)
      try write("per_cpu/cpu\(cpu)/trace_pipe_raw", Array(file.data[offset..<offset + size]))
      try write("per_cpu/cpu\(cpu)/stats", Array("entries: 0\noverrun: 0\n".utf8))
    }
    #expect(pageSize == 4096)

    for (path, text) in [
      ("available_tracers", "blk function_graph function nop\n"), ("current_tracer", "nop\n"),
      ("tracing_on", "1\n"),
      ("trace_clock", "[local] global counter mono\n"), ("buffer_size_kb", "1408\n"),
      ("trace", "# tracer: nop\n"),
      ("set_ftrace_filter", "#### all functions enabled ####\n"), ("set_ftrace_pid", "no pid\n"),
      ("set_ftrace_notrace_pid", "no pid\n"), ("set_ftrace_notrace", "#### no functions disabled ####\n"),
      ("set_graph_function", "#### all functions enabled ####\n"), ("max_graph_depth", "0\n"),
      ("set_event", ""),
      ("options/function-fork", "0\n"),
      ("available_filter_functions", functions.joined(separator: "\n") + "\n"),
      ("instances/.keep", ""),
    ] { try write(path, Array(text.utf8)) }
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func set(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  /// What a capture could leave changed: every file but the trace, lists by their entries, as the kernel takes an empty one
  /// for its default.
  func picture() throws -> [String: String] {
    var picture: [String: String] = [:]
    for case let name as String in try #require(FileManager.default.enumerator(atPath: path)) {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
      if isFolder.boolValue {
        picture[name] = "folder"
      } else if name != "trace", !name.hasSuffix("raw") {
        let lines = try String(contentsOfFile: path + "/" + name, encoding: .utf8).split(separator: "\n")
        picture[name] = lines.filter { !$0.hasPrefix("####") && $0 != "no pid" }.joined(separator: "\n")
      }
    }
    return picture
  }

  /// The arguments that lead `pinstat record` here.
  var arguments: [String] { ["record", "--tracefs", path, "--kallsyms", kallsyms] }
}

/// Little-endian numbers and blocks of a trace.dat, one after another.
private struct Version6 {
  let data: [UInt8]
  var position = 0

  mutating func number(_ size: Int) -> Int {
    defer { position += size }
    return data[position..<position + size].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  mutating func block(_ sizeWidth: Int) -> [UInt8] {
    let size = number(sizeWidth)
    defer { position += size }
    return Array(data[position..<position + size])
  }
}
