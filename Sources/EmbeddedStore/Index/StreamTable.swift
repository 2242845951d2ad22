import Telemetry

/// The streams of one day and the postings of their labels.
struct StreamTable {
    /// By position; a stream's id is unique in the day.
    private(set) var streams: [TelemetryStream] = []
    private var positions: [UInt64: UInt32] = [:]
    private var names: [String: NamePostings] = [:]
    let signal: Signal

    fileprivate struct NamePostings {
        var all = Bitmap()
        var values: [String: Postings] = [:]
    }

    init(signal: Signal) {
        self.signal = signal
    }

    var count: Int { streams.count }

    /// The day's id of `stream`, where the day has it.
    func id(of stream: TelemetryStream) -> UInt64? {
        var id = stream.id.value
        while let position = positions[id] {
            if streams[Int(position)].isSame(as: stream.labels, stream.resource, signal) { return id }
            id &+= 1
        }
        return nil
    }

    /// The day's id of `stream`, which is added where it is new.
    mutating func add(_ stream: TelemetryStream) -> UInt64 {
        var id = stream.id.value
        while let position = positions[id] {
            if streams[Int(position)].isSame(as: stream.labels, stream.resource, signal) { return id }
            id &+= 1
        }
        var stream = stream
        stream.id = StreamID(id)
        let position = UInt32(truncatingIfNeeded: streams.count)
        positions[id] = position
        for pair in stream.labels.pairs { names[pair.name, default: NamePostings()].insert(pair.value, position) }
        streams.append(stream)
        return id
    }

    /// The positions of the streams that satisfy all matchers.
    func matching(_ matchers: [CompiledMatcher]) -> Bitmap {
        var result: Bitmap?
        for matcher in matchers where !matcher.matchesAbsent {
            let found = streamsWith(matcher, matching: true)
            if result == nil { result = found } else { result?.formIntersection(found) }
            if result?.isEmpty == true { return Bitmap() }
        }
        var rest = result ?? Bitmap(below: streams.count)
        // A matcher that takes an absent label rules out values instead.
        for matcher in matchers where matcher.matchesAbsent { rest.subtract(streamsWith(matcher, matching: false)) }
        return rest
    }

    /// The streams that have the matcher's label with a value for which it says `matching`.
    private func streamsWith(_ matcher: CompiledMatcher, matching: Bool) -> Bitmap {
        guard let name = names[matcher.name] else { return Bitmap() }
        var result = Bitmap()
        if let literals = matcher.literals, matcher.isNegated != matching {
            for literal in literals {
                if let postings = name.values[literal] { result.formUnion(postings) }
            }
            return result
        }
        if let literals = matcher.literals {
            result = name.all
            for literal in literals {
                guard let postings = name.values[literal] else { continue }
                var excluded = Bitmap()
                excluded.formUnion(postings)
                result.subtract(excluded)
            }
            return result
        }
        for (value, postings) in name.values where matcher.matches(value) == matching { result.formUnion(postings) }
        return result
    }

    /// The label names of the streams that match.
    func labelNames(_ matchers: [CompiledMatcher], into result: inout Set<String>) {
        if matchers.isEmpty {
            result.formUnion(names.keys)
            return
        }
        let matching = matching(matchers)
        for (name, postings) in names where !result.contains(name) && postings.all.intersects(matching) { result.insert(name) }
    }

    /// The values of label `name` in the streams that match.
    func labelValues(_ name: String, _ matchers: [CompiledMatcher], into result: inout Set<String>) {
        guard let postings = names[name] else { return }
        if matchers.isEmpty {
            result.formUnion(postings.values.keys)
            return
        }
        let matching = matching(matchers)
        for (value, postings) in postings.values where !result.contains(value) && postings.intersects(matching) { result.insert(value) }
    }
}

extension StreamTable.NamePostings {
    fileprivate mutating func insert(_ value: String, _ position: UInt32) {
        all.insert(position)
        if values[value]?.insert(position) == nil { values[value] = .one(position) }
    }
}
