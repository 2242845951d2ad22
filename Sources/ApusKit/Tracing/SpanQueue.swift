import Synchronization

/// Ended spans on their way out. Bounded: a collector that does not answer costs memory for this many, then spans.
final class SpanQueue: Sendable {
    /// About half a second of a busy service; some 8 MB at 1 KB a span.
    static let countMax = 8192

    private let spans = Mutex<[EndedSpan]>([])
    private let dropped: PrometheusCounter

    init(dropped: PrometheusCounter) {
        self.dropped = dropped
    }

    func append(_ span: EndedSpan) {
        let isFull = spans.withLock { spans in
            if spans.count >= Self.countMax { return true }
            spans.append(span)
            return false
        }
        if isFull { dropped.increment() }
    }

    /// Counts spans that left the queue and could not be sent.
    func drop(_ count: Int) {
        dropped.increment(by: Int64(count))
    }

    /// Takes out the oldest spans, at most `countMax`.
    func take(atMost countMax: Int) -> [EndedSpan] {
        spans.withLock { spans in
            let taken = Array(spans.prefix(countMax))
            spans.removeFirst(taken.count)
            return taken
        }
    }
}
