import Codecs
import Formats
import LogQL
import Telemetry

/// How much there is of what (Loki, HTTP API, "Query log statistics", "Query log volume"). Where Loki estimates from its index, these figures
/// are exact.
struct LokiVolumeRoutes {
    let store: any TelemetryStore
    let time: TimeSource

    /// Series or label names that one answer may count.
    private static let volumeCountMax = 100_000

    var routes: [Route] {
        [
            .form("/loki/api/v1/index/stats", scope: .query, errors: .loki) { try await statistics($0) },
            .form("/loki/api/v1/index/volume", scope: .query, errors: .loki) { try await volume($0, isRange: false) },
            .form("/loki/api/v1/index/volume_range", scope: .query, errors: .loki) { try await volume($0, isRange: true) },
        ]
    }

    private func statistics(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let matchers = try parameters.matchers()
        let range = try parameters.closedRange()
        let streams = try await store.streams(.logs, matching: matchers, in: range)
        var (seen, entries, bytes): (Set<StreamID>, Int, Int) = ([], 0, 0)
        try await store.scan(ScanRequest(signal: .logs, streams: streams, range: range, columns: .line)) { block in
            try Task.checkCancellation()
            guard case .logs(let columns) = block.columns else { return .continue }
            seen.insert(block.stream.id)
            entries += block.count
            bytes += columns.bytes.count
            return .continue
        }
        var json = JSONWriter()
        json.beginObject()
        json.field("streams", seen.count)
        // A stream's rows within the range stand for its chunks: there are no chunks here.
        json.field("chunks", seen.count)
        json.field("bytes", bytes)
        json.field("entries", entries)
        json.endObject()
        return .json(json.bytes)
    }

    /// What an answer's figures are told apart by.
    private struct Grouping {
        /// nil: all labels.
        var names: Set<String>?
        var isBySeries: Bool

        func keys(_ labels: Labels) -> [Labels] {
            let kept = names.map { labels.keeping($0) } ?? labels
            if isBySeries { return [kept] }
            // A label name alone, as Loki has it: without a value.
            return kept.pairs.map { Labels(sorted: [Label($0.name, "")]) }
        }
    }

    private func volume(_ call: Call, isRange: Bool) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        var limit = try parameters.integer("limit") ?? 100
        if limit == 0 { limit = 100 }
        guard limit > 0 else { throw APIError(.badRequest, "limit must be a positive value") }
        let isBySeries: Bool
        switch parameters.form.nonEmpty("aggregateBy") {
        case nil, "series": isBySeries = true
        case "labels": isBySeries = false
        default: throw APIError(.badRequest, "invalid aggregation option")
        }
        var matchers = try parameters.matchers()
        var grouping = Grouping(names: matchers.isEmpty ? nil : Set(matchers.map(\.name)), isBySeries: isBySeries)
        if let targets = parameters.form.nonEmpty("targetLabels")?.split(separator: ",").map({ $0.trimmed }), !targets.isEmpty {
            grouping.names = Set(targets)
            for target in targets where !matchers.contains(where: { $0.name == target }) {
                matchers.append(LabelMatcher(target, .notEqual, ""))
            }
        }
        let (from, to) = try parameters.range()
        let step = isRange ? try parameters.stepNanoseconds(start: from, end: to) : nil
        let volumes = try await volumes(matchers, grouping, TimeRange(from, to), step)
        let totals = volumes.map { volume in (labels: volume.key, buckets: volume.value, total: volume.value.values.reduce(0, +)) }
        let sorted = totals.sorted { left, right in left.total == right.total ? left.labels < right.labels : left.total > right.total }.prefix(limit)
        let isMatrix = isRange && sorted.contains { $0.buckets.count > 1 }
        return LokiJSON.success { json in
            json.beginObject()
            json.field("resultType", isMatrix ? "matrix" : "vector")
            json.key("result")
            json.array { json in
                for one in sorted {
                    json.beginObject()
                    json.key("metric")
                    json.labels(one.labels)
                    let points = one.buckets.sorted { $0.key < $1.key }
                    if isMatrix {
                        json.key("values")
                        json.array { json in for point in points { LokiJSON.point(point.key, Double(point.value), &json) } }
                    } else {
                        json.key("value")
                        LokiJSON.point(points.first?.key ?? to, Double(points.first?.value ?? 0), &json)
                    }
                    json.endObject()
                }
            }
            json.key("stats")
            LokiStatistics.write(LogQLStatistics(), .zero, &json)
            json.endObject()
        }
    }

    /// Bytes by group and by the end of the step that they lie in; steps begin at multiples of themselves, the last one ends with the range.
    private func volumes(
        _ matchers: [LabelMatcher], _ grouping: Grouping, _ range: TimeRange, _ step: Int64?
    ) async throws -> [Labels: [Int64: Int]] {
        let streams = try await store.streams(.logs, matching: matchers, in: range)
        var volumes: [Labels: [Int64: Int]] = [:]
        var buckets: [Int64: Int] = [:]
        try await store.scan(ScanRequest(signal: .logs, streams: streams, range: range, columns: .line)) { block in
            try Task.checkCancellation()
            guard case .logs(let columns) = block.columns else { return .continue }
            buckets.removeAll(keepingCapacity: true)
            if let step {
                for index in 0..<min(block.count, columns.ends.count) {
                    let start = block.timestamps[index].floorDivided(by: step) &* step
                    let (end, overflow) = start.addingReportingOverflow(step)
                    buckets[overflow ? range.end : min(end, range.end), default: 0] += columns.range(index).count
                }
            } else {
                buckets[range.end] = columns.bytes.count
            }
            for key in grouping.keys(block.stream.labels) {
                volumes[key, default: [:]].merge(buckets) { $0 + $1 }
                guard volumes.count <= Self.volumeCountMax else {
                    throw APIError(.badRequest, "the query hit the max number of series limit (limit: \(Self.volumeCountMax) series)")
                }
            }
            return .continue
        }
        return volumes
    }
}
