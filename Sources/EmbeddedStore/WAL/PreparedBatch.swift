import Telemetry

/// A batch whose streams are slots of the registries: what a log record holds and what a memtable takes.
struct PreparedBatch: Sendable {
    /// Rows of one stream.
    struct Group<Row: Sendable>: Sendable {
        var slot: UInt32
        var rows: [Row]
    }

    /// Log rows of one stream.
    struct LogGroup: Sendable {
        var slot: UInt32
        var rows: LogRows
    }

    /// The slots of ``floatSlots``, ``histograms`` and ``exemplars``; some more than once.
    var metricSlots: [UInt32] = []
    var floatSlots: [UInt32] = []
    var floatTimes: [Int64] = []
    var floatValues: [Double] = []
    var histograms: [(slot: UInt32, timestamp: Int64, histogram: NativeHistogram)] = []
    var exemplars: [(slot: UInt32, exemplar: Exemplar)] = []
    var metadata: [MetricMetadata] = []
    var logs: [LogGroup] = []
    var spans: [Group<TraceSpan>] = []
    var profiles: [Group<Profile>] = []
    var state: [StateChange] = []

    var isEmpty: Bool {
        floatSlots.isEmpty && histograms.isEmpty && exemplars.isEmpty && metadata.isEmpty && logs.isEmpty && spans.isEmpty
            && profiles.isEmpty && state.isEmpty
    }

    /// The slots that rows of a signal name.
    func slots(_ signal: Signal) -> [UInt32] {
        switch signal {
        case .metrics: metricSlots
        case .logs: logs.map(\.slot)
        case .spans: spans.map(\.slot)
        case .profiles: profiles.map(\.slot)
        }
    }

    func rowCount(_ signal: Signal) -> Int {
        switch signal {
        case .metrics: floatSlots.count + histograms.count
        case .logs: logs.reduce(0) { $0 + $1.rows.count }
        case .spans: spans.reduce(0) { $0 + $1.rows.count }
        case .profiles: profiles.reduce(0) { $0 + $1.rows.count }
        }
    }
}
