import Telemetry

/// What is legal in exposed metrics but against the conventions of naming them (client_golang, `promlint`).
package enum ExpositionLint {
    package struct Problem: Sendable, Hashable, Comparable {
        package var metric: String
        package var text: String

        package static func < (left: Problem, right: Problem) -> Bool {
            (left.metric, left.text) < (right.metric, right.text)
        }
    }

    /// The problems of every family in the answer, by metric.
    package static func problems(_ result: ExpositionResult) -> [Problem] {
        families(result).flatMap { family in
            check(family).map { Problem(metric: family.name, text: $0) }
        }.sorted()
    }

    /// How many series each family has, the largest first (`promtool check metrics --extended`).
    package static func cardinalities(_ result: ExpositionResult) -> [(metric: String, seriesCount: Int)] {
        families(result).map { ($0.name, $0.seriesCount) }.sorted { ($1.seriesCount, $0.metric) < ($0.seriesCount, $1.metric) }
    }

    // MARK: Families

    private struct Family {
        var name: String
        var kind = MetricMetadata.Kind.unknown
        var help = ""
        var labelNames: Set<String> = []
        var seriesCount = 0
    }

    /// The families in which samples came, in the order of the text.
    private static func families(_ result: ExpositionResult) -> [Family] {
        var known: [String: MetricMetadata] = [:]
        for entry in result.metadata { known[entry.family] = entry }
        var families: [Family] = []
        var positions: [String: Int] = [:]
        for series in result.series {
            let name = family(of: series.labels[Labels.metricName] ?? "", known)
            let position = positions[name] ?? families.count
            if position == families.count {
                positions[name] = position
                families.append(Family(name: name, kind: known[name]?.kind ?? .unknown, help: known[name]?.help ?? ""))
            }
            for pair in series.labels.pairs where pair.name != Labels.metricName {
                families[position].labelNames.insert(pair.name)
            }
            families[position].seriesCount += 1
        }
        return families
    }

    /// The family of a sample: its name without the suffix that its type adds.
    private static func family(of name: String, _ known: [String: MetricMetadata]) -> String {
        if known[name] != nil { return name }
        for suffix in ["_bucket", "_count", "_sum", "_total", "_created", "_info"] where name.hasSuffix(suffix) {
            let base = String(name.dropLast(suffix.count))
            guard let kind = known[base]?.kind else { continue }
            let suffixes: [String] =
                switch kind {
                case .histogram, .gaugeHistogram: ["_bucket", "_count", "_sum", "_created"]
                case .summary: ["_count", "_sum", "_created"]
                case .counter: ["_total", "_created"]
                case .info: ["_info"]
                case .gauge, .stateset, .unknown: []
                }
            if suffixes.contains(suffix) { return base }
        }
        return name
    }

    // MARK: Rules

    private static func check(_ family: Family) -> [String] {
        help(family) + units(family) + counter(family) + reserved(family) + typeInName(family) + colons(family)
            + camelCase(family) + abbreviations(family)
    }

    private static func help(_ family: Family) -> [String] {
        family.help.isEmpty ? ["no help text"] : []
    }

    private static func counter(_ family: Family) -> [String] {
        let isTotal = family.name.hasSuffix("_total")
        if family.kind == .counter { return isTotal ? [] : [#"counter metrics should have "_total" suffix"#] }
        return isTotal && family.kind != .unknown ? [#"non-counter metrics should not have "_total" suffix"#] : []
    }

    /// Suffixes and labels that histograms and summaries make themselves.
    private static func reserved(_ family: Family) -> [String] {
        if family.kind == .unknown { return [] }
        let isHistogram = family.kind == .histogram || family.kind == .gaugeHistogram
        let isSummary = family.kind == .summary
        var problems: [String] = []
        if !isHistogram, family.name.hasSuffix("_bucket") {
            problems.append(#"non-histogram metrics should not have "_bucket" suffix"#)
        }
        for suffix in ["_count", "_sum"] where !isHistogram && !isSummary && family.name.hasSuffix(suffix) {
            problems.append("non-histogram and non-summary metrics should not have \"\(suffix)\" suffix")
        }
        if !isHistogram, family.labelNames.contains("le") {
            problems.append(#"non-histogram metrics should not have "le" label"#)
        }
        if !isSummary, family.labelNames.contains("quantile") {
            problems.append(#"non-summary metrics should not have "quantile" label"#)
        }
        return problems
    }

    private static func typeInName(_ family: Family) -> [String] {
        let name = family.name.lowercased()
        return ["counter", "gauge", "summary", "histogram", "gauge_histogram"].filter { has(name, word: $0) }.map {
            "metric name should not include type '\($0)'"
        }
    }

    private static func colons(_ family: Family) -> [String] {
        family.name.contains(":") ? ["metric names should not contain ':'"] : []
    }

    private static func camelCase(_ family: Family) -> [String] {
        var problems: [String] = []
        if isCamelCase(family.name) {
            problems.append("metric names should be written in 'snake_case' not 'camelCase'")
        }
        for name in family.labelNames where isCamelCase(name) {
            problems.append("label names should be written in 'snake_case' not 'camelCase'")
        }
        return problems
    }

    private static func isCamelCase(_ name: String) -> Bool {
        zip(name.utf8, name.utf8.dropFirst()).contains { (97...122).contains($0) && (65...90).contains($1) }
    }

    private static func abbreviations(_ family: Family) -> [String] {
        let name = family.name.lowercased()
        return ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"].filter { has(name, word: $0) }
            .map { _ in "metric names should not contain abbreviated units" }
    }

    private static func has(_ name: String, word: String) -> Bool {
        name.contains("_\(word)_") || name.hasSuffix("_\(word)")
    }

    // MARK: Units

    /// Words of names that are units, each with the base unit that should stand in its place.
    private static let baseUnits: [String: String] = [
        "amperes": "amperes", "bytes": "bytes", "celsius": "celsius", "grams": "grams", "joules": "joules", "kelvin": "kelvin",
        "meters": "meters", "metres": "metres", "seconds": "seconds", "volts": "volts", "minutes": "seconds",
        "hours": "seconds", "days": "seconds", "weeks": "seconds", "kelvins": "kelvin", "fahrenheit": "celsius",
        "rankine": "celsius", "inches": "meters", "yards": "meters", "miles": "meters", "bits": "bytes", "calories": "joules",
        "pounds": "grams", "ounces": "grams",
    ]

    private static let prefixes = [
        "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi", "giga", "gibi",
        "tera", "tebi", "peta", "pebi",
    ]

    private static func units(_ family: Family) -> [String] {
        for word in family.name.split(separator: "_").map(String.init) {
            guard let base = base(of: word) else { continue }
            return base == word ? [] : ["use base unit \"\(base)\" instead of \"\(word)\""]
        }
        return []
    }

    private static func base(of word: String) -> String? {
        if let base = baseUnits[word] { return base }
        for prefix in prefixes where word.hasPrefix(prefix) {
            if let base = baseUnits[String(word.dropFirst(prefix.count))] { return base }
        }
        return nil
    }
}
