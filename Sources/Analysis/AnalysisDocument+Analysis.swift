internal import FoundationEssentials
internal import FunctionGraph
internal import Statistics

// From and to an analysis.

func microseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1_000 }
func nanoseconds(_ microseconds: Double) -> Int64 {
  Int64(exactly: (microseconds * 1_000).rounded()) ?? .max
}

extension AnalysisDocument.Trace {
  /// - Parameters:
  ///   - analysis: of one trace.
  ///   - size: bytes that one call maps, for the throughput.
  ///   - warnings: one sentence each.
  public init(_ analysis: TraceAnalysis, size: UInt64?, warnings: [String]) {
    path = analysis.path
    host = analysis.host.isEmpty ? nil : analysis.host
    bytes = analysis.description.byteCount
    format = analysis.description.format.name
    kernel = analysis.description.kernelRelease
    uname = analysis.description.uname
    writer = analysis.description.writerVersion
    tracer = analysis.description.tracer
    cpus = analysis.description.cpuCount
    buffers = analysis.description.buffers.map {
      .init(name: $0.name, clock: $0.clock, timestampsAreTime: $0.timestampsAreTime, overrun: $0.overrun)
    }
    let quality = analysis.quality
    self.quality = .init(
      calls: quality.calls, losses: quality.losses, lostEvents: quality.lostEvents, nested: quality.isNested,
      deepest: quality.deepest, skipped: quality.skipped,
      diagnosticCounts: Dictionary(
        uniqueKeysWithValues: quality.diagnostics.counts.map { ($0.rawValue, $1) }),
      diagnostics: quality.diagnostics.kept.map {
        var entry = AnalysisDocument.DiagnosticEntry(kind: $0.kind.rawValue, detail: $0.detail)
        switch $0.place {
        case .line(let line): entry.line = line
        case .byte(let byte): entry.byte = byte
        case .whole: break
        }
        return entry
      })
    functions = analysis.functions.map { .init($0, size: size) }
    self.warnings = warnings
  }

  /// The analysis that was stored.
  public func analysis() -> TraceAnalysis {
    var description = TraceDescription(
      format: Self.format(named: format),
      buffers: buffers.map {
        .init(name: $0.name, clock: $0.clock, timestampsAreTime: $0.timestampsAreTime, overrun: $0.overrun)
      })
    description.kernelRelease = kernel
    description.uname = uname
    description.writerVersion = writer
    description.tracer = tracer
    description.cpuCount = cpus
    description.byteCount = bytes
    var quality = TraceQuality()
    quality.calls = self.quality.calls
    quality.losses = self.quality.losses
    quality.lostEvents = self.quality.lostEvents
    quality.isNested = self.quality.nested
    quality.deepest = self.quality.deepest
    quality.skipped = self.quality.skipped
    for entry in self.quality.diagnostics {
      let place: Diagnostic.Place =
        if let line = entry.line { .line(line) } else if let byte = entry.byte { .byte(byte) } else { .whole }
      quality.diagnostics.record(
        Diagnostic.Kind(rawValue: entry.kind) ?? .unsupported, at: place, entry.detail)
    }
    var analysis = TraceAnalysis(
      path: path, description: description, functions: functions.map { $0.durations() }, quality: quality,
      missing: [])
    analysis.host = host ?? hostName(ofUname: uname)
    return analysis
  }

  static func format(named name: String) -> TraceDescription.Format {
    switch name {
    case "trace.dat v6": .traceDat(version: 6, compression: "")
    case "trace.dat v7": .traceDat(version: 7, compression: "")
    case TraceDescription.Format.tracefs.name: .tracefs
    case TraceDescription.Format.traceCmdReport.name: .traceCmdReport
    case TraceDescription.Format.pasted.name: .pasted
    default: .unknownText
    }
  }
}

