import Query
import Telemetry
import Templates

extension LogQLParser {
    /// Stages up to what is none. An `unwrap` (and the label filters behind it) ends them and goes to `unwrap`.
    mutating func pipeline(_ stages: inout [LogStage], unwrap: inout Unwrap?) throws(QueryError) {
        while true {
            if let filter = try lineFilter() {
                guard unwrap == nil else { throw unexpected(expecting: nil) }
                // "Neither of them" is one filter after the other.
                if filter.operation.isNegated {
                    stages += filter.alternatives.map { .lineFilter(LineFilter(operation: filter.operation, alternatives: [$0])) }
                } else {
                    stages.append(.lineFilter(filter))
                }
            } else if take(.pipe) {
                if unwrap != nil {
                    unwrap?.filters.append(try labelFilter())
                } else if keyword == "unwrap", case .identifier = tokens[min(index + 1, tokens.count - 1)].kind {
                    unwrap = try unwrapStage()
                } else {
                    stages.append(try stage())
                }
            } else {
                return
            }
        }
    }

    private mutating func lineFilter() throws(QueryError) -> LineFilter? {
        let operation: LineFilter.Operation
        switch token.kind {
        case .symbol(.pipeExact): operation = .contains
        case .symbol(.pipeMatch): operation = .matches
        case .symbol(.pipePattern): operation = .pattern
        case .symbol(.notEqual): operation = .excludes
        case .symbol(.regexNotMatch): operation = .notMatches
        case .symbol(.notPattern): operation = .notPattern
        default: return nil
        }
        // `a != b` between metric expressions is no line filter.
        guard operation != .excludes || isNeedle(index + 1) || operationMustBeFilter else { return nil }
        advance()
        var filter = LineFilter(operation: operation, alternatives: [try needle()])
        while keyword == "or", isNeedle(index + 1) {
            advance()
            filter.alternatives.append(try needle())
        }
        return filter
    }

    private var operationMustBeFilter: Bool {
        index + 1 < tokens.count && tokens[index + 1].kind == .end
    }

    private func isNeedle(_ index: Int) -> Bool {
        guard index < tokens.count else { return false }
        switch tokens[index].kind {
        case .string: return true
        case .identifier(let name):
            return name == "ip" && index + 1 < tokens.count && tokens[index + 1].kind == .symbol(.open)
        default: return false
        }
    }

    private mutating func needle() throws(QueryError) -> LineFilter.Needle {
        if keyword == "ip", follows(.open) { return .ip(try address()) }
        // As in Loki, a line filter's expression is compiled when the query runs.
        return .text(try expectString())
    }

    /// `ip("…")`.
    private mutating func address() throws(QueryError) -> String {
        advance()
        try expect(.open)
        let address = try expectString()
        try expect(.close)
        return address
    }

    private mutating func stage() throws(QueryError) -> LogStage {
        let start = index
        guard let word = keyword else { return .labelFilter(try labelFilter()) }
        switch word {
        case "json":
            advance()
            let extractions = try extractions()
            for one in extractions where FieldPath(one.expression) == nil {
                throw invalid("stage '\(LogStage.json(extractions))' : cannot parse expression [\(one.expression)]", from: start)
            }
            return .json(extractions)
        case "logfmt":
            advance()
            var (isStrict, keepsEmpty) = (false, false)
            while case .flag(let flag) = token.kind {
                switch flag {
                case "--strict": isStrict = true
                case "--keep-empty": keepsEmpty = true
                default: throw unexpected(expecting: "--strict or --keep-empty")
                }
                advance()
            }
            return .logfmt(isStrict: isStrict, keepsEmpty: keepsEmpty, try extractions())
        case "regexp":
            advance()
            let text = try expectString()
            try checkRegexp(text, from: start)
            return .regexp(text)
        case "pattern":
            advance()
            let text = try expectString()
            do {
                _ = try LinePattern(text, isParser: true)
            } catch {
                throw invalid(error.description, from: start)
            }
            return .pattern(text)
        case "unpack":
            advance()
            return .unpack
        case "line_format":
            advance()
            let text = try expectString()
            try checkTemplate(text, from: start)
            return .lineFormat(text)
        case "label_format":
            advance()
            return .labelFormat(try labelFormats())
        case "decolorize":
            advance()
            return .decolorize
        case "drop":
            advance()
            return .drop(try labelChoices())
        case "keep":
            advance()
            return .keep(try labelChoices())
        default: return .labelFilter(try labelFilter())
        }
    }

    private func checkRegexp(_ text: String, from start: Int) throws(QueryError) {
        try checkPattern(text, from: start)
        do {
            _ = try RegexpParser(text)
        } catch {
            throw invalid(error.description, from: start)
        }
    }

    private func checkTemplate(_ text: String, from start: Int) throws(QueryError) {
        do {
            _ = try Template(text)
        } catch {
            throw invalid("invalid template: \(error.description)", from: start)
        }
    }

    /// `a, b="path", …`; may be empty.
    private mutating func extractions() throws(QueryError) -> [Extraction] {
        var extractions: [Extraction] = []
        while case .identifier(let label) = token.kind {
            advance()
            let expression = take(.equal) ? try expectString() : label
            extractions.append(Extraction(label: label, expression: expression))
            guard isSymbol(.comma) else { break }
            advance()
            guard case .identifier = token.kind else { throw unexpected(expecting: "IDENTIFIER") }
        }
        return extractions
    }

    private mutating func labelFormats() throws(QueryError) -> [LabelFormat] {
        var formats: [LabelFormat] = []
        let start = index
        repeat {
            let label = try expectIdentifier()
            try expect(.equal)
            if case .string(let template) = token.kind {
                advance()
                try checkTemplate(template, from: start)
                formats.append(LabelFormat(label: label, source: .template(template)))
            } else {
                formats.append(LabelFormat(label: label, source: .label(try expectIdentifier())))
            }
        } while take(.comma)
        var seen: Set<String> = []
        for format in formats {
            if format.label == ErrorLabel.name { throw invalid("\(ErrorLabel.name) cannot be formatted", from: start) }
            guard seen.insert(format.label).inserted else {
                throw invalid("multiple label name '\(format.label)' not allowed in a single format operation", from: start)
            }
        }
        return formats
    }

    private mutating func labelChoices() throws(QueryError) -> [LabelChoice] {
        var choices: [LabelChoice] = []
        repeat {
            let label = try expectIdentifier()
            switch token.kind {
            case .symbol(.equal), .symbol(.notEqual), .symbol(.regexMatch), .symbol(.regexNotMatch):
                choices.append(LabelChoice(label: label, matcher: try matcher(of: label)))
            default: choices.append(LabelChoice(label: label))
            }
        } while take(.comma)
        return choices
    }

    private mutating func unwrapStage() throws(QueryError) -> Unwrap {
        advance()
        let start = index
        let name = try expectIdentifier()
        guard take(.open) else { return Unwrap(label: name) }
        guard let conversion = Unwrap.Conversion(rawValue: name) else {
            index = start
            throw unexpected(expecting: "duration, duration_seconds or bytes")
        }
        let label = try expectIdentifier()
        try expect(.close)
        return Unwrap(label: label, conversion: conversion)
    }
}
