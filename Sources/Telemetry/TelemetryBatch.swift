/// What one request, scrape or tailed file hands to a store: rows of any of the four signals, and the small state that moves with them.
package struct TelemetryBatch: Sendable {
    package var metrics = MetricBatch()
    package var logs = LogBatch()
    package var spans = SpanBatch()
    package var profiles = ProfileBatch()
    /// Changes of small state that become durable in the same step as the rows: after a crash both are there, or neither. Rows that the
    /// store refuses for their time do not hold them up. Of a key that is named twice the last change counts.
    package var state: [StateChange] = []

    package init() {}

    package var isEmpty: Bool { metrics.isEmpty && logs.isEmpty && spans.isEmpty && profiles.isEmpty && state.isEmpty }
}

/// Samples as columns over a table of series.
package struct MetricBatch: Sendable {
    /// The label sets that the columns refer to. The same set may stand here more than once. A series that came by its handle
    /// has none here; there are none at all where every series did.
    package var series: [Labels] = []
    /// By series: the store's handle where the decoder found it (``SeriesDirectory``). Empty where no directory was asked.
    package private(set) var handles: [SeriesHandle] = []
    /// By series: the key under which the store may enter it. Empty where no directory was asked.
    package private(set) var keys: [SeriesKey?] = []
    /// One row a float sample: the index into ``series``, milliseconds since the epoch, the value.
    package private(set) var sampleSeries: [UInt32] = []
    package private(set) var timestamps: [Int64] = []
    package private(set) var values: [Double] = []
    /// Native histograms, one row each.
    package var histograms: [(series: UInt32, timestamp: Int64, histogram: NativeHistogram)] = []
    /// Since when samples count, for those of which it is known (OpenMetrics' `_created`, OTLP's start time): the sample's series and
    /// timestamp, and milliseconds since the epoch. A store need not keep them.
    package var startTimes: [(series: UInt32, timestamp: Int64, start: Int64)] = []
    package var exemplars: [(series: UInt32, exemplar: Exemplar)] = []
    package var metadata: [MetricMetadata] = []

    package init() {}

    package var isEmpty: Bool { timestamps.isEmpty && histograms.isEmpty && exemplars.isEmpty && metadata.isEmpty }
    /// How many float samples there are.
    package var sampleCount: Int { timestamps.count }

    /// Adds a label set and returns its index.
    package mutating func addSeries(_ labels: Labels) -> UInt32 {
        series.append(labels)
        return UInt32(truncatingIfNeeded: series.count - 1)
    }

    /// Sets the series of a batch to those that a decoder found, all of them.
    package mutating func setSeries(known handles: [SeriesHandle]) {
        (series, self.handles, keys) = ([], handles, [])
    }

    /// Sets the series of a batch to those that a decoder has looked up: for each its handle, or ``SeriesHandle/unknown`` with its labels
    /// and, where they may be entered under one, their key. All three are of one length.
    package mutating func setSeries(_ labels: [Labels], handles: [SeriesHandle], keys: [SeriesKey?]) {
        precondition(labels.count == handles.count && labels.count == keys.count, "one handle and one key a series")
        series = labels
        self.handles = handles
        self.keys = keys
    }

    /// Adds a sample of the series at `index` of ``series``.
    package mutating func append(series index: UInt32, timestamp: Int64, value: Double) {
        sampleSeries.append(index)
        timestamps.append(timestamp)
        values.append(value)
    }

    /// Sets the samples: columns of one length, as ``append(series:timestamp:value:)`` would make them.
    package mutating func setSamples(series: [UInt32], timestamps: [Int64], values: [Double]) {
        precondition(series.count == timestamps.count && series.count == values.count, "one row a sample")
        (sampleSeries, self.timestamps, self.values) = (series, timestamps, values)
    }

    package mutating func reserveCapacity(_ sampleCount: Int) {
        sampleSeries.reserveCapacity(sampleCount)
        timestamps.reserveCapacity(sampleCount)
        values.reserveCapacity(sampleCount)
    }
}

/// Log lines by stream.
package struct LogBatch: Sendable {
    package struct Stream: Sendable {
        package var labels: Labels
        /// Who sent it, where the protocol says (OTLP); its attributes are no labels.
        package var resource: Resource
        package var entries: LogRows

        package init(labels: Labels, resource: Resource = .unknown) {
            self.labels = labels
            self.resource = resource
            entries = LogRows()
        }

        package init(labels: Labels, resource: Resource = .unknown, entries: some Sequence<LogEntry>) {
            self.labels = labels
            self.resource = resource
            self.entries = LogRows(entries)
        }
    }

    package var streams: [Stream] = []

    package init() {}

    package var isEmpty: Bool { streams.allSatisfy(\.entries.isEmpty) }
    package var entryCount: Int { streams.reduce(0) { $0 + $1.entries.count } }
}

/// Spans by resource. A stream of spans is one resource; its labels are ``Resource/labels``.
package struct SpanBatch: Sendable {
    package struct Group: Sendable {
        package var resource: Resource
        package var spans: [TraceSpan]

        package init(resource: Resource, spans: [TraceSpan] = []) {
            self.resource = resource
            self.spans = spans
        }
    }

    package var groups: [Group] = []

    package init() {}

    package var isEmpty: Bool { groups.allSatisfy(\.spans.isEmpty) }
    package var spanCount: Int { groups.reduce(0) { $0 + $1.spans.count } }
}

/// Profiles by stream (labels with ``ProfileType/labelName`` and ``ProfileType/serviceLabelName``).
package struct ProfileBatch: Sendable {
    package struct Stream: Sendable {
        package var labels: Labels
        package var resource: Resource
        package var profiles: [Profile]

        package init(labels: Labels, resource: Resource = .unknown, profiles: [Profile] = []) {
            self.labels = labels
            self.resource = resource
            self.profiles = profiles
        }
    }

    package var streams: [Stream] = []

    package init() {}

    package var isEmpty: Bool { streams.allSatisfy(\.profiles.isEmpty) }
}
