import Telemetry
import Templates

/// A value that a stage found in a line.
enum StageValue: Sendable, Hashable {
    case null
    case string(String)
    case number(Double)
    case bool(Bool)

    /// As text; nil where it has none (Promtail, `getString`).
    var text: String? {
        switch self {
        case .null: nil
        case .string(let value): value
        case .number(let value): GoNumber.decimal(value)
        case .bool(let value): value ? "true" : "false"
        }
    }

    /// As a number: text may be a number or a duration, which counts in seconds (Promtail, `getFloat`).
    var number: Double? {
        switch self {
        case .null: nil
        case .string(let value): GoNumber.parse(value) ?? GoDuration.parse(value).map { Double($0) / 1e9 }
        case .number(let value): value
        case .bool(let value): value ? 1 : 0
        }
    }
}

/// A record within a pipeline, with what stages have found in it.
struct StageEntry: Sendable, Hashable {
    var labels: Labels
    /// Nanoseconds since the Unix epoch.
    var timestamp: Int64
    var line: String
    var metadata: Labels
    var tenant: String
    var extracted = ExtractedValues()

    init(_ record: LogRecord) {
        labels = record.labels
        timestamp = record.timestamp
        line = record.line
        metadata = record.metadata
        tenant = record.tenant
    }

    var record: LogRecord {
        LogRecord(labels: labels, timestamp: timestamp, line: line, metadata: metadata, tenant: tenant)
    }

    /// The text that a stage with an optional `source` works on; nil where the source is not there or has no text.
    func text(of source: String?) -> String? {
        guard let source else { return line }
        return extracted[source]?.text
    }
}

/// The map that stages share: what was found in a line, by name. The labels that the line came with are in it too.
///
/// Lines are many and names are few: a short list beats a dictionary. Labels are not copied into it.
struct ExtractedValues: Sendable, Hashable {
    private var values: [(name: String, value: StageValue)] = []
    private var base: Labels = .empty
    /// Base labels that have been removed.
    private var removed: [String] = []
    /// Where each name stands, once there are many.
    private var index: [String: Int]?

    private static let listCountMax = 24

    subscript(name: String) -> StageValue? {
        get {
            if let at = position(of: name) { return values[at].value }
            if let value = base[name], !removed.contains(name) { return .string(value) }
            return nil
        }
        set {
            guard let newValue else { return remove(name) }
            if let at = position(of: name) {
                values[at].value = newValue
                return
            }
            values.append((name, newValue))
            if index != nil {
                index?[name] = values.count - 1
            } else if values.count > Self.listCountMax {
                index = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($0.element.name, $0.offset) })
            }
        }
    }

    /// Lets labels count among the values: they win over what has their name.
    mutating func setBase(_ labels: Labels) {
        base = labels
        removed = []
        for pair in labels.pairs where position(of: pair.name) != nil { remove(pair.name) }
        removed = []
    }

    /// All of them, each name once, in no particular order.
    var all: [(name: String, value: StageValue)] {
        var result = values
        for pair in base.pairs where position(of: pair.name) == nil && !removed.contains(pair.name) {
            result.append((pair.name, .string(pair.value)))
        }
        return result
    }

    private func position(of name: String) -> Int? {
        if let index { return index[name] }
        for at in values.indices where values[at].name == name { return at }
        return nil
    }

    private mutating func remove(_ name: String) {
        if let at = position(of: name) {
            values.remove(at: at)
            if index != nil { index = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($0.element.name, $0.offset) }) }
        }
        if base[name] != nil { removed.append(name) }
    }

    static func == (left: ExtractedValues, right: ExtractedValues) -> Bool {
        left.all.sorted { $0.name < $1.name }.elementsEqual(right.all.sorted { $0.name < $1.name }) {
            $0.name == $1.name && $0.value == $1.value
        }
    }

    func hash(into hasher: inout Hasher) {
        for (name, value) in all.sorted(by: { $0.name < $1.name }) {
            hasher.combine(name)
            hasher.combine(value)
        }
    }
}
