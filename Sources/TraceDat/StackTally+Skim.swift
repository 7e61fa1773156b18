internal import CVector
internal import FunctionGraph

/// The part of `StackTally` where a trace's bytes go by.
extension StackTally {
  /// Takes records as long as they are as usual, and stands before the first that is not: one of another kind or task, of
  /// a function or path that the caches do not have, an entry or exit that does not fit the open calls, one behind
  /// `latest`, or the first of another turn. It may be in a later page.
  ///
  /// - the task's open calls, the sums and the tables are pointers in locals; nothing is counted, retained or checked for
  ///   uniqueness a record;
  /// - the path, and with it the function, comes out of a table by one load; an exit is known by its entry's address;
  /// - type and task are told by one compare with those of the last record that was looked at, and the next record's place
  ///   follows from that, not from a load;
  /// - a call's sums are added in one place, that of its path; what belongs to the outermost call is told by `touched`;
  /// - a page that follows is entered here, as in `SkimRun`: all functions take 0.96 of the time.
  ///
  /// - Parameters:
  ///   - last: the time stamp of the record before, converted.
  ///   - pages: those that follow, with `last` as the latest time.
  func skim(_ cursor: inout SubBufferCursor, _ last: inout UInt64, lane: Int, _ pages: PageRow) {
    guard layout.pid == SkimLayout.usualPid, layout.function == SkimLayout.usualFunction else { return }
    if !layout.isUsual {
      skimAny(&cursor, &last, lane: lane, pages)
    } else if endsTurnsAtGaps {
      skimToGap(&cursor, &last, lane: lane, pages)
    } else if pages.ahead != 0 {
      skimAhead(&cursor, &last, lane: lane, pages)
    } else {
      skimUsual(&cursor, &last, lane: lane, pages)
    }
  }

  // Functions of their own, so that the compiler makes one of each, with constants.

  @inline(never)
  private func skimUsual(_ cursor: inout SubBufferCursor, _ last: inout UInt64, lane: Int, _ pages: PageRow) {
    skim(
      &cursor, &last, lane: lane, pages, fetches: false, heedsGaps: false, entryDepth: 16, exitDepth: 16,
      callTime: 24,
      returnTime: 32)
  }

  @inline(never)
  private func skimAhead(_ cursor: inout SubBufferCursor, _ last: inout UInt64, lane: Int, _ pages: PageRow) {
    skim(
      &cursor, &last, lane: lane, pages, fetches: true, heedsGaps: false, entryDepth: 16, exitDepth: 16,
      callTime: 24,
      returnTime: 32)
  }

  @inline(never)
  private func skimToGap(_ cursor: inout SubBufferCursor, _ last: inout UInt64, lane: Int, _ pages: PageRow) {
    skim(
      &cursor, &last, lane: lane, pages, fetches: true, heedsGaps: true, entryDepth: 16, exitDepth: 16,
      callTime: 24,
      returnTime: 32)
  }

  @inline(never)
  private func skimAny(_ cursor: inout SubBufferCursor, _ last: inout UInt64, lane: Int, _ pages: PageRow) {
    skim(
      &cursor, &last, lane: lane, pages, fetches: true, heedsGaps: endsTurnsAtGaps,
      entryDepth: layout.entryDepth,
      exitDepth: layout.exitDepth, callTime: layout.callTime, returnTime: layout.returnTime)
  }

