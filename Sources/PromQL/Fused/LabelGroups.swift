import Telemetry

/// The groups of an aggregation, found by the labels that make them without building a label set for each series.
struct LabelGroups: Sendable {
    private let choice: LabelChoice
    private var positions: [Int: Int] = [:]
    private var cache = LabelGroupCache()
    /// The label sets of the groups, in the order in which they were found.
    private(set) var labels: [Labels] = []
    /// Whether a series has metadata beside its name: without them it may be the same as another.
    private(set) var hasMetadata = false

    init(_ node: PromQLExpression.Aggregation, dropsMetadata: Bool) {
        choice = LabelChoice(names: node.grouping, isWithout: node.isWithout, dropsMetadata: dropsMetadata)
    }

    /// The position of the group that a series belongs to; `isNew` where it is its first.
    mutating func position(of series: Labels) -> (index: Int, isNew: Bool) {
        if choice.isEmpty, !labels.isEmpty {
            noteMetadata(series)
            return (0, false)
        }
        let (known, hasOtherNames) = cache.group(of: series, choice)
        if hasOtherNames { noteMetadata(series) }
        if let known { return (known, false) }
        let found = search(series)
        cache.note(series, found.index, choice)
        return found
    }

    private mutating func search(_ series: Labels) -> (index: Int, isNew: Bool) {
        var hasher = Hasher()
        for pair in series.pairs where choice.keeps(pair.name) {
            if choice.isWithout { hasher.combine(pair.name) }
            hasher.combine(pair.value)
        }
        var hash = hasher.finalize()
        while let position = positions[hash] {
            if isSame(series, labels[position]) { return (position, false) }
            hash &+= 1
        }
        positions[hash] = labels.count
        labels.append(Labels(series.pairs.filter { choice.keeps($0.name) }))
        return (labels.count - 1, true)
    }

    /// The position of a group by its label set.
    mutating func position(ofGroup group: Labels) -> (index: Int, isNew: Bool) {
        if let index = labels.firstIndex(of: group) { return (index, false) }
        labels.append(group)
        return (labels.count - 1, true)
    }

    /// Takes over what another part of the series has shown.
    mutating func note(_ other: LabelGroups) {
        if other.hasMetadata { hasMetadata = true }
    }

    private mutating func noteMetadata(_ series: Labels) {
        guard choice.dropsMetadata, !hasMetadata else { return }
        // They are sorted: `__type__` and `__unit__` come right after what else begins with underscores.
        for pair in series.pairs {
            guard pair.name.utf8.starts(with: "__".utf8) else {
                if pair.name.utf8.first ?? 0 > UInt8(ascii: "_") { break }
                continue
            }
            if pair.name != Labels.metricName, Labels.metadataNames.contains(pair.name) { hasMetadata = true }
        }
    }

    private func isSame(_ series: Labels, _ group: Labels) -> Bool {
        var next = 0
        for pair in series.pairs where choice.keeps(pair.name) {
            guard next < group.pairs.count, group.pairs[next] == pair else { return false }
            next += 1
        }
        return next == group.pairs.count
    }
}

/// The labels that make an aggregation's groups.
struct LabelChoice: Sendable {
    let names: [String]
    let isWithout: Bool
    /// The name and its like are no labels of the series any more.
    let dropsMetadata: Bool

    /// No label: all series are one group.
    var isEmpty: Bool { names.isEmpty && !isWithout }

    func keeps(_ name: String) -> Bool {
        if isWithout { return !names.contains(name) && !Labels.metadataNames.contains(name) }
        guard names.contains(name) else { return false }
        return !(dropsMetadata && Labels.metadataNames.contains(name))
    }
}
