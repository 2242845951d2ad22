package import Telemetry

/// Takes the samples of one round after the other, and turns each round into rows: labels are built once a series, and a series
/// that a round lacks ends with a staleness marker.
///
/// A round brings nearly always the same samples in the same order as the one before. So a sample is first compared with the one
/// that stood in its place, which costs neither a hash nor an allocation; only where that fails is it looked up.
package struct MetricRecorder: Sendable {
    private struct Entry: Sendable {
        let family: MetricFamily
        let owner: MetricOwner?
        let values: [String]
        /// The whole label set under which the series is stored.
        let labels: Labels
        /// The round that had it last.
        var round: UInt64 = 0
        /// Where it stood in the last round.
        var place = 0
        var value = 0.0

        func isOf(_ family: MetricFamily, _ owner: MetricOwner?) -> Bool { self.family === family && self.owner === owner }
    }

    /// Entries keep families and owners alive, so no identity is used twice.
    private struct Key: Hashable {
        let family: ObjectIdentifier
        let owner: ObjectIdentifier?
        let values: [String]

        init(_ family: MetricFamily, _ owner: MetricOwner?, _ values: [String]) {
            self.family = ObjectIdentifier(family)
            self.owner = owner.map { ObjectIdentifier($0) }
            self.values = values
        }
    }

    /// The labels of whoever is measured (`job`, `instance`); they win over those of a sample.
    package let targetLabels: Labels
    /// Whose samples follow; nil where they have no labels but their own.
    var owner: MetricOwner?
    private var entries: [Entry] = []
    private var positions: [Key: Int] = [:]
    /// The entries of this round and of the last, in order.
    private var order: [Int] = []
    private var orderBefore: [Int] = []
    /// Where in ``orderBefore`` the next sample should be.
    private var cursor = 0
    /// Counts from 2, so that an entry that no round had yet (0) was not in the last one either.
    private var round: UInt64 = 2
    private var described: Set<String> = []
    private var descriptions: [MetricMetadata] = []

    /// Samples of this round that were there already: only the first counts.
    package private(set) var duplicateCount = 0
    /// Series of this round that the last one did not have.
    package private(set) var addedCount = 0

    package init(targetLabels: Labels = .empty) {
        self.targetLabels = targetLabels
    }

    /// Samples of this round.
    package var count: Int { order.count }

    package mutating func add(_ family: MetricFamily, _ value: Double) {
        if cursor < orderBefore.count, entries[orderBefore[cursor]].isOf(family, owner) {
            record(value, at: orderBefore[cursor])
        } else {
            record(value, at: position(of: family, []))
        }
    }

    package mutating func add(_ family: MetricFamily, _ first: String, _ value: Double) {
        if cursor < orderBefore.count {
            let position = orderBefore[cursor]
            if entries[position].isOf(family, owner), entries[position].values[0] == first { return record(value, at: position) }
        }
        record(value, at: position(of: family, [first]))
    }

    package mutating func add(_ family: MetricFamily, _ first: String, _ second: String, _ value: Double) {
        if cursor < orderBefore.count {
            let position = orderBefore[cursor]
            if entries[position].isOf(family, owner), entries[position].values[0] == first, entries[position].values[1] == second {
                return record(value, at: position)
            }
        }
        record(value, at: position(of: family, [first, second]))
    }

    package mutating func add(_ family: MetricFamily, _ values: [String], _ value: Double) {
        if cursor < orderBefore.count {
            let position = orderBefore[cursor]
            if entries[position].isOf(family, owner), entries[position].values == values { return record(value, at: position) }
        }
        record(value, at: position(of: family, values))
    }

    /// Tells of a family whose samples come under other names.
    mutating func describe(_ metadata: MetricMetadata) {
        if described.insert(metadata.family).inserted { descriptions.append(metadata) }
    }

    /// Ends the round: its samples, and markers for the series that the last round had and this one has not.
    ///
    /// - Parameter timestamp: of all of them, in milliseconds since the Unix epoch.
    package mutating func finish(at timestamp: Int64) -> MetricBatch {
        var batch = MetricBatch()
        batch.series.reserveCapacity(order.count)
        batch.reserveCapacity(order.count)
        for place in order.indices {
            entries[order[place]].place = place
            Self.append(entries[order[place]].labels, entries[order[place]].value, at: timestamp, to: &batch)
        }
        var hasEnded = false
        for position in orderBefore where entries[position].round != round {
            Self.append(entries[position].labels, Staleness.marker, at: timestamp, to: &batch)
            hasEnded = true
        }
        batch.metadata = descriptions
        descriptions = []
        if hasEnded { forgetEnded() }
        begin()
        return batch
    }

    /// The markers that end every series of the last round.
    package mutating func end(at timestamp: Int64) -> MetricBatch {
        order = []
        return finish(at: timestamp)
    }

    /// The samples of this round as Prometheus' text format 0.0.4 has them, families by name.
    package var text: [UInt8] {
        var text = ExpositionWriter()
        for samples in Dictionary(grouping: order, by: { entries[$0].family.name }).sorted(by: { $0.key < $1.key }) {
            if let metadata = entries[samples.value[0]].family.metadata { text.header(metadata) }
            for position in samples.value {
                text.sample(
                    entries[position].family.name, zip(entries[position].family.labelNames, entries[position].values), entries[position].value)
            }
        }
        return text.bytes
    }

    /// The value of a sample of this round; nil where it was not recorded.
    func value(_ family: MetricFamily, _ values: [String] = []) -> Double? {
        order.first { entries[$0].family === family && entries[$0].values == values }.map { entries[$0].value }
    }

    // MARK: Rounds

    private mutating func begin() {
        (orderBefore, order) = (order, orderBefore)
        order.removeAll(keepingCapacity: true)
        cursor = 0
        round += 1
        (duplicateCount, addedCount) = (0, 0)
    }

    private mutating func record(_ value: Double, at position: Int) {
        guard entries[position].round != round else {
            duplicateCount += 1
            return
        }
        if entries[position].round == round - 1 { cursor = entries[position].place + 1 } else { addedCount += 1 }
        entries[position].round = round
        entries[position].value = value
        order.append(position)
    }

    private mutating func position(of family: MetricFamily, _ values: [String]) -> Int {
        let key = Key(family, owner, values)
        if let known = positions[key] { return known }
        precondition(values.count == family.labelNames.count, "\(family.name) has other labels")
        if let metadata = family.metadata { describe(metadata) }
        positions[key] = entries.count
        entries.append(Entry(family: family, owner: owner, values: values, labels: labels(of: family, values)))
        return entries.count - 1
    }

    /// The target's labels win; what they replace is kept as `exported_NAME`, as in a scrape.
    private func labels(of family: MetricFamily, _ values: [String]) -> Labels {
        var pairs = [Label(Labels.metricName, family.name)]
        for (name, value) in zip(family.labelNames, values) {
            pairs.append(Label(targetLabels[name] == nil ? name : "exported_" + name, value))
        }
        for label in owner?.labels ?? [] where targetLabels[label.name] == nil { pairs.append(label) }
        return Labels(pairs + targetLabels.pairs)
    }

    private mutating func forgetEnded() {
        var kept: [Entry] = []
        kept.reserveCapacity(order.count)
        positions.removeAll(keepingCapacity: true)
        for position in order {
            positions[Key(entries[position].family, entries[position].owner, entries[position].values)] = kept.count
            kept.append(entries[position])
        }
        entries = kept
        order = Array(kept.indices)
    }

    private static func append(_ labels: Labels, _ value: Double, at timestamp: Int64, to batch: inout MetricBatch) {
        batch.append(series: batch.addSeries(labels), timestamp: timestamp, value: value)
    }
}
