/// OpenTelemetry's names as Prometheus 3 writes them (opentelemetry.io, "Prometheus and OpenMetrics Compatibility";
/// github.com/prometheus/otlptranslator).
package enum PrometheusNaming {
    /// `translation_strategy` of Prometheus' `otlp` section.
    package enum Strategy: String, Sendable, Hashable, CaseIterable {
        /// The default: `http.server.duration` in seconds is `http_server_duration_seconds`.
        case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
        case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
        case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
        case noTranslation = "NoTranslation"

        var isEscaping: Bool { self == .underscoreEscapingWithSuffixes || self == .underscoreEscapingWithoutSuffixes }
        var addsSuffixes: Bool { self == .underscoreEscapingWithSuffixes || self == .noUTF8EscapingWithSuffixes }
    }

    /// What a metric's name depends on beside the name and the unit.
    package enum Kind: Sendable, Hashable {
        case monotonicSum, gauge, other
    }

    /// A metric's name.
    package static func metricName(
        _ name: String, unit: String, kind: Kind, strategy: Strategy = .underscoreEscapingWithSuffixes
    ) -> String {
        strategy.isEscaping ? escaped(name, unit, kind, strategy) : unescaped(name, unit, kind, strategy)
    }

    private static func escaped(_ name: String, _ unit: String, _ kind: Kind, _ strategy: Strategy) -> String {
        guard strategy.addsSuffixes else {
            // Without suffixes every character that may not stand is an underscore, and none is left out.
            let text = replaced(name) { isNameScalar($0) || $0 == "_" }
            return startsWithDigit(text) ? "_" + text : text
        }
        var tokens = name.unicodeScalars.split { !isNameScalar($0) }.map { String(String.UnicodeScalarView($0)) }
        let suffixes = unitSuffixes(unit)
        if !suffixes.main.isEmpty, !tokens.contains(suffixes.main) { tokens.append(suffixes.main) }
        if !suffixes.per.isEmpty, !tokens.contains(suffixes.per) { tokens.append(suffixes.per) }
        if kind == .monotonicSum {
            tokens.removeAll { $0 == "total" }
            tokens.append("total")
        }
        // Some libraries give counts of things the unit "1": only a gauge of it is a ratio.
        if kind == .gauge, unit == "1" {
            tokens.removeAll { $0 == "ratio" }
            tokens.append("ratio")
        }
        let text = tokens.joined(separator: "_")
        return startsWithDigit(text) ? "_" + text : text
    }

    private static func unescaped(_ name: String, _ unit: String, _ kind: Kind, _ strategy: Strategy) -> String {
        guard strategy.addsSuffixes else { return name }
        var text = name
        let suffixes = unitSuffixes(unit)
        // `_total` and `_ratio` stand last: taken off first, so that the unit comes before them.
        if kind == .monotonicSum, text.hasSuffix("_total") { text.removeLast(6) }
        if kind == .gauge, unit == "1", text.hasSuffix("_ratio") { text.removeLast(6) }
        for suffix in [suffixes.main, suffixes.per] where !suffix.isEmpty && !text.hasSuffix("_" + suffix) {
            text += "_" + suffix
        }
        if kind == .monotonicSum { text += "_total" }
        if kind == .gauge, unit == "1" { text += "_ratio" }
        return text
    }

    /// How labels are named where names are escaped: `label_name_…` of Prometheus' `otlp` section.
    package struct LabelOptions: Sendable, Hashable {
        /// `label_name_underscore_sanitization`: `key` comes before a single underscore.
        package var prefixesUnderscores = true
        /// `label_name_preserve_multiple_underscores`; otherwise runs of them become one.
        package var preservesMultipleUnderscores = true

        package init() {}
    }

    /// A label's name: what may not stand in it becomes an underscore, and `key_` comes before a digit, `key` before a single
    /// underscore.
    package static func labelName(
        _ name: String, strategy: Strategy = .underscoreEscapingWithSuffixes, options: LabelOptions = LabelOptions()
    ) -> String {
        guard strategy.isEscaping, !name.isLabelName || !options.preservesMultipleUnderscores else { return name }
        var text = options.preservesMultipleUnderscores ? replaced(name, isAllowed: isLabelScalar) : collapsed(name)
        if startsWithDigit(text) {
            text = "key_" + text
        } else if options.prefixesUnderscores, text.hasPrefix("_"), !text.hasPrefix("__") {
            text = "key" + text
        }
        return text
    }

    /// What may not stand in a name, and underscores, as one underscore for each run; names between two double underscores keep those.
    private static func collapsed(_ name: String) -> String {
        let isReserved = name.utf8.count >= 4 && name.hasPrefix("__") && name.hasSuffix("__")
        var view = String.UnicodeScalarView()
        for scalar in (isReserved ? String(name.dropFirst(2).dropLast(2)) : name).unicodeScalars {
            if isLabelScalar(scalar), scalar != "_" {
                view.append(scalar)
            } else if view.last != "_" {
                view.append("_")
            }
        }
        return isReserved ? "__" + String(view) + "__" : String(view)
    }

    /// The unit in words as metadata has it: `By/s` is `bytes_per_second`.
    package static func unitName(_ unit: String) -> String {
        let suffixes = unitSuffixes(unit)
        return [suffixes.main, suffixes.per].filter { !$0.isEmpty }.joined(separator: "_")
    }

    /// The words of a unit (UCUM) before and behind its slash. Annotations in braces have none.
    private static func unitSuffixes(_ unit: String) -> (main: String, per: String) {
        let parts = unit.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
        var (main, per) = ("", "")
        if let part = parts.first, !part.isEmpty, !part.contains(where: { $0 == "{" || $0 == "}" }) {
            main = cleaned(units[part] ?? part)
        }
        if parts.count > 1, !parts[1].isEmpty, !parts[1].contains(where: { $0 == "{" || $0 == "}" }) {
            let word = cleaned(perUnits[parts[1]] ?? parts[1])
            if !word.isEmpty { per = "per_" + word }
        }
        return (main, per)
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// Runs of what may not stand in a name as one underscore, none at the start.
    private static func cleaned(_ unit: String) -> String {
        unit.unicodeScalars.split { !isNameScalar($0) }.map { String(String.UnicodeScalarView($0)) }.joined(separator: "_")
    }

    /// Each scalar that is not allowed as an underscore. What is allowed must be ASCII.
    private static func replaced(_ name: String, isAllowed: (Unicode.Scalar) -> Bool) -> String {
        var view = String.UnicodeScalarView()
        for scalar in name.unicodeScalars { view.append(isAllowed(scalar) ? scalar : "_") }
        return String(view)
    }

    private static func isLabelScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }

    /// What may stand within a token of a metric's name: underscores separate tokens.
    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        scalar == ":" || (isLabelScalar(scalar) && scalar != "_")
    }

    private static func startsWithDigit(_ text: String) -> Bool {
        text.utf8.first.map { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ?? false
    }

    private static let units = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
        "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes",
        "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters", "V": "volts",
        "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz", "1": "", "%": "percent",
    ]
    private static let perUnits = [
        "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
    ]
}

extension String {
    /// Whether it is a label's name that needs no translation: letters, digits and underscores, with a letter first.
    fileprivate var isLabelName: Bool {
        var isFirst = true
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): break
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): if isFirst { return false }
            default: return false
            }
            isFirst = false
        }
        return !isFirst
    }
}
