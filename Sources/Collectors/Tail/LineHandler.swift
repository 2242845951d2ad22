import Telemetry

/// Turns the lines of one file, container or connection into records: by the stages of a job, or as `apus.yaml` says.
///
/// A value: a copy of it is the state before the lines that it went through since.
package struct LineHandler: Sendable {
    private enum Kind: Sendable {
        case decoder(TailDecoder)
        case stages(StagePipeline)
    }

    private var kind: Kind
    /// Of what goes into the stages.
    private let labels: Labels
    /// The last time given to a line: each gets a later one, for equal lines at one instant would count as one.
    private var lastTimestamp: Int64 = 0

    init(_ decoder: TailDecoder) {
        kind = .decoder(decoder)
        labels = .empty
    }

    /// - Parameter labels: of the target, `filename` among them.
    init(_ pipeline: StagePipeline, labels: Labels) {
        kind = .stages(pipeline)
        self.labels = labels
    }

    /// How long to wait before the next lines.
    var delay: Duration {
        if case .stages(let pipeline) = kind { pipeline.delay } else { .zero }
    }

    /// When ``flush(now:into:)`` has something to do, in nanoseconds since the Unix epoch; nil where nothing is held back.
    var nextFlush: Int64? {
        if case .stages(let pipeline) = kind { pipeline.nextFlush } else { nil }
    }

    /// What is held back, for ``restore(_:)``.
    var checkpoint: [UInt8] {
        switch kind {
        case .decoder(let decoder): decoder.checkpoint
        case .stages(let pipeline): pipeline.checkpoint
        }
    }

    /// - Returns: whether all of it could be read.
    @discardableResult
    mutating func restore(_ checkpoint: [UInt8]) -> Bool {
        if checkpoint.isEmpty { return true }
        switch kind {
        case .decoder(var decoder):
            defer { kind = .decoder(decoder) }
            return decoder.restore(checkpoint)
        case .stages(var pipeline):
            defer { kind = .stages(pipeline) }
            return pipeline.restore(checkpoint)
        }
    }

    mutating func process(_ lines: [LineCutter.Line], now: Int64, into batch: inout DeliveryBatch) {
        switch kind {
        case .decoder(var decoder):
            for entry in decoder.decode(lines, now: now) { batch.append(entry, labels: decoder.labels) }
            kind = .decoder(decoder)
        case .stages(var pipeline):
            var output: [LogRecord] = []
            for line in lines where !line.bytes.isEmpty {
                lastTimestamp = max(lastTimestamp + 1, now)
                pipeline.process(LogRecord(line, labels: labels, timestamp: lastTimestamp), into: &output)
            }
            for record in output { batch.append(record) }
            kind = .stages(pipeline)
        }
    }

    /// Lets go what was held back for long enough.
    mutating func flush(now: Int64, into batch: inout DeliveryBatch) {
        release(into: &batch) { pipeline, output in pipeline.flush(now: now, into: &output) }
    }

    /// Lets everything go: there will be no more lines.
    mutating func finish(into batch: inout DeliveryBatch) {
        if case .decoder(var decoder) = kind {
            for entry in decoder.finish() { batch.append(entry, labels: decoder.labels) }
            kind = .decoder(decoder)
        }
        release(into: &batch) { pipeline, output in pipeline.finish(into: &output) }
    }

    private mutating func release(into batch: inout DeliveryBatch, _ body: (inout StagePipeline, inout [LogRecord]) -> Void) {
        guard case .stages(var pipeline) = kind else { return }
        var output: [LogRecord] = []
        body(&pipeline, &output)
        for record in output { batch.append(record) }
        kind = .stages(pipeline)
    }
}
