/// Which labels make a signal's streams many: what a status page shows.
package struct Cardinality: Sendable, Hashable {
    /// A name and a number.
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var count: Int

        package init(_ name: String, _ count: Int) {
            self.name = name
            self.count = count
        }
    }

    package var streamCount = 0
    /// Distinct pairs of name and value.
    package var labelPairCount = 0
    /// Streams by metric name (of logs and profiles: by service), most first.
    package var streamsByGroup: [Entry] = []
    /// Distinct values by label name, most first.
    package var valuesByLabel: [Entry] = []
    /// Bytes of the distinct values by label name, most first.
    package var bytesByLabel: [Entry] = []
    /// Streams by `name=value`, most first.
    package var streamsByPair: [Entry] = []

    package init() {}
}

/// Adds up what a ``Cardinality`` says: by label name and value, how many streams have it.
package struct CardinalityTally: Sendable {
    package var streamCount = 0
    private var counts: [String: [String: Int]] = [:]

    package init() {}

    package mutating func add(_ name: String, _ value: String, _ count: Int) {
        counts[name, default: [:]][value, default: 0] += count
    }

    /// The figures, each list cut off behind `limit` entries.
    ///
    /// - Parameter group: the label whose values are ``Cardinality/streamsByGroup``.
    package func cardinality(group: String, limit: Int) -> Cardinality {
        var result = Cardinality()
        result.streamCount = streamCount
        result.labelPairCount = counts.values.reduce(0) { $0 + $1.count }
        result.streamsByGroup = Self.top(counts[group] ?? [:], limit)
        result.valuesByLabel = Self.top(counts.mapValues(\.count), limit)
        result.bytesByLabel = Self.top(counts.mapValues { $0.keys.reduce(0) { $0 + $1.utf8.count } }, limit)
        // The pairs of one label are cut off before those of all labels are put together.
        var pairs: [String: Int] = [:]
        for (name, values) in counts {
            for entry in Self.top(values, limit) { pairs["\(name)=\(entry.name)"] = entry.count }
        }
        result.streamsByPair = Self.top(pairs, limit)
        return result
    }

    private static func top(_ counts: [String: Int], _ limit: Int) -> [Cardinality.Entry] {
        var entries = counts.map { Cardinality.Entry($0.key, $0.value) }
        entries.sort { $0.count == $1.count ? $0.name.utf8Precedes($1.name) : $0.count > $1.count }
        return Array(entries.prefix(max(0, limit)))
    }
}

extension Signal {
    /// The label whose value says which metric or service a stream is of.
    package var groupLabelName: String {
        switch self {
        case .metrics: Labels.metricName
        case .logs, .profiles: ProfileType.serviceLabelName
        case .spans: "service.name"
        }
    }
}
