import Query
import Telemetry
import Templates

/// A line on its way through a pipeline.
struct Row {
    var timestamp: Int64 = 0
    var line: ArraySlice<UInt8> = []
    var labels: RowLabels
}

/// The stages of a query, compiled.
struct LogPipeline {
    private enum Step {
        /// `predicates`: which of ``predicates`` together make it needless.
        case lineFilter(LineFilterStage, predicates: UInt64)
        case json(JSONStage)
        case logfmt(LogfmtStage)
        case regexp(RegexpParser)
        case pattern(LinePattern)
        case unpack
        case labelFilter(LabelFilterStage)
        case lineFormat(Template)
        case labelFormat([(label: String, source: Source)])
        case decolorize
        case drop([Choice])
        case keep([Choice])
    }

    private enum Source {
        case label(String)
        case template(Template)
    }

    private struct Choice {
        var label: String
        var matcher: ValueMatcher?
    }

    private var steps: [Step] = []
    private let hints: ParserHints
    /// What the store may check before.
    private(set) var predicates: [Predicate] = []
    /// A stage reads or writes the line.
    private(set) var readsLine = false
    /// A stage reads, makes or removes labels.
    private(set) var touchesLabels = false
    /// A stage may change labels that the stream or structured metadata brings.
    private(set) var changesStreamLabels = false

    /// Loki's bound on what a store is asked for: one bit each in `Block.applied`.
    private static let predicateCountMax = 64

    /// - Parameters:
    ///   - needed: the labels that the result needs; nil: all of them.
    ///   - hints: when parsers may stop.
    init(_ stages: [LogStage], needed: Set<String>?, hints: ParserHints = .none) throws(QueryError) {
        self.hints = hints
        var isOriginal = true
        for stage in stages {
            do throws(QueryError) { try append(stage, needed, &isOriginal) } catch {
                throw QueryError(.parse, "parse error : stage '\(stage)' : \(error.message)")
            }
        }
    }

    /// - Parameter isOriginal: whether the line is still as it was stored.
    private mutating func append(_ stage: LogStage, _ needed: Set<String>?, _ isOriginal: inout Bool) throws(QueryError) {
        switch stage {
        case .lineFilter(let filter):
            readsLine = true
            var mask: UInt64 = 0
            if isOriginal {
                let (pushed, isWhole) = filter.predicates
                if predicates.count + pushed.count <= Self.predicateCountMax {
                    if isWhole { for index in pushed.indices { mask |= 1 << UInt64(predicates.count + index) } }
                    predicates += pushed
                }
            }
            steps.append(.lineFilter(try LineFilterStage(filter), predicates: mask))
        case .labelFilter(let filter):
            touchesLabels = true
            steps.append(.labelFilter(try LabelFilterStage(filter)))
        case .drop(let choices):
            (touchesLabels, changesStreamLabels) = (true, true)
            steps.append(.drop(try Self.choices(choices)))
        case .keep(let choices):
            (touchesLabels, changesStreamLabels) = (true, true)
            steps.append(.keep(try Self.choices(choices)))
        default:
            (readsLine, touchesLabels) = (true, true)
            try appendParser(stage, needed)
        }
        switch stage {
        case .lineFormat, .decolorize, .unpack: isOriginal = false
        case .labelFormat: changesStreamLabels = true
        default: break
        }
    }

    private mutating func appendParser(_ stage: LogStage, _ needed: Set<String>?) throws(QueryError) {
        switch stage {
        case .json(let extractions):
            let paths = extractions.compactMap { extraction in FieldPath(extraction.expression).map { (extraction.label, $0) } }
            steps.append(.json(JSONStage(extractions: paths, names: FieldNames(needed: needed), hints: hints)))
        case .logfmt(let isStrict, let keepsEmpty, let extractions):
            for one in extractions {
                guard let stray = Self.stray(inKey: one.expression) else { continue }
                throw QueryError(.execution, "cannot parse expression [\(one.expression)]: unexpected char \(stray)")
            }
            let keys = extractions.map { ($0.label, $0.expression) }
            steps.append(
                .logfmt(
                    LogfmtStage(
                        isStrict: isStrict, keepsEmpty: keepsEmpty, extractions: keys, names: FieldNames(needed: needed), hints: hints)))
        case .regexp(let text):
            steps.append(
                .regexp(
                    try StageError.converted { () throws(RegexpParser.Fault) in
                        try RegexpParser(text)
                    } text: {
                        $0.description
                    }))
        case .pattern(let text):
            steps.append(
                .pattern(
                    try StageError.converted { () throws(LinePattern.Fault) in
                        try LinePattern(text, isParser: true)
                    } text: {
                        $0.description
                    }))
        case .unpack: steps.append(.unpack)
        case .decolorize: steps.append(.decolorize)
        case .lineFormat(let text): steps.append(.lineFormat(try Self.template(text)))
        case .labelFormat(let formats):
            var sources: [(String, Source)] = []
            for format in formats {
                switch format.source {
                case .label(let name): sources.append((format.label, .label(name)))
                case .template(let text): sources.append((format.label, .template(try Self.template(text))))
                }
            }
            steps.append(.labelFormat(sources))
        case .lineFilter, .labelFilter, .drop, .keep: break
        }
    }

