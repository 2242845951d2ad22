import Formats
import Query
import Telemetry

/// What is known of one service within a range of time.
struct ServiceSummary: Sendable {
    var name: String
    /// Spans of kind server or consumer: the requests that it answered.
    var requestCount = 0
    var errorCount = 0
    var durations = DurationSketch()
    /// Nanoseconds; nil where no span was seen.
    var lastSeen: Int64?
    var signals: Set<Signal> = []
    /// `telemetry.sdk.language` of its resource.
    var language = ""

    /// Every service that any signal names, by name.
    ///
    /// - Parameter range: nanoseconds.
    static func all(in range: TimeRange, store: any TelemetryStore, context: QueryContext) async throws -> [ServiceSummary] {
        var services: [String: ServiceSummary] = [:]
        let milliseconds = TimeRange(range.start.floorDivided(by: 1_000_000), range.end.floorDivided(by: 1_000_000))
        for (signal, labels) in [
            (Signal.metrics, ["service", "service_name", "job"]), (.logs, ["service", "service_name"]),
            (.profiles, [ProfileType.serviceLabelName, "service"]),
        ] {
            for label in labels {
                for name in try await store.labelValues(label, signal, matching: [], in: signal == .metrics ? milliseconds : range) {
                    services[name, default: ServiceSummary(name: name)].signals.insert(signal)
                }
            }
        }
        let streams = try await store.streams(.spans, matching: [], in: range)
        for stream in streams {
            let name = stream.resource.serviceName
            services[name, default: ServiceSummary(name: name)].signals.insert(.spans)
            if case .string(let language)? = stream.resource.attributes["telemetry.sdk.language"] { services[name]?.language = language }
        }
        try await store.scan(ScanRequest(signal: .spans, streams: streams, range: range, columns: .intrinsics)) { block in
            try context.check()
            try context.read(samples: block.count)
            guard case .spans(let spans) = block.columns else { return .continue }
            let name = block.stream.resource.serviceName
            var service = services[name] ?? ServiceSummary(name: name)
            for span in spans { service.add(span) }
            services[name] = service
            return .continue
        }
        return services.values.sorted { $0.name.utf8Precedes($1.name) }
    }

    private mutating func add(_ span: TraceSpan) {
        lastSeen = max(lastSeen ?? .min, span.start.addingReportingOverflow(span.duration).partialValue)
        guard span.kind == .server || span.kind == .consumer else { return }
        requestCount += 1
        if span.status == .error { errorCount += 1 }
        durations.add(span.duration)
    }
}
