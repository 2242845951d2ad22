import Telemetry

/// One trace: its spans, and who called whom.
struct TraceTree {
    let id: TraceID
    /// By start, each span once.
    private(set) var spans: [TraceSpan] = []
    /// The resource of each span.
    private(set) var resources: [Resource] = []
    /// The index of each span's parent, where it is there.
    private(set) var parents: [Int?] = []
    private(set) var children: [[Int]] = []
    /// Numbers such that a span's descendants lie between its own two; 0 where a span stands in a circle.
    private(set) var left: [Int] = []
    private(set) var right: [Int] = []
    /// The first span without a parent that is there; one that has none at all comes first.
    private(set) var root: Int?
    private(set) var start: Int64 = 0
    private(set) var end: Int64 = 0

    init(id: TraceID, groups: [SpanBatch.Group]) {
        self.id = id
        var all: [(span: TraceSpan, resource: Resource)] = []
        for group in groups { for span in group.spans { all.append((span, group.resource)) } }
        all.sort { ($0.span.start, $0.span.spanID) < ($1.span.start, $1.span.spanID) }
        var indexes: [SpanID: Int] = [:]
        for (span, resource) in all {
            // A retried export brings a span twice.
            if let index = indexes[span.spanID], spans[index].kind == span.kind, spans[index].start == span.start {
                continue
            }
            if indexes[span.spanID] == nil { indexes[span.spanID] = spans.count }
            spans.append(span)
            resources.append(resource)
        }
        children = [[Int]](repeating: [], count: spans.count)
        for (index, span) in spans.enumerated() {
            let parent = span.parentID.isNone ? nil : indexes[span.parentID]
            let isOwn = parent == index
            parents.append(isOwn ? nil : parent)
            if let parent, !isOwn { children[parent].append(index) }
        }
        root = spans.indices.first { spans[$0].parentID.isNone } ?? spans.indices.first { parents[$0] == nil }
        start = spans.first?.start ?? 0
        end = spans.map { $0.start &+ $0.duration }.max() ?? 0
        number()
    }

    /// Numbers the spans in the order of a walk from the roots.
    private mutating func number() {
        left = [Int](repeating: 0, count: spans.count)
        right = left
        var counter = 0
        for root in spans.indices where parents[root] == nil {
            var stack = [(index: root, isLeaving: false)]
            while let (index, isLeaving) = stack.popLast() {
                counter += 1
                if isLeaving {
                    right[index] = counter
                    continue
                }
                left[index] = counter
                stack.append((index, true))
                for child in children[index].reversed() { stack.append((child, false)) }
            }
        }
    }

    func isAncestor(_ ancestor: Int, of descendant: Int) -> Bool {
        left[ancestor] > 0 && left[ancestor] < left[descendant] && right[descendant] < right[ancestor]
    }

    var rootName: String { root.map { spans[$0].name } ?? "" }
    var rootServiceName: String { root.map { resources[$0].serviceName } ?? "" }
    /// Nothing above it is missing.
    var hasTrueRoot: Bool { root.map { spans[$0].parentID.isNone } ?? false }
}
