import Patterns
import Telemetry
import TestSupport

@testable import EmbeddedStore

/// What an index must answer, by trying every matcher on every stream.
struct IndexModel {
    var streams: [Labels] = []

    /// Draws label sets over few names and values, so that matchers meet several.
    static func draw(_ random: inout SplitMix64, count: Int) -> IndexModel {
        var seen: Set<Labels> = []
        while seen.count < count {
            var labels = Labels(["__name__": ["requests", "errors", "up"][Int(random.next() % 3)], "n": "\(random.next() % 200)"])
            if random.next() % 2 == 0 { labels["job"] = ["api", "apis", "db", "é"][Int(random.next() % 4)] }
            if random.next() % 3 == 0 { labels["pod"] = "shop-\(random.next() % 40)" }
            seen.insert(labels)
        }
        return IndexModel(streams: seen.sorted())
    }

    static func drawMatchers(_ random: inout SplitMix64) -> [LabelMatcher] {
        let names = ["__name__", "n", "job", "pod", "absent"]
        let texts = ["", "api", "up", "requests", "shop-1", "7", "é"]
        let expressions = [
            "", ".*", ".+", "api|db", "(api|apis)", "shop-1.*", "shop-[12]", "1?", "re.*|up", "[0-4]+", ".*s", "a?", "^(?:up|errors)$", "1.|2.",
        ]
        return (0..<(1 + random.next() % 3)).map { _ in
            let operation = LabelMatcher.Operation.allCases[Int(random.next() % 4)]
            let isRegular = operation == .matches || operation == .notMatches
            let list = isRegular ? expressions : texts
            return LabelMatcher(names[Int(random.next() % 5)], operation, list[Int(random.next() % UInt64(list.count))])
        }
    }

    func matching(_ matchers: [LabelMatcher]) throws -> [Labels] {
        try streams.filter { labels in
            try matchers.allSatisfy { matcher in
                let value = labels[matcher.name] ?? ""
                switch matcher.operation {
                case .equal: return value.utf8.elementsEqual(matcher.value.utf8)
                case .notEqual: return !value.utf8.elementsEqual(matcher.value.utf8)
                case .matches: return try Pattern("(?s:" + matcher.value + ")").matchesWhole(value)
                case .notMatches: return try !Pattern("(?s:" + matcher.value + ")").matchesWhole(value)
                }
            }
        }
    }
}

extension EmbeddedStore {
    /// Writes one sample of each series.
    func write(_ series: some Sequence<Labels>, at timestamp: Int64) async throws {
        var batch = TelemetryBatch()
        for labels in series {
            let index = batch.metrics.addSeries(labels)
            batch.metrics.append(series: index, timestamp: timestamp, value: 1)
        }
        try await append(batch)
    }

    /// Holds the answers to drawn questions against the model's.
    func compare(_ model: IndexModel, _ random: inout SplitMix64, questions: Int) async throws -> [String] {
        var differences: [String] = []
        for _ in 0..<questions {
            let matchers = IndexModel.drawMatchers(&random)
            let wanted = try model.matching(matchers)
            let found = try await streams(.metrics, matching: matchers, in: .all)
            if found.map(\.labels).sorted() != wanted.sorted() { differences.append("streams \(matchers): \(found.count) of \(wanted.count)") }
            if found.map(\.id) != found.map(\.id).sorted() { differences.append("order of \(matchers)") }
            let names = Set(wanted.flatMap { $0.pairs.map(\.name) }).sorted()
            if try await labelNames(.metrics, matching: matchers, in: .all) != names { differences.append("names \(matchers)") }
            let values = wanted.compactMap { $0["n"] }
            if try await Set(labelValues("n", .metrics, matching: matchers, in: .all)) != Set(values) { differences.append("values \(matchers)") }
            let cardinality = try await cardinality(.metrics, matching: matchers, in: .all, limit: 3)
            if cardinality != Self.cardinality(wanted, limit: 3) { differences.append("cardinality \(matchers): \(cardinality)") }
        }
        return differences
    }

    private static func cardinality(_ streams: [Labels], limit: Int) -> Cardinality {
        var tally = CardinalityTally()
        tally.streamCount = streams.count
        for labels in streams {
            for label in labels.pairs { tally.add(label.name, label.value, 1) }
        }
        return tally.cardinality(group: "__name__", limit: limit)
    }
}
