public import FunctionGraph
public import TraceDat
@_spi(Testing) public import TraceText

// What a fuzz target holds against a reader besides the sanitizer: events stay within the tables that they name.

/// A reader of bytes in memory, which it copies.
public func textReader(_ bytes: [UInt8], blockSize: Int = TextReader.blockSize) -> TextReader {
  var offset = 0
  return TextReader { (block) throws(TraceError) -> Int in
    let count = min(block.count, blockSize, bytes.count - offset)
    bytes.withUnsafeBytes {
      block.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
    }
    offset += count
    return count
  }
}

/// The same, looked through by ranges of this many bytes.
public func textReader(_ bytes: [UInt8], rangeSize: UInt64) -> TextReader {
  TextReader(size: UInt64(bytes.count), jobs: 1, rangeSize: rangeSize) {
    (offset, block) throws(TraceError) -> Int in
    guard offset < UInt64(bytes.count) else { return 0 }
    let count = min(block.count, 300, bytes.count - Int(offset))
    bytes.withUnsafeBytes {
      block.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + count]))
    }
    return count
  }
}

public func datReader(_ bytes: [UInt8]) throws(TraceError) -> DatReader {
  try DatReader(size: UInt64(bytes.count)) { (offset, target) throws(TraceError) -> Int in
    precondition(offset <= UInt64(bytes.count), "asked for bytes behind the end")
    let count = min(target.count, bytes.count - Int(offset))
    bytes.withUnsafeBytes {
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + count]))
    }
    return count
  }
}

/// Everything that a reader has, checked; at most `limit` events.
public func drain(_ reader: inout some EventReader & ~Copyable, limit: Int = .max) throws(TraceError)
  -> [Event]
{
  var events: [Event] = []
  var batch: [Event] = []
  while events.count < limit, try reader.next(&batch) {
    let (functions, comms) = (reader.functions.count, reader.comms.count)
    let buffers = reader.description.buffers.count
    for event in batch {
      precondition(Int(event.function.rawValue) < functions && Int(event.comm.rawValue) < comms)
      precondition(Int(event.previousComm.rawValue) < comms && Int(event.buffer) < buffers)
      precondition(event.cpu >= -1 && event.depth >= -1)
    }
    events += batch
  }
  return events
}
