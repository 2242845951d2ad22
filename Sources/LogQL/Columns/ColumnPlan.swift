import Query
import Telemetry

/// What of a pipeline can be answered from the fields that a store keeps apart from the lines.
///
/// That is `json`, if there is one, and the label filters behind it, up to the first stage that needs more. Of a row that the fields cannot decide the line
/// is asked for, and runs through the whole pipeline.
struct ColumnPlan {
    /// The label filters that read labels as `json` makes them.
    let filters: [LabelFilterStage]
    /// The labels that they read.
    private let filterLabels: Set<String>
    /// Fields become labels.
    let hasJSON: Bool
    /// There is nothing else in the pipeline that could change or leave out a row, beside line filters that a store may check as a whole.
    let isComplete: Bool

    /// - Returns: nil where fields say nothing.
    init?(_ stages: [LogStage]) throws(QueryError) {
        var (hasJSON, isComplete) = (false, true)
        var filters: [LabelFilterStage] = []
        var labels: Set<String> = []
        loop: for stage in stages {
            switch stage {
            case .lineFilter(let filter): if !filter.predicates.isWhole { isComplete = false }
            case .json(let extractions) where extractions.isEmpty && !hasJSON: hasJSON = true
            case .labelFilter(let filter) where hasJSON || !Self.hasJSON(stages):
                filters.append(try LabelFilterStage(filter))
                labels.formUnion(filter.labels)
            // Rows that fields decide have no error.
            case .drop(let choices) where choices.allSatisfy { Self.isErrorLabel($0.label) }: continue
            default:
                isComplete = false
                break loop
            }
        }
        guard isComplete || !filters.isEmpty else { return nil }
        self.hasJSON = hasJSON
        self.filters = filters
        self.isComplete = isComplete
        filterLabels = labels
    }

    /// What the line must have as fields where the filters are to let it through.
    var fieldTexts: [ScanRequest.FieldText] {
        guard hasJSON else { return [] }
        return filters.flatMap(\.fieldTexts).filter { text in
            !Self.isErrorLabel(text.name) && text.name != LevelDetector.label && !text.name.hasSuffix(RowLabels.conflictSuffix)
        }
    }

    private static func hasJSON(_ stages: [LogStage]) -> Bool {
        stages.contains { if case .json = $0 { true } else { false } }
    }

    static func isErrorLabel(_ name: String) -> Bool { name == ErrorLabel.name || name == ErrorLabel.detailsName }

    /// The fields to ask a store for, where `labels` are read beside the filters'. nil: fields cannot tell a label.
    func fields(_ labels: Set<String>) -> [String]? {
        var fields: Set<String> = []
        for name in labels.union(filterLabels) where !Self.isErrorLabel(name) {
            if name == LevelDetector.label {
                fields.insert(ScanRequest.levelField)
                continue
            }
            guard hasJSON else { continue }
            fields.insert(name)
            // `status_extracted` is the field `status` of streams that have such a label.
            if name.hasSuffix(RowLabels.conflictSuffix) { fields.insert(String(name.dropLast(RowLabels.conflictSuffix.count))) }
        }
        return fields.sorted()
    }
}

/// Where the value of a label comes from, in the rows of one stream.
enum ColumnSource {
    /// The same in all rows.
    case constant(String)
    /// A field of the request.
    case field(Int)
    /// A field of the request as a level.
    case level(Int)
}

/// The fields of one block as labels of its rows.
struct ColumnBlock {
    let block: LogFieldBlock
    private let names: [String]
    private let hasJSON: Bool
    private let detectsLevel: Bool

    /// - Parameters:
    ///   - names: the fields of the request.
    ///   - hasJSON: they become labels.
    init(_ block: LogFieldBlock, names: [String], hasJSON: Bool, detectsLevel: Bool) {
        self.block = block
        self.names = names
        self.hasJSON = hasJSON
        self.detectsLevel = detectsLevel
    }

    var rowCount: Int { block.timestamps.count }

    /// Where label `name` comes from; nil where only the lines tell.
    func source(_ name: String) -> ColumnSource? {
        if ColumnPlan.isErrorLabel(name) { return .constant("") }
        let labels = block.stream.labels
        let isOfIdentifiers = name.hasPrefix("trace_id") || name.hasPrefix("span_id")
        if block.hasMetadata || (block.hasIdentifiers && isOfIdentifiers) { return nil }
        if let value = labels[name] { return .constant(value) }
        if name == LevelDetector.label {
            guard detectsLevel else { return .constant("") }
            if let level = LevelDetector.level(stream: labels) { return .constant(level) }
            return names.firstIndex(of: ScanRequest.levelField).map { .level($0) }
        }
        guard hasJSON else { return .constant("") }
        guard let field = names.firstIndex(of: name) else { return nil }
        if name.hasSuffix(RowLabels.conflictSuffix) {
            let base = String(name.dropLast(RowLabels.conflictSuffix.count))
            if labels[base] != nil {
                // Both fields make the same label: which counts, the order in the line says.
                guard block.fields.columns[field].isEmpty, let moved = names.firstIndex(of: base) else { return nil }
                return .field(moved)
            }
        }
        return .field(field)
    }

    func columns(_ field: Int) -> [LogFieldColumn] { block.fields.columns[field] }

    /// By row: the level, and "" where the line tells it.
    func levels(_ field: Int) -> (texts: [String], codes: [UInt8]) {
        var codes = [UInt8](repeating: 0, count: rowCount)
        var texts = [""]
        func code(_ text: [UInt8], _ isQuoted: Bool) -> UInt8 {
            guard let level = LevelDetector.level(field: LogFieldColumn.label(text, isQuoted: isQuoted)) else { return 0 }
            if let known = texts.firstIndex(of: level) { return UInt8(known) }
            texts.append(level)
            return UInt8(texts.count - 1)
        }
        for column in columns(field) {
            if case .dictionary(let values, let own) = column.values {
                let table = values.map { code($0, column.isQuoted) }
                for index in own.indices { codes[column.rows?[index] ?? index] = table[Int(own[index])] }
            } else {
                for index in 0..<column.count { codes[column.rows?[index] ?? index] = code(column.text(index), column.isQuoted) }
            }
        }
        return (texts, codes)
    }
}

extension LogFieldColumn {
    /// Value `index` as a label's value; "" where it makes none: `null`, arrays and objects.
    func label(_ index: Int) -> String { Self.label(text(index), isQuoted: isQuoted) }

    static func label(_ text: [UInt8], isQuoted: Bool) -> String {
        if isQuoted {
            guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
            return JSONScanner(text[...]).text(0..<text.count, isEscaped: true)
        }
        switch text.first {
        case UInt8(ascii: "["), UInt8(ascii: "{"): return ""
        case UInt8(ascii: "n"): return ""
        default: return String(decoding: text, as: UTF8.self)
        }
    }
}
