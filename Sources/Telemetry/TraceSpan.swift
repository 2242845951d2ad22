/// One span of a trace (opentelemetry-proto, trace.proto). Swift has a `Span` of its own, hence the name.
package struct TraceSpan: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        case unspecified = 0
        case `internal` = 1
        case server = 2
        case client = 3
        case producer = 4
        case consumer = 5
    }

    package enum Status: UInt8, Sendable, Hashable {
        case unset = 0
        case ok = 1
        case error = 2
    }

    package struct Event: Sendable, Hashable {
        /// Nanoseconds since the Unix epoch.
        package var timestamp: Int64
        package var name: String
        package var attributes: [Attribute]
        package var droppedAttributesCount: UInt32

        package init(timestamp: Int64, name: String, attributes: [Attribute] = [], droppedAttributesCount: UInt32 = 0) {
            self.timestamp = timestamp
            self.name = name
            self.attributes = attributes
            self.droppedAttributesCount = droppedAttributesCount
        }
    }

    package struct Link: Sendable, Hashable {
        package var traceID: TraceID
        package var spanID: SpanID
        package var traceState: String
        package var attributes: [Attribute]
        package var droppedAttributesCount: UInt32
        package var flags: UInt32

        package init(
            traceID: TraceID, spanID: SpanID, traceState: String = "", attributes: [Attribute] = [],
            droppedAttributesCount: UInt32 = 0, flags: UInt32 = 0
        ) {
            self.traceID = traceID
            self.spanID = spanID
            self.traceState = traceState
            self.attributes = attributes
            self.droppedAttributesCount = droppedAttributesCount
            self.flags = flags
        }
    }

    /// The instrumentation scope: the library that made the span.
    package struct Scope: Sendable, Hashable {
        package var name: String
        package var version: String
        package var attributes: [Attribute]

        package init(name: String = "", version: String = "", attributes: [Attribute] = []) {
            self.name = name
            self.version = version
            self.attributes = attributes
        }
    }

    package var traceID: TraceID
    package var spanID: SpanID
    package var parentID: SpanID
    package var traceState: String
    package var flags: UInt32
    package var name: String
    package var kind: Kind
    /// Nanoseconds since the Unix epoch.
    package var start: Int64
    /// Nanoseconds, ≥ 0.
    package var duration: Int64
    package var status: Status
    package var statusMessage: String
    package var attributes: [Attribute]
    package var events: [Event]
    package var links: [Link]
    package var scope: Scope
    package var droppedAttributesCount: UInt32
    package var droppedEventsCount: UInt32
    package var droppedLinksCount: UInt32

    package init(
        traceID: TraceID, spanID: SpanID, parentID: SpanID = .none, traceState: String = "", flags: UInt32 = 0,
        name: String, kind: Kind = .unspecified, start: Int64, duration: Int64,
        status: Status = .unset, statusMessage: String = "",
        attributes: [Attribute] = [], events: [Event] = [], links: [Link] = [], scope: Scope = Scope(),
        droppedAttributesCount: UInt32 = 0, droppedEventsCount: UInt32 = 0, droppedLinksCount: UInt32 = 0
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.parentID = parentID
        self.traceState = traceState
        self.flags = flags
        self.name = name
        self.kind = kind
        self.start = start
        self.duration = duration
        self.status = status
        self.statusMessage = statusMessage
        self.attributes = attributes
        self.events = events
        self.links = links
        self.scope = scope
        self.droppedAttributesCount = droppedAttributesCount
        self.droppedEventsCount = droppedEventsCount
        self.droppedLinksCount = droppedLinksCount
    }
}
