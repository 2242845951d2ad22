import Codecs
import Logging
import Synchronization
import Telemetry

/// The way of one target's lines through its stages to where they are kept. Lines come in batches, one at a time; each call returns
/// when its lines are durable, together with the target's position.
final class SourcePump: Sendable {
    private struct State: Sendable {
        var pipeline: StagePipeline
        /// Where the source is behind all lines that went through the pipeline.
        var position: [UInt8]?
        var lastTimestamp: Int64 = 0
    }

    private let context: SourceContext
    private let positionKey: String?
    private let state: Mutex<State>
    private let turn = AsyncMutex()

    /// The namespace of positions in the state store.
    static let namespace = "sources"

    init(pipeline: StagePipeline, context: SourceContext, positionKey: String?) {
        self.context = context
        self.positionKey = positionKey
        state = Mutex(State(pipeline: pipeline))
    }

    /// Where the source was when its last lines were kept; what stages held back then is taken up.
    ///
    /// - Returns: nil where there is no position.
    func restore() throws(StoreError) -> [UInt8]? {
        guard let positionKey, let bytes = try context.positions.value(positionKey, in: Self.namespace) else { return nil }
        guard let saved = SavedPosition(bytes) else {
            context.logger.warning("A position cannot be read: the source starts anew", metadata: ["key": .string(positionKey)])
            return nil
        }
        state.withLock { state in
            state.position = saved.position
            if !state.pipeline.restore(saved.checkpoint) {
                context.logger.warning("Lines that stages held back cannot be read any more", metadata: ["key": .string(positionKey)])
            }
        }
        return saved.position
    }

    /// A time for a line that has none: each a later one, for equal lines at one instant would count as one.
    func nextTimestamp() -> Int64 {
        state.withLock { state in
            state.lastTimestamp = max(state.lastTimestamp + 1, context.time.nanoseconds)
            return state.lastTimestamp
        }
    }

    /// Hands over lines.
    ///
    /// - Parameter position: where the source is behind them.
    /// - Returns: false where the task was cancelled before they were kept.
    @discardableResult
    func push(_ records: [LogRecord], position: [UInt8]? = nil) async -> Bool {
        await turn.withLock {
            var output: [LogRecord] = []
            let delay = state.withLock { state -> Duration in
                for record in records { state.pipeline.process(record, into: &output) }
                if let position { state.position = position }
                return state.pipeline.delay
            }
            let isKept = await keep(output, moves: position != nil)
            if delay > .zero { try? await Task.sleep(for: delay) }
            return isKept
        }
    }

    /// Hands over lines that whoever sent them will send again.
    ///
    /// - Throws: ``StoreError`` where they cannot be kept now; then it is as if they had not come.
    func pushOnce(_ records: [LogRecord]) async throws(StoreError) {
        let result = await turn.withLock { () async -> Result<Void, StoreError> in
            var output: [LogRecord] = []
            let before = state.withLock { state -> StagePipeline in
                let before = state.pipeline
                for record in records { state.pipeline.process(record, into: &output) }
                return before
            }
            var batch = DeliveryBatch()
            for record in output { batch.append(record) }
            if batch.isEmpty { return .success(()) }
            do throws(StoreError) {
                count(refused: try await context.delivery.deliver(batch))
                return .success(())
            } catch {
                state.withLock { $0.pipeline = before }
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Lets go what stages have held back for long enough, again and again until the task is cancelled.
    func flushUntilCancelled() async {
        while !Task.isCancelled {
            let due = state.withLock { $0.pipeline.nextFlush } ?? .max
            let wait = due == .max ? Duration.seconds(1) : .nanoseconds(max(10_000_000, due - context.time.nanoseconds))
            guard (try? await Task.sleep(for: min(wait, .seconds(1)))) != nil else { return }
            if due != .max, due <= context.time.nanoseconds { await flush() }
        }
    }

    private func flush() async {
        await turn.withLock {
            var output: [LogRecord] = []
            state.withLock { state in state.pipeline.flush(now: context.time.nanoseconds, into: &output) }
            if !output.isEmpty { _ = await keep(output, moves: true) }
        }
    }

    /// The target has ended for good: lets go what is held back, and forgets its position.
    func finish(forgetsPosition: Bool = false) async {
        await turn.withLock {
            var output: [LogRecord] = []
            state.withLock { state in
                state.pipeline.finish(into: &output)
                if forgetsPosition { state.position = nil }
            }
            if !output.isEmpty || forgetsPosition { _ = await keep(output, moves: true) }
        }
    }

    private func keep(_ records: [LogRecord], moves: Bool) async -> Bool {
        var batch = DeliveryBatch()
        for record in records { batch.append(record) }
        if moves, let positionKey {
            let value = state.withLock { state in
                state.position.map { SavedPosition(position: $0, checkpoint: state.pipeline.checkpoint).encoded }
            }
            batch.positions.append(StateChange(Self.namespace, positionKey, value))
        }
        if batch.isEmpty { return true }
        let refused = await context.delivery.deliverPatiently(batch) { error, count in
            guard count == 1 else { return }
            context.logger.warning("Log lines could not be kept: trying again", metadata: ["job": "\(context.job)", "error": "\(error)"])
        }
        guard let refused else { return false }
        count(refused: refused)
        return true
    }

    private func count(refused: Int) {
        guard refused > 0 else { return }
        context.metrics.dropped(refused, reason: "out_of_bounds")
        context.logger.warning("Log lines were refused for their time", metadata: ["job": "\(context.job)", "count": "\(refused)"])
    }
}

/// A source's position, and what its stages held back there.
struct SavedPosition: Equatable {
    var position: [UInt8]
    var checkpoint: [UInt8]

    init(position: [UInt8], checkpoint: [UInt8]) {
        self.position = position
        self.checkpoint = checkpoint
    }

    var encoded: [UInt8] {
        var writer = ProtobufWriter()
        writer.bytes(1, position, always: true)
        writer.bytes(2, checkpoint)
        return writer.bytes
    }

    init?(_ bytes: [UInt8]) {
        let span = bytes.span
        var (position, checkpoint) = ([UInt8]?.none, [UInt8]())
        do throws(DecodeError) {
            var reader = ProtobufReader(span)
            while let field = try reader.next(in: span) {
                switch field.number {
                case 1: position = try field.bytes("position", in: span)
                case 2: checkpoint = try field.bytes("checkpoint", in: span)
                default: break
                }
            }
        } catch { return nil }
        guard let position else { return nil }
        self.init(position: position, checkpoint: checkpoint)
    }
}

extension DeliveryBatch {
    /// Adds a record that came out of the stages.
    mutating func append(_ record: LogRecord) {
        append(
            LogEntry(timestamp: record.timestamp, line: record.line, metadata: record.metadata), labels: record.labels,
            tenant: record.tenant)
    }
}
