package import Query
package import Telemetry

/// Answers questions about profiles from a store.
package struct FlameQLEngine: Sendable {
    let store: any TelemetryStore

    /// Pyroscope's default for `max_nodes`.
    package static let nodeCountDefault = 8_192

    package init(store: any TelemetryStore) {
        self.store = store
    }

    /// Which service has profiles of which type, sorted.
    package func profileTypes(
        in range: TimeRange, context: QueryContext
    ) async throws(QueryError) -> [(service: String, type: ProfileType)] {
        let streams = try await Self.reading { try await store.streams(.profiles, matching: [], in: range) }
        var seen: Set<Labels> = []
        var result: [(service: String, type: ProfileType)] = []
        for stream in streams {
            guard let type = stream.labels[ProfileType.labelName].flatMap({ ProfileType($0) }) else { continue }
            let key = stream.labels.keeping([ProfileType.labelName, ProfileType.serviceLabelName])
            if seen.insert(key).inserted { result.append((stream.labels[ProfileType.serviceLabelName] ?? "", type)) }
        }
        return result.sorted { ($0.service, $0.type.description) < ($1.service, $1.type.description) }
    }

    /// All profiles of a type that a selector names, as one flame graph.
    ///
    /// - Parameters:
    ///   - selector: see ``ProfileSelector``; "" for all.
    ///   - range: nanoseconds.
    package func merge(
        type: ProfileType, selector: String, in range: TimeRange, nodeCountMax: Int = nodeCountDefault, context: QueryContext
    ) async throws(QueryError) -> FlameGraph {
        var graph = FlameGraph(unit: type.sampleUnit)
        var names: [Int] = []
        try await profiles(type: type, selector: selector, in: range, columns: .stacks, context: context) { _, profile in
            names.removeAll(keepingCapacity: true)
            for frame in profile.frames { names.append(graph.nameIndex(frame.function)) }
            for (stack, value) in zip(profile.stacks, profile.values) {
                // An index beyond the frames is damage: the rest of the stack still counts.
                graph.add(stack.lazy.filter { Int($0) < names.count }.map { names[Int($0)] }, value: value)
            }
        }
        return graph.truncated(to: nodeCountMax)
    }

    /// The totals over time: one series for each set of values of the labels grouped by, one point a step (nanoseconds), the sum of
    /// the profiles within it.
    package func series(
        type: ProfileType, selector: String, groupBy names: [String] = [], in range: TimeRange, step: Int64, context: QueryContext
    ) async throws(QueryError) -> [FlameSeries] {
        guard step > 0 else { throw QueryError(.execution, "the step must be positive") }
        guard !range.isEmpty, range.end.subtractingReportingOverflow(range.start).overflow == false,
            (range.end - range.start) / step < Self.stepCountMax
        else { throw QueryError(.execution, "the range has more than \(Self.stepCountMax) steps: make the step longer") }
        let kept = Set(names)
        var totals: [Labels: [Int64: Double]] = [:]
        try await profiles(type: type, selector: selector, in: range, columns: .stacks, context: context) { stream, profile in
            let point = range.start + (profile.timestamp - range.start) / step * step
            totals[stream.labels.keeping(kept), default: [:]][point, default: 0] += profile.values.reduce(0) { $0 + Double($1) }
        }
        return totals.sorted { $0.key < $1.key }.map { labels, points in
            let sorted = points.sorted { $0.key < $1.key }
            return FlameSeries(labels: labels, timestamps: sorted.map(\.key), values: sorted.map(\.value))
        }
    }

    /// As many steps as a chart can use.
    private static let stepCountMax: Int64 = 11_000

    private func profiles(
        type: ProfileType, selector: String, in range: TimeRange, columns: ScanRequest.Columns, context: QueryContext,
        _ body: (TelemetryStream, Profile) -> Void
    ) async throws(QueryError) {
        var matchers = try ProfileSelector(selector).matchers
        matchers.append(LabelMatcher(ProfileType.labelName, .equal, type.description))
        let wanted = matchers
        let streams = try await Self.reading { try await store.streams(.profiles, matching: wanted, in: range) }
        guard !streams.isEmpty else { return }
        let request = ScanRequest(signal: .profiles, streams: streams, range: range, order: .byStream, columns: columns)
        try await Self.reading {
            try await store.scan(request) { block in
                try context.check()
                try context.read(samples: block.count)
                guard case .profiles(let profiles) = block.columns else { return .continue }
                for profile in profiles { body(block.stream, profile) }
                return .continue
            }
        }
    }

    private static func reading<Result>(_ body: () async throws -> Result) async throws(QueryError) -> Result {
        do {
            return try await body()
        } catch let error as QueryError {
            throw error
        } catch let error as StoreError {
            throw QueryError(error.code == .invalidPattern ? .parse : .storage, error.description)
        } catch is CancellationError {
            throw QueryError(.cancelled, "query was canceled")
        } catch {
            throw QueryError(.storage, "\(error)")
        }
    }
}

/// Totals of profiles over time.
package struct FlameSeries: Sendable, Hashable {
    package var labels: Labels
    /// The start of each step: nanoseconds since the Unix epoch.
    package var timestamps: [Int64]
    package var values: [Double]
}