extension AnalysisDocument.Function {
  init(_ source: FunctionDurations, size: UInt64?) {
    let sample = source.durations
    buffer = source.buffer
    function = source.function.symbol
    module = source.function.module
    count = sample.count
    incomplete = source.incomplete
    complete = source.complete
    unfinished = source.unfinished
    noEntry = source.noEntry
    lost = source.lost
    let quantiles = sample.quantiles([0.5, 0.9, 0.99]).map { $0.map { $0 / 1_000 } }
    minUs = sample.count > 0 ? microseconds(sample.minimum) : nil
    p50Us = quantiles[0]
    p90Us = quantiles[1]
    p99Us = quantiles[2]
    maxUs = sample.count > 0 ? microseconds(sample.maximum) : nil
    meanUs = sample.mean.map { $0 / 1_000 }
    stddevUs = sample.standardDeviation.map { $0 / 1_000 }
    totalUs = microseconds(sample.total)
    selfUs = source.selfTimeCalls > 0 ? microseconds(source.selfTime) : nil
    offCpuUs = source.offCPU.map { microseconds($0.nanoseconds) }
    offCpuCalls = source.offCPU?.calls
    offCpuKnownCalls = source.offCPU?.known
    irqUs = source.interrupts.map { microseconds($0.nanoseconds) }
    irqCalls = source.interrupts?.calls
    irqKnownCalls = source.interrupts?.known
    throughputGibS = size.flatMap { throughput(bytes: $0, nanoseconds: sample.quantile(0.5)) }
    resolutionUs = Double(sample.resolution) / 1_000
    zeroResolutionUs = Double(sample.zeroResolution) / 1_000
    durationsUs = sample.storedDurations.map { $0 / 1_000 }
    sketch = sample.storedSketch.map { stored in
      .init(
        relativeError: stored.sketch.relativeError, zeroCount: stored.sketch.zeroCount,
        binIndexes: stored.sketch.bins.map(\.index), binCounts: stored.sketch.bins.map(\.count),
        squaredDeviationsUs2: stored.moments.squaredDeviations / 1e6)
    }
    if sample.count > 0, let sums = sample.sums {
      summary = .init(
        squaredDeviationsUs2: sums.squaredDeviations / 1e6, relativeError: sums.sketch.relativeError,
        ddsketch: Data(sums.sketch.protobuf).base64EncodedString())
    }
    callees = source.callees.map { table in
      .init(
        parentCalls: table.parentCalls, parentTotalUs: microseconds(table.parentTotal),
        parentSelfUs: microseconds(table.parentSelf),
        parentOffCpuUs: table.parentOffCPU.map(microseconds),
        parentIrqUs: table.parentInterrupts.map(microseconds),
        rows: table.rows.map {
          .init(
            function: $0.function.symbol, module: $0.function.module, calls: $0.calls,
            totalUs: microseconds($0.total), selfUs: microseconds($0.selfTime), level: $0.level,
            offCpuUs: $0.offCPU.map(microseconds), irqUs: $0.interrupts.map(microseconds))
        })
    }
    tree = source.tree.map([AnalysisDocument.TreeNode].init)
    timeline = source.timeline.flatMap(AnalysisDocument.Timeline.init)
  }

  func durations() -> FunctionDurations {
    let resolution = UInt32(clamping: nanoseconds(resolutionUs))
    let zeroResolution = UInt32(clamping: nanoseconds(zeroResolutionUs))
    var sample = DurationSample()
    if let sketch {
      sample = DurationSample(
        count: count, total: nanoseconds(totalUs), minimum: nanoseconds(minUs ?? 0),
        maximum: nanoseconds(maxUs ?? 0), mean: (meanUs ?? 0) * 1_000,
        squaredDeviations: sketch.squaredDeviationsUs2 * 1e6, relativeError: sketch.relativeError,
        zeroCount: sketch.zeroCount, bins: Array(zip(sketch.binIndexes, sketch.binCounts)),
        sampled: durationsUs.map { Double(nanoseconds($0)) }, resolution: resolution,
        zeroResolution: zeroResolution)
    } else {
      for duration in durationsUs {
        let value = nanoseconds(duration)
        sample.add(value, resolution: value == 0 ? zeroResolution : resolution)
      }
    }
    var result = FunctionDurations(
      buffer: buffer, function: FunctionName(symbol: function, module: module), durations: sample)
    result.complete = complete
    result.unfinished = unfinished
    result.noEntry = noEntry
    result.lost = lost
    result.incomplete = incomplete
    result.offCPU = TimeAwaySum(offCpuUs, offCpuCalls, offCpuKnownCalls)
    result.interrupts = TimeAwaySum(irqUs, irqCalls, irqKnownCalls)
    result.callees = callees.map { table in
      CalleeTable(
        parentCalls: table.parentCalls, parentTotal: nanoseconds(table.parentTotalUs),
        parentSelf: nanoseconds(table.parentSelfUs),
        parentOffCPU: table.parentOffCpuUs.map(nanoseconds),
        parentInterrupts: table.parentIrqUs.map(nanoseconds),
        rows: table.rows.map {
          var row = CalleeTable.Row(
            function: FunctionName(symbol: $0.function, module: $0.module), calls: $0.calls,
            total: nanoseconds($0.totalUs), selfTime: nanoseconds($0.selfUs), level: $0.level)
          row.offCPU = $0.offCpuUs.map(nanoseconds)
          row.interrupts = $0.irqUs.map(nanoseconds)
          return row
        })
    }
    result.tree = tree?.calleeTree
    result.timeline = timeline?.callTimeline
    return result
  }
}

/// Bytes over a duration, GiB/s; nil where there is no duration.
public func throughput(bytes: UInt64, nanoseconds: Double?) -> Double? {
  guard let nanoseconds, nanoseconds > 0 else { return nil }
  return Double(bytes) / 1_073_741_824 / (nanoseconds / 1e9)
}