  @inline(__always)
  private func skim(
    _ cursor: inout SubBufferCursor, _ last: inout UInt64, lane: Int, _ row: PageRow, fetches: Bool,
    heedsGaps: Bool, entryDepth: Int, exitDepth: Int, callTime: Int, returnTime: Int
  ) {
    guard let task = current, lane == here.number, task.lostBelow == 0, cursor.position < cursor.end,
      cursor.timestamp &+ offset >= last,
      !heedsGaps || cursor.timestamp &+ offset &- last < Turn.gap
        || cursor.timestamp &+ offset < horizon
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
    let ahead = row.ahead
    var pages = row
    var behind = cursor.base + cursor.end
    // Where a record of these sizes may begin.
    var lastEntry = behind - entrySize
    var lastExit = behind - exitSize
    var record = cursor.base + cursor.position
    let start = record
    var time = cursor.timestamp &+ offset
    var lastTaken = last
    var seen = self.seen
    let deepest = self.deepest

    let here = self.here
    let functions = here.functions.base
    let nodes = self.nodes.base
    let nodeCache = here.nodeCache.base
    let whole = self.whole.base
    let touched = self.touched.base
    var touchedCount = self.touched.count
    // Nothing of the outermost call is in doubt or put aside: what it comes to can be counted here.
    var isPlain = task.isWhole && !task.hasAside
    let frames = task.frames.base
    var frame = frames + (task.frames.count &- 1)
    let lastFrame = frames + (task.frames.capacity &- 1)

    while true {
      let first = record
      while true {
        if fetches { BlockAhead.fetch(record, ahead) }
        let key = RecordHead.key(of: record)
        let word = UInt32(littleEndian: record.loadUnaligned(as: UInt32.self))
        let newTime = time &+ UInt64(word >> 5)
        let data = record + 4
        let address = UInt64(
          littleEndian: data.loadUnaligned(fromByteOffset: SkimLayout.usualFunction, as: UInt64.self))
        if key == exit {
          guard word & 31 == exitWords, record <= lastExit, newTime <= latest,
            !heedsGaps || word & UInt32(Turn.gapMask) == 0 || newTime < horizon
          else { break }
          let depth = UInt32(littleEndian: data.loadUnaligned(fromByteOffset: exitDepth, as: UInt32.self))
          let from = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: callTime, as: UInt64.self))
          let to = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: returnTime, as: UInt64.self))
          let duration = Int64(bitPattern: to &- from)
          // `frames[0]` is odd.
          guard frame.pointee.address == address, UInt32(bitPattern: frame.pointee.depth) == depth,
            frame.pointee.oddities == 0, duration >= 0
          else { break }
          let number = frame.pointee.node
          let selfTime = duration &- frame.pointee.calleeTime
          frame -= 1
          frame.pointee.calleeTime &+= duration
          let node = nodes + Int(number)
          let function = functions + Int(node.pointee.function)
          let timed = TimedDuration(duration: duration, end: newTime)
          let next = function.pointee.next
          if next != function.pointee.end {
            next.pointee = timed
            // A line of the cache ahead: there are too many functions for all their durations to stay there.
            pinstat_prefetch_write(next + 4)
            function.pointee.next = next + 1
          } else if function.pointee.isSelected {
            here.append(timed, function - functions)
          }
          // `touched` has room for every node, and none stands there twice.
          if node.pointee.calls == 0, node.pointee.root != 0 {
            touched[touchedCount] = number
            touchedCount &+= 1
          }
          node.pointee.calls &+= 1
          node.pointee.total &+= duration
          node.pointee.selfTime &+= selfTime
          if node.pointee.root == number {
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
          record += exitSize
        } else {
          guard key == entry, word & 31 == entryWords, record <= lastEntry, newTime <= latest,
            !heedsGaps || word & UInt32(Turn.gapMask) == 0 || newTime < horizon
          else { break }
          let depth = UInt32(littleEndian: data.loadUnaligned(fromByteOffset: entryDepth, as: UInt32.self))
          // None is deeper than what `take` has found plausible.
          guard depth == UInt32(bitPattern: frame.pointee.calleeDepth), Int32(bitPattern: depth) <= deepest,
            frame < lastFrame
          else { break }
          let parent = frame.pointee.node
          let child = nodeCache + Self.slot(parent, address)
          guard child.pointee.address == address, child.pointee.parent == parent else { break }
          frame += 1
          frame.pointee = Frame(
            node: child.pointee.node, depth: Int32(bitPattern: depth), address: address, start: newTime)
          record += entrySize
        }
        time = newTime
      }
      if record != first {
        lastTaken = time
        seen = time
      }
      if record == behind {
        // Times as the guard above has them.
        let gap = heedsGaps ? Turn.gap : Turn.noGap
        guard let page = pages.enterNext(behind: lastTaken, offset, gap: gap) else { break }
        record = page.record
        time = page.time &+ offset
        behind = page.end
        lastEntry = behind - entrySize
        lastExit = behind - exitSize
        continue
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
      if heedsGaps, time &- lastTaken >= Turn.gap, time >= horizon { break }
    }
    guard record != start else { return }
    if time < pages.latest { needsEvents = true }
    cursor.turn(by: pages.next - row.next, end: behind)
    cursor.skip(to: record - cursor.base, time: time &- offset)
    last = lastTaken
    self.seen = seen
    task.frames.setCount(frame - frames + 1)
    self.touched.setCount(touchedCount)
  }
}
