internal import FunctionGraph

/// The part of `StackTally` where a trace's bytes go by.
extension StackTally {
  /// Takes records as long as they are as usual, and stands before the first that is not: one of another kind or task, of
  /// a function or path that the caches do not have, an entry or exit that does not fit the open calls, or one behind
  /// `latest`.
  ///
  /// - the task's open calls, the sums and the tables are pointers in locals; nothing is counted, retained or checked for
  ///   uniqueness a record;
  /// - the path, and with it the function, comes out of a table by one load; an exit is known by its entry's address;
  /// - type and task are told by one compare with those of the last record that was looked at, and the next record's place
  ///   follows from that, not from a load;
  /// - a call's sums are added in one place, that of its path; what belongs to the outermost call is told by `touched`.
  ///
  /// - Parameter last: the time stamp of the record before, converted.
  func skim(_ cursor: inout SubBufferCursor, _ last: inout UInt64, cpu: Int32) {
    guard layout.pid == SkimLayout.usualPid, layout.function == SkimLayout.usualFunction else { return }
    if layout.isUsual {
      skim(&cursor, &last, cpu: cpu, entryDepth: 16, exitDepth: 16, callTime: 24, returnTime: 32)
    } else {
      skim(
        &cursor, &last, cpu: cpu, entryDepth: layout.entryDepth, exitDepth: layout.exitDepth,
        callTime: layout.callTime, returnTime: layout.returnTime)
    }
  }

  @inline(__always)
  private func skim(
    _ cursor: inout SubBufferCursor, _ last: inout UInt64, cpu: Int32, entryDepth: Int, exitDepth: Int,
    callTime: Int, returnTime: Int
  ) {
    guard let task = current, cpu == currentCPU, task.lostBelow == 0, cursor.position < cursor.end,
      cursor.timestamp &+ offset >= last
    else { return }
    let layout = self.layout
    let offset = self.offset
    let stopsAtOthers = self.stopsAtOthers
    let latest = self.latest
    let entry = RecordHead.key(entryHead, pid: currentPID)
    let exit = RecordHead.key(exitHead, pid: currentPID)
    let entryWords = RecordHead.words(entryHead)
    let exitWords = RecordHead.words(exitHead)
    let entrySize = Int(entryWords) &* 4 &+ 4
    let exitSize = Int(exitWords) &* 4 &+ 4
    let behind = cursor.base + cursor.end
    var record = cursor.base + cursor.position
    let start = record
    var time = cursor.timestamp &+ offset
    var hasTaken = false
    var deepest = UInt32(bitPattern: max(self.deepest, 0))

    let functions = self.functions.base
    let nodes = self.nodes.base
    let nodeCache = self.nodeCache.base
    let whole = self.whole.base
    let touched = self.touched.base
    var touchedCount = self.touched.count
    // Nothing of the outermost call is in doubt or put aside: what it comes to can be counted here.
    var isPlain = task.isWhole && task.aside.isEmpty
    let frames = task.frames.base
    var top = task.frames.count &- 1
    let highest = task.frames.capacity &- 1

    while true {
      while true {
        let key = RecordHead.key(of: record)
        let word = UInt32(littleEndian: record.loadUnaligned(as: UInt32.self))
        let newTime = time &+ UInt64(word >> 5)
        let data = record + 4
        let address = UInt64(
          littleEndian: data.loadUnaligned(fromByteOffset: SkimLayout.usualFunction, as: UInt64.self))
        if key == exit {
          let next = record + exitSize
          guard word & 31 == exitWords, next <= behind, newTime <= latest else { break }
          let depth = UInt32(littleEndian: data.loadUnaligned(fromByteOffset: exitDepth, as: UInt32.self))
          let from = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: callTime, as: UInt64.self))
          let to = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: returnTime, as: UInt64.self))
          let duration = Int64(bitPattern: to &- from)
          // `frames[0]` has no address; an exit without one is looked at.
          let frame = frames[top]
          guard frame.address == address, UInt32(bitPattern: frame.depth) == depth, frame.isPartial == 0,
            duration >= 0, top > 0
          else { break }
          let caller = frames + (top &- 1)
          // Where a level is missing in between, callee time is more than a sum.
          guard caller.pointee.skippedTime == 0, top == 1 || frame.depth &- caller.pointee.depth == 1 else {
            break
          }
          top &-= 1
          caller.pointee.calleeTime &+= duration
          let selfTime = duration &- frame.calleeTime
          let node = nodes + Int(frame.node)
          let function = Int(node.pointee.function)
          let sums = functions + function
          sums.pointee.complete &+= 1
          sums.pointee.selfTime &+= selfTime
          let timed = TimedDuration(duration: duration, end: newTime)
          let count = sums.pointee.waitingCount
          if count < sums.pointee.waitingLimit, let waiting = sums.pointee.waiting {
            waiting[Int(count)] = timed
            sums.pointee.waitingCount = count &+ 1
          } else if sums.pointee.isSelected {
            append(timed, function)
          }
          let root = node.pointee.root
          if root != 0 {
            // `touched` has room for every node, and none stands there twice.
            if node.pointee.calls == 0 {
              touched[touchedCount] = frame.node
              touchedCount &+= 1
            }
            node.pointee.calls &+= 1
            node.pointee.total &+= duration
            node.pointee.selfTime &+= selfTime
            if root == frame.node {
              if isPlain {
                for index in 0..<touchedCount {
                  let number = Int(touched[index])
                  whole[number].calls &+= nodes[number].calls
                  whole[number].total &+= nodes[number].total
                  whole[number].selfTime &+= nodes[number].selfTime
                  nodes[number].calls = 0
                  nodes[number].total = 0
                  nodes[number].selfTime = 0
                }
              } else {
                self.touched.setCount(touchedCount)
                endOutermost(task)
                isPlain = true
              }
              touchedCount = 0
            }
          }
          record = next
        } else {
          let next = record + entrySize
          guard key == entry, word & 31 == entryWords, next <= behind, newTime <= latest else { break }
          let depth = UInt32(littleEndian: data.loadUnaligned(fromByteOffset: entryDepth, as: UInt32.self))
          guard depth <= FunctionSieve.deepestPlausible, Int32(bitPattern: depth) > frames[top].depth,
            top < highest
          else { break }
          let parent = frames[top].node
          let child = nodeCache[Self.slot(parent, address)]
          guard child.address == address, child.parent == parent, address != 0 else { break }
          top &+= 1
          frames[top] = Frame(node: child.node, depth: Int32(bitPattern: depth), address: address)
          deepest = max(deepest, depth)
          record = next
        }
        hasTaken = true
        time = newTime
      }
      // The stamps of other events count for nothing, as in `CPUStream.advance`.
      guard !stopsAtOthers, behind - record >= 8 else { break }
      let word = UInt32(littleEndian: record.loadUnaligned(as: UInt32.self))
      let length = Int(word & 31) &* 4
      // 0 wraps around.
      guard UInt(bitPattern: length &- 4) < 28 * 4, length <= behind - record - 4 else { break }
      let type = UInt16(littleEndian: record.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
      guard type != layout.exit, type != layout.entry, type != layout.returnAddressEntry else { break }
      record += 4 &+ length
      time &+= UInt64(word >> 5)
    }
    guard record != start else { return }
    if time < last { needsEvents = true }
    cursor.skip(to: record - cursor.base, time: time &- offset)
    guard hasTaken else { return }
    last = time
    task.frames.setCount(top &+ 1)
    self.touched.setCount(touchedCount)
    self.deepest = max(self.deepest, Int32(bitPattern: deepest))
  }
}
