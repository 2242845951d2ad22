import Telemetry

/// Where some days' streams are: those in memory under their slots, the others in sealed files.
struct IndexSources {
    let registry: StreamRegistry
    var members = Bitmap()
    var segments: [IndexSegment] = []

    init(registry: StreamRegistry) {
        self.registry = registry
    }
}

/// Matchers, and what streams satisfy them. Memory is asked once for all days, each sealed file by itself.
struct IndexQuestion {
    private let matchers: [CompiledMatcher]

    /// Every stream.
    static var everything: IndexQuestion { IndexQuestion() }

    private init() {
        matchers = []
    }

    init(_ matchers: [LabelMatcher]) throws(StoreError) {
        var compiled: [CompiledMatcher] = []
        for matcher in matchers { compiled.append(try CompiledMatcher(matcher)) }
        self.matchers = compiled
    }

    /// The streams, each once, in the order of ids: the order in which parts hold them.
    func streams(_ sources: IndexSources, limit: Int?) -> [TelemetryStream] {
        var result = sources.registry.streams(inMemory(sources), limit: limit)
        var sourceCount = result.isEmpty ? 0 : 1
        var hasDisplaced = !sources.segments.isEmpty && sources.registry.hasAmbiguous
        forEachSegment(sources) { reader in
            hasDisplaced = hasDisplaced || reader.hasDisplaced
            let found = reader.streams(reader.matching(matchers), limit: limit)
            if found.isEmpty { return }
            result += found
            sourceCount += 1
        }
        if sourceCount > 1 { result = Self.distinct(result, sources.registry, hasDisplaced: hasDisplaced) }
        if let limit, result.count > limit { result.removeLast(result.count - max(0, limit)) }
        return result
    }

    func labelNames(_ sources: IndexSources) -> [String] {
        var names: Set<String> = []
        sources.registry.labelNames(inMemory(sources), into: &names)
        forEachSegment(sources) { reader in
            reader.labelNames(matchers.isEmpty ? nil : reader.matching(matchers), into: &names)
        }
        return names.sorted { $0.utf8Precedes($1) }
    }

    func labelValues(_ name: String, _ sources: IndexSources) -> [String] {
        var values: Set<String> = []
        sources.registry.labelValues(name, inMemory(sources), into: &values)
        forEachSegment(sources) { reader in
            reader.labelValues(name, matchers.isEmpty ? nil : reader.matching(matchers), into: &values)
        }
        return values.sorted { $0.utf8Precedes($1) }
    }

    /// Counts every stream once, by its id.
    func tally(_ sources: IndexSources) -> CardinalityTally {
        var tally = CardinalityTally()
        var hasDisplaced = !sources.segments.isEmpty && sources.registry.hasAmbiguous
        forEachSegment(sources) { hasDisplaced = hasDisplaced || $0.hasDisplaced }
        if hasDisplaced {
            // A stream's id says nothing then.
            for stream in streams(sources, limit: nil) {
                tally.streamCount += 1
                for label in stream.labels.pairs { tally.add(label.name, label.value, 1) }
            }
            return tally
        }
        let inMemory = inMemory(sources)
        sources.registry.count(inMemory, into: &tally)
        var counted = sources.segments.isEmpty ? [] : sources.registry.ids(inMemory.values).sorted()
        forEachSegment(sources) { reader in
            let positions = reader.matching(matchers)
            let ids = reader.ids()
            var (new, next) = ([UInt32](), 0)
            for position in positions.values where Int(position) < ids.count {
                let id = ids[Int(position)]
                while next < counted.count, counted[next] < id { next += 1 }
                if next == counted.count || counted[next] != id { new.append(position) }
            }
            reader.count(Bitmap(new), into: &tally)
            counted = Self.merged(counted, new.map { ids[Int($0)] })
        }
        return tally
    }

    private func inMemory(_ sources: IndexSources) -> Bitmap {
        for matcher in matchers { matcher.remembers = !sources.segments.isEmpty }
        return sources.members.isEmpty ? sources.members : sources.registry.matching(matchers, among: sources.members)
    }

    private func forEachSegment(_ sources: IndexSources, _ body: (IndexSegmentReader) -> Void) {
        for segment in sources.segments {
            if let reader = segment.reader() { body(reader) }
        }
    }

    /// Drops what came from several places. A stream has one id everywhere, but for the rare ones whose labels have one hash.
    private static func distinct(_ streams: [TelemetryStream], _ registry: StreamRegistry, hasDisplaced: Bool) -> [TelemetryStream] {
        let signal = registry.signal
        let keys = streams.map { hasDisplaced ? registry.hash(signal, $0.labels, $0.resource) : $0.id.value }
        var kept: [Int] = []
        kept.reserveCapacity(streams.count)
        for index in streams.indices.sorted(by: { (keys[$0], $0) < (keys[$1], $1) }) {
            let stream = streams[index]
            var last = kept.count - 1
            while last >= 0, keys[kept[last]] == keys[index], !streams[kept[last]].isSame(as: stream.labels, stream.resource, signal) { last -= 1 }
            if last < 0 || keys[kept[last]] != keys[index] { kept.append(index) }
        }
        return kept.map { streams[$0] }.sorted { $0.id < $1.id }
    }

    /// Two ascending sequences as one.
    private static func merged(_ left: [UInt64], _ right: [UInt64]) -> [UInt64] {
        if left.isEmpty || right.isEmpty { return left + right }
        var (result, l, r) = ([UInt64](), 0, 0)
        result.reserveCapacity(left.count + right.count)
        while l < left.count || r < right.count {
            if r == right.count || (l < left.count && left[l] <= right[r]) {
                result.append(left[l])
                l += 1
            } else {
                result.append(right[r])
                r += 1
            }
        }
        return result
    }
}
