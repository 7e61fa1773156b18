/// A line of a format file: `field:unsigned int depth;  offset:16;  size:4;  signed:0;`.
struct FormatField: Equatable {
  /// Type and name, as in C: `unsigned int depth`, `unsigned long args[]`.
  var declaration: String
  var name: String
  var offset: Int
  var size: Int
  var isSigned: Bool?

  /// - Parameter line: one line without its end; nil is returned for everything that is not exactly of this form.
  init?(line: UnsafeRawBufferPointer) {
    var rest = line[...]
    func drop(_ prefix: StaticString) -> Bool {
      let bytes = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
      guard rest.starts(with: bytes) else { return false }
      rest = rest.dropFirst(bytes.count)
      return true
    }
    func dropBlanks() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }
    /// At most four digits: no format has offsets or sizes beyond a page.
    func number() -> Int? {
      let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
      guard !digits.isEmpty, digits.count <= 5 else { return nil }
      rest = rest[digits.endIndex...]
      return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
    dropBlanks()
    guard drop("field:") else { return nil }
    dropBlanks()
    let declaration = rest.prefix { $0 != 0x3b }
    guard let name = Self.name(in: declaration) else { return nil }
    rest = rest[declaration.endIndex...]
    guard drop(";") else { return nil }
    dropBlanks()
    guard drop("offset:"), let offset = number(), drop(";") else { return nil }
    dropBlanks()
    guard drop("size:"), let size = number(), drop(";") else { return nil }
    dropBlanks()
    var isSigned: Bool?
    if !rest.isEmpty {
      guard drop("signed:"), let value = number(), value <= 1, drop(";") else { return nil }
      isSigned = value == 1
      dropBlanks()
      guard rest.isEmpty else { return nil }
    }
    self.declaration = String(decoding: declaration, as: UTF8.self)
    self.name = name
    self.offset = offset
    self.size = size
    self.isSigned = isSigned
  }

  /// The declared name: words of letters, digits and `_`, stars among them, the last word the name, behind it at most
  /// one pair of brackets. nil for anything else.
  private static func name(in declaration: Slice<UnsafeRawBufferPointer>) -> String? {
    guard declaration.count <= 128 else { return nil }
    var body = declaration
    if body.last == 0x5d {
      guard let open = body.lastIndex(of: 0x5b) else { return nil }
      guard body[(open + 1)...].dropLast().allSatisfy(isWord) else { return nil }
      body = body[..<open]
    }
    guard body.allSatisfy({ isWord($0) || $0 == 0x20 || $0 == 0x2a }) else { return nil }
    let name = body.suffix(while: isWord)
    let type = body[..<name.startIndex]
    guard let first = name.first, !(0x30...0x39 ~= first), name.count <= 64, type.contains(where: isWord)
    else { return nil }
    return String(decoding: name, as: UTF8.self)
  }

  fileprivate static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
    default: false
    }
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate func suffix(while predicate: (UInt8) -> Bool) -> Self {
    var start = endIndex
    while start > startIndex, predicate(self[start - 1]) { start -= 1 }
    return self[start...]
  }
}

/// An event's format file, accepted by a strict grammar: what libtraceevent gets to see is written anew from this and
/// holds no byte of the file that was not understood.
///
///     name: funcgraph_entry
///     ID: 11
///     format:
///         field:unsigned short common_type;   offset:0;   size:2; signed:0;
///         ...
///
///         field:unsigned long func;   offset:8;   size:8; signed:0;
///
///     print fmt: "--> %ps (%u)", (void *)REC->func, REC->depth
struct EventFormatText: Equatable {
  /// A format file larger than this is refused; real ones have some kilobytes.
  static let largest = 64 << 10
  static let mostFields = 64

  var name: String
  var id: UInt16
  /// The fields that all events share, then the event's own.
  var commonFields: [FormatField] = []
  var fields: [FormatField] = []

  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count <= Self.largest else { return nil }
    let lines = text.split(separator: 0x0a, maxSplits: 2 * Self.mostFields, omittingEmptySubsequences: false)
    guard lines.count > 4, let name = Self.value(of: "name: ", in: lines[0], isAllowed: FormatField.isWord),
      let id = Self.value(of: "ID: ", in: lines[1], isAllowed: { 0x30...0x39 ~= $0 }), let id = UInt16(id),
      lines[2].elementsEqual("format:".utf8)
    else { return nil }
    self.name = name
    self.id = id
    var isCommon = true
    var isComplete = false
    for line in lines[3...] {
      if line.isEmpty {
        isCommon = false
      } else if line.starts(with: "print fmt:".utf8) {
        isComplete = true
        break
      } else {
        guard let field = FormatField(line: UnsafeRawBufferPointer(rebasing: line)),
          field.offset + field.size <= 4096, commonFields.count + fields.count < Self.mostFields
        else { return nil }
        if isCommon { commonFields.append(field) } else { fields.append(field) }
      }
    }
    guard isComplete, !commonFields.isEmpty, !fields.isEmpty else { return nil }
  }

  /// The name and the number, of a format whose fields may be of any kind.
  static func heading(_ text: UnsafeRawBufferPointer) -> (name: String, id: UInt16)? {
    let lines = text.prefix(256).split(separator: 0x0a, maxSplits: 2, omittingEmptySubsequences: false)
    guard lines.count > 2, let name = value(of: "name: ", in: lines[0], isAllowed: FormatField.isWord),
      let id = value(of: "ID: ", in: lines[1], isAllowed: { 0x30...0x39 ~= $0 }), let id = UInt16(id)
    else { return nil }
    return (name, id)
  }

  private static func value(
    of key: String, in line: Slice<UnsafeRawBufferPointer>, isAllowed: (UInt8) -> Bool
  ) -> String? {
    guard line.starts(with: key.utf8) else { return nil }
    let value = line.dropFirst(key.utf8.count)
    guard !value.isEmpty, value.count <= 64, value.allSatisfy(isAllowed) else { return nil }
    return String(decoding: value, as: UTF8.self)
  }

  /// The format file again, from the parts, with a print format that says nothing.
  var canonical: String {
    func lines(_ fields: [FormatField]) -> String {
      fields.map { field in
        "\tfield:\(field.declaration);\toffset:\(field.offset);\tsize:\(field.size);"
          + "\tsigned:\(field.isSigned == true ? 1 : 0);\n"
      }.joined()
    }
    return "name: \(name)\nID: \(id)\nformat:\n" + lines(commonFields) + "\n" + lines(fields)
      + "\nprint fmt: \"-\"\n"
  }
}
