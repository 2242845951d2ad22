import Synchronization
package import Tracing

/// A span being recorded. Ends once; what is said to it later is lost.
package final class ApusSpan: Tracing.Span {
    package let context: ServiceContext
    private let own: SpanContext
    private let queue: SpanQueue?
    /// nil once the span has ended.
    private let state: Mutex<EndedSpan?>
    /// The name outlives the span's end: reading it is allowed then too.
    private let name: Mutex<String>

    init(
        name: String, kind: SpanKind, context: ServiceContext, own: SpanContext, parentID: SpanID?,
        startNanoseconds: UInt64, queue: SpanQueue?
    ) {
        self.context = context
        self.own = own
        self.queue = queue
        self.name = Mutex(name)
        self.state = Mutex(
            queue == nil
                ? nil
                : EndedSpan(
                    context: own, parentID: parentID, name: name, kind: kind, startNanoseconds: startNanoseconds))
    }

    package var isRecording: Bool { state.withLock { $0 != nil } }

    package var operationName: String {
        get { name.withLock { $0 } }
        set { name.withLock { $0 = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0?.attributes ?? [:] } }
        set { state.withLock { $0?.attributes = newValue } }
    }

    package func setStatus(_ status: SpanStatus) {
        state.withLock { $0?.status = status }
    }

    package func addEvent(_ event: SpanEvent) {
        state.withLock { $0?.add(event) }
    }

    package func addLink(_ link: SpanLink) {
        state.withLock { $0?.add(link) }
    }

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        guard isRecording else { return }
        var attributes = attributes
        attributes["exception.type"] = String(reflecting: type(of: error))
        attributes["exception.message"] = "\(error)"
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard var ended = state.withLock({ $0.take() }) else { return }
        ended.name = operationName
        ended.endNanoseconds = max(ended.startNanoseconds, instant().nanosecondsSinceEpoch)
        queue?.append(ended)
    }
}
