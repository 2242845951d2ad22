/// What can be shown as one series of a family.
protocol PrometheusInstrument: AnyObject, Sendable {}

/// All series of one metric name.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    var name: String
    var kind: Kind
    var help: String
    var series: [LabelText: any PrometheusInstrument] = [:]

    init(name: String, kind: Kind, help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// A family of one series.
    init(
        _ name: String, _ kind: Kind, help: String, _ instrument: any PrometheusInstrument,
        labels: [(String, String)] = []
    ) {
        self.init(name: name, kind: kind, help: help)
        series[LabelText(labels)] = instrument
    }

    /// Takes an instrument out; says how many series went.
    mutating func remove(_ instrument: any PrometheusInstrument) -> Int {
        let before = series.count
        series = series.filter { $0.value !== instrument }
        return before - series.count
    }
}

/// A label set as it is shown: `a="1",b="2"`, sorted by name, values escaped.
struct LabelText: Hashable, Sendable {
    var text: String

    init(_ labels: [(String, String)]) {
        text = labels.map { (MetricName.label($0.0), $0.1) }.sorted { $0.0 < $1.0 }.map {
            "\($0.0)=\"\(Self.escaped($0.1))\""
        }
        .joined(separator: ",")
    }

    /// With braces; nothing for no labels.
    var braced: String { text.isEmpty ? "" : "{\(text)}" }

    /// With one more label, as buckets have.
    func adding(_ more: String) -> String { text.isEmpty ? "{\(more)}" : "{\(text),\(more)}" }

    private static func escaped(_ value: String) -> String {
        guard
            value.utf8.contains(where: {
                $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n")
            })
        else { return value }
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

/// Names as Prometheus has them always taken: letters, digits, underscores, and colons for rules.
enum MetricName {
    static func sanitized(_ name: String) -> String {
        var sanitized = ""
        for (index, character) in name.unicodeScalars.enumerated() {
            switch character {
            case "a"..."z", "A"..."Z", "_": sanitized.unicodeScalars.append(character)
            case "0"..."9":
                if index == 0 { sanitized.append("_") }
                sanitized.unicodeScalars.append(character)
            default: sanitized.append("_")
            }
        }
        return sanitized.isEmpty ? "_" : sanitized
    }

    static func label(_ name: String) -> String { sanitized(name) }

    /// A counter's name ends in `_total`.
    static func counter(_ name: String) -> String {
        let sanitized = sanitized(name)
        return sanitized.hasSuffix("_total") ? sanitized : sanitized + "_total"
    }

    /// A timer is shown in seconds, and its name says so.
    static func timer(_ name: String) -> String {
        let sanitized = sanitized(name)
        return sanitized.hasSuffix("_seconds") ? sanitized : sanitized + "_seconds"
    }
}