    /// The first character that no key of logfmt may be named with (Loki, `logfmt.Parse`).
    private static func stray(inKey text: String) -> Unicode.Scalar? {
        var isFirst = true
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": isFirst = false
            case "0"..."9" where !isFirst: break
            case "\"" where isFirst: return nil
            default: return scalar
            }
        }
        return nil
    }

    private static func template(_ text: String) throws(QueryError) -> Template {
        try StageError.converted { () throws(Template.Fault) in
            try Template(text)
        } text: {
            $0.description
        }
    }

    private static func choices(_ choices: [LabelChoice]) throws(QueryError) -> [Choice] {
        var result: [Choice] = []
        for choice in choices {
            var matcher: ValueMatcher?
            if let condition = choice.matcher { matcher = try ValueMatcher(condition) }
            result.append(Choice(label: choice.label, matcher: matcher))
        }
        return result
    }

    var isEmpty: Bool { steps.isEmpty }

    /// A store may check all of its line filters, and any other stage lets every line through.
    var isChecked: Bool { isChecked(by: .max) }

    /// Whether the predicates that a store has checked are all of the line filters.
    func isChecked(by applied: UInt64) -> Bool {
        steps.allSatisfy { step in
            guard case .lineFilter(_, let predicates) = step else { return true }
            return predicates != 0 && applied & predicates == predicates
        }
    }

    /// Nothing but line filters leaves lines out.
    var filtersLinesOnly: Bool {
        steps.allSatisfy { if case .labelFilter = $0 { false } else { true } }
    }

    /// Runs a line through the stages; false where one leaves it out.
    ///
    /// - Parameter applied: the predicates that the store has checked.
    func run(_ row: inout Row, applied: UInt64) -> Bool {
        for step in steps {
            switch step {
            case .lineFilter(let filter, let predicates):
                if predicates != 0, applied & predicates == predicates { continue }
                guard filter.passes(row.line) else { return false }
            case .json(let stage): stage.run(row.line, &row.labels)
            case .logfmt(let stage): stage.run(row.line, &row.labels)
            case .regexp(let parser): parser.run(row.line, &row.labels)
            case .pattern(let pattern): if !hints.isSatisfied(by: row.labels) { pattern.run(row.line, &row.labels) }
            case .unpack: if !hints.isSatisfied(by: row.labels) { UnpackStage().run(&row.line, &row.labels) }
            case .labelFilter(let filter): guard filter.passes(&row.labels) else { return false }
            case .lineFormat(let template):
                do throws(Template.Fault) {
                    row.line = Array(try template.render(context(row)).utf8)[...]
                } catch {
                    row.labels.fail(ErrorLabel.template, error.description)
                }
            case .labelFormat(let formats): format(formats, &row)
            case .decolorize: row.line = Decolorize.run(row.line)
            case .drop(let choices):
                for choice in choices where choice.matcher?.holds(row.labels.value(choice.label)) ?? true {
                    row.labels.remove(choice.label)
                }
            case .keep(let choices):
                let kept = choices.filter { $0.matcher?.holds(row.labels.value($0.label)) ?? true }.map(\.label)
                row.labels.keep { kept.contains($0) }
            }
        }
        return true
    }

    private func context(_ row: Row) -> TemplateRow {
        TemplateRow(labels: row.labels, line: row.line, timestamp: row.timestamp)
    }

    private func format(_ formats: [(label: String, source: Source)], _ row: inout Row) {
        // All templates of a stage see the labels as they were when the first one ran.
        var context: TemplateRow?
        for (label, source) in formats {
            switch source {
            case .label(let name):
                let value = row.labels.value(name)
                guard !value.isEmpty else { continue }
                row.labels.set(label, value)
                row.labels.remove(name)
            case .template(let template):
                let labels = context ?? self.context(row)
                context = labels
                do throws(Template.Fault) {
                    row.labels.set(label, try template.render(labels))
                } catch {
                    row.labels.fail(ErrorLabel.template, error.description)
                }
            }
        }
    }
}

/// The `decolorize` stage: takes the colours of terminals (ANSI escape sequences) out of a line.
enum Decolorize {
    static func run(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard line.contains(0x1b) else { return line }
        var result: [UInt8] = []
        var index = line.startIndex
        while index < line.endIndex {
            guard line[index] == 0x1b, index + 1 < line.endIndex, line[index + 1] == UInt8(ascii: "[") else {
                result.append(line[index])
                index += 1
                continue
            }
            index += 2
            while index < line.endIndex, !(0x40...0x7e).contains(line[index]) { index += 1 }
            index += 1
        }
        return result[...]
    }
}
