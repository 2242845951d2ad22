import Tracing

/// What is sent of a span.
struct EndedSpan: Sendable {
    var context: SpanContext
    var parentID: SpanID?
    var name: String
    var kind: SpanKind
    var startNanoseconds: UInt64
    var endNanoseconds: UInt64 = 0
    var attributes: SpanAttributes = [:]
    var status: SpanStatus?
    private(set) var events: [SpanEvent] = []
    private(set) var links: [SpanLink] = []
    private(set) var droppedEventCount = 0
    private(set) var droppedLinkCount = 0

    init(context: SpanContext, parentID: SpanID?, name: String, kind: SpanKind, startNanoseconds: UInt64) {
        self.context = context
        self.parentID = parentID
        self.name = name
        self.kind = kind
        self.startNanoseconds = startNanoseconds
    }

    /// OpenTelemetry's default limit of events and of links a span.
    private static let countMax = 128

    mutating func add(_ event: SpanEvent) {
        if events.count < Self.countMax { events.append(event) } else { droppedEventCount += 1 }
    }

    mutating func add(_ link: SpanLink) {
        if links.count < Self.countMax { links.append(link) } else { droppedLinkCount += 1 }
    }
}
