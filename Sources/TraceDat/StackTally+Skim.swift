internal import FunctionGraph

/// The part of `StackTally` where a trace's bytes go by.
extension StackTally {
  /// Takes records as long as they are as usual, and stands before the first that is not: one of another kind or task, of
  /// a function or path that the caches do not have, an entry or exit that does not fit the open calls, or one behind
  /// `latest`.
  ///
  /// - the task's open calls, the sums and the tables are pointers in locals; nothing is counted, retained or checked for
  ///   uniqueness a record;
  /// - function and path come out of tables by one load and one compare each; no name, no hash table with collisions;
  /// - a call's sums are added in one place, that of its path; what belongs to the outermost call is told by `touched`.
  ///
  /// - Parameter last: the time stamp of the record before, converted.
  func skim(_ cursor: inout SubBufferCursor, _ last: inout UInt64, cpu: Int32) {
    guard let task = current, cpu == currentCPU, task.lostBelow == 0, cursor.timestamp &+ offset >= last
    else { return }
    let layout = self.layout
    let offset = self.offset
    let stopsAtOthers = self.stopsAtOthers
    let latest = self.latest
    let pid = currentPID
    let base = cursor.base
    let end = cursor.end
    var position = cursor.position
    var time = cursor.timestamp
    let start = position
    var hasTaken = false
    var deepest = UInt32(bitPattern: max(self.deepest, 0))

    let functions = self.functions.base
    let nodes = self.nodes.base
    let functionCache = self.functionCache.base
    let nodeCache = self.nodeCache.base
    let whole = self.whole.base
    let touched = self.touched.base
    var touchedCount = self.touched.count
    // Nothing of the outermost call is in doubt or put aside: what it comes to can be counted here.
    var isPlain = task.isWhole && task.aside.isEmpty
    let frames = task.frames.base
    var top = task.frames.count &- 1
    let highest = task.frames.capacity &- 1

    while end &- position >= 8 {
      let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      let length = Int(word & 31) &* 4
      guard UInt(bitPattern: length &- 4) < 28 * 4, length <= end &- position &- 4 else { break }
      let record = base + position + 4
      let type = UInt16(littleEndian: record.loadUnaligned(as: UInt16.self))
      let newTime = time &+ UInt64(word >> 5)
      let isExit = type == layout.exit
      guard isExit || type == layout.entry || type == layout.returnAddressEntry else {
        if stopsAtOthers { break }
        position &+= 4 &+ length
        time = newTime
        continue
      }
      // From here on every field that is read lies within the record.
      guard length >= (isExit ? layout.exitLength : layout.entryLength), newTime &+ offset <= latest else {
        break
      }
      let address = UInt64(
        littleEndian: record.loadUnaligned(fromByteOffset: layout.function, as: UInt64.self))
      let process = Int32(
        littleEndian: record.loadUnaligned(fromByteOffset: layout.pid, as: Int32.self))
      let known = functionCache[Self.slot(address)]
      guard process == pid, known.address == address, address != 0 else { break }
      let function = known.function
      if isExit {
        let depth = UInt32(
          littleEndian: record.loadUnaligned(fromByteOffset: layout.exitDepth, as: UInt32.self))
        let from = UInt64(
          littleEndian: record.loadUnaligned(fromByteOffset: layout.callTime, as: UInt64.self))
        let to = UInt64(
          littleEndian: record.loadUnaligned(fromByteOffset: layout.returnTime, as: UInt64.self))
        let duration = Int64(bitPattern: to &- from)
        // `frames[0]` has no function's number.
        let frame = frames[top]
        guard frame.function == function, UInt32(bitPattern: frame.depth) == depth, frame.isPartial == 0,
          duration >= 0
        else { break }
        let caller = frames + (top &- 1)
        // Where a level is missing in between, callee time is more than a sum.
        guard caller.pointee.skippedTime == 0, top == 1 || frame.depth &- caller.pointee.depth == 1 else {
          break
        }
        top &-= 1
        caller.pointee.calleeTime &+= duration
        let selfTime = duration &- frame.calleeTime
        let sums = functions + Int(function)
        sums.pointee.complete &+= 1
        sums.pointee.selfTime &+= selfTime
        if sums.pointee.isSelected {
          let timed = TimedDuration(duration: duration, end: newTime &+ offset)
          let count = sums.pointee.waitingCount
          if let waiting = sums.pointee.waiting, count < sums.pointee.waitingLimit {
            waiting[count] = timed
            sums.pointee.waitingCount = count &+ 1
          } else {
            append(timed, Int(function))
          }
        }
        let node = nodes + Int(frame.node)
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
      } else {
        let depth = UInt32(
          littleEndian: record.loadUnaligned(fromByteOffset: layout.entryDepth, as: UInt32.self))
        guard depth <= FunctionSieve.deepestPlausible, Int32(bitPattern: depth) > frames[top].depth,
          top < highest
        else { break }
        let key = UInt64(frames[top].node) << 32 | UInt64(function)
        let child = nodeCache[Self.slot(key)]
        guard child.key == key else { break }
        top &+= 1
        frames[top] = Frame(node: child.node, function: function, depth: Int32(bitPattern: depth))
        deepest = max(deepest, depth)
      }
      hasTaken = true
      position &+= 4 &+ length
      time = newTime
    }
    guard position != start else { return }
    if time &+ offset < last { needsEvents = true }
    cursor.skip(to: position, time: time)
    guard hasTaken else { return }
    last = time &+ offset
    task.frames.setCount(top &+ 1)
    self.touched.setCount(touchedCount)
    self.deepest = max(self.deepest, Int32(bitPattern: deepest))
  }
}
