package import Tracing

/// The tracer that swift-distributed-tracing is given: every trace is kept unless its beginner decided otherwise.
package struct ApusTracer: Tracer {
    package typealias Span = ApusSpan

    /// Where ended spans go; nil: nowhere, ids are handed on all the same.
    let queue: SpanQueue?

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String, file fileID: String, line: UInt
    ) -> ApusSpan {
        var context = context()
        let parent = context.spanContext
        let own = SpanContext(
            traceID: parent?.traceID ?? .random(), spanID: .random(), isSampled: parent?.isSampled ?? true,
            traceState: parent?.traceState ?? "")
        context.spanContext = own
        return ApusSpan(
            name: operationName, kind: kind, context: context, own: own, parentID: parent?.spanID,
            startNanoseconds: instant().nanosecondsSinceEpoch, queue: own.isSampled ? queue : nil)
    }

    @available(*, deprecated, message: "prefer withSpan")
    package func startAnySpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String, file fileID: String, line: UInt
    ) -> any Tracing.Span {
        startSpan(
            operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID, line: line
        )
    }

    /// Does nothing: the exporter sends within half a second, and ``ApusService/flush()`` waits for it.
    @available(*, deprecated)
    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    )
    where Extract.Carrier == Carrier {
        guard let parent = extractor.extract(key: TraceParent.header, from: carrier) else { return }
        if let parsed = TraceParent.parse(parent, state: extractor.extract(key: TraceParent.stateHeader, from: carrier))
        {
            context.spanContext = parsed
        }
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    )
    where Inject.Carrier == Carrier {
        guard let span = context.spanContext else { return }
        injector.inject(TraceParent.text(span), forKey: TraceParent.header, into: &carrier)
        if !span.traceState.isEmpty {
            injector.inject(span.traceState, forKey: TraceParent.stateHeader, into: &carrier)
        }
    }
}
