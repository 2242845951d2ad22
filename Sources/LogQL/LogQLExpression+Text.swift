import Telemetry

extension LogQLExpression: CustomStringConvertible {
    /// The query, written anew on one line, as Loki writes it.
    package var description: String {
        switch self {
        case .logs(let selector): selector.description
        case .metric(let metric): metric.description
        }
    }
}

extension LogSelector: CustomStringConvertible {
    package var description: String {
        (["{" + matchers.map(\.description).joined(separator: ", ") + "}"] + stages.map(\.description)).joined(separator: " ")
    }
}

extension LogStage: CustomStringConvertible {
    package var description: String {
        switch self {
        case .lineFilter(let filter): filter.description
        case .json(let extractions): "| json" + Self.text(extractions)
        case .logfmt(let isStrict, let keepsEmpty, let extractions):
            "| logfmt" + (isStrict ? " --strict" : "") + (keepsEmpty ? " --keep-empty" : "") + Self.text(extractions)
        case .regexp(let pattern): "| regexp \(pattern.quoted)"
        case .pattern(let pattern): "| pattern \(pattern.quoted)"
        case .unpack: "| unpack"
        case .labelFilter(let filter): "| \(filter)"
        case .lineFormat(let template): "| line_format \(template.quoted)"
        case .labelFormat(let formats): "| label_format " + formats.map(\.description).joined(separator: ",")
        case .decolorize: "| decolorize"
        case .drop(let choices): "| drop " + choices.map(\.description).joined(separator: ",")
        case .keep(let choices): "| keep " + choices.map(\.description).joined(separator: ",")
        }
    }

    private static func text(_ extractions: [Extraction]) -> String {
        extractions.isEmpty ? "" : " " + extractions.map { "\($0.label)=\($0.expression.quoted)" }.joined(separator: ",")
    }
}

extension LabelFormat: CustomStringConvertible {
    package var description: String {
        switch source {
        case .label(let name): "\(label)=\(name)"
        case .template(let template): "\(label)=\(template.quoted)"
        }
    }
}

extension LabelChoice: CustomStringConvertible {
    package var description: String { matcher?.description ?? label }
}

extension LineFilter: CustomStringConvertible {
    package var description: String {
        let needles = alternatives.map { needle in
            switch needle {
            case .text(let text): text.quoted
            case .ip(let address): "ip(\(address.quoted))"
            }
        }
        return "\(operation.rawValue) " + needles.joined(separator: " or ")
    }
}

extension LabelFilter: CustomStringConvertible {
    package var description: String {
        switch self {
        case .string(let matcher): matcher.description
        case .number(let name, let comparison, let value): "\(name)\(comparison.rawValue)\(NumberText.plain(value))"
        case .duration(let name, let comparison, let value): "\(name)\(comparison.rawValue)\(Units.text(duration: value))"
        case .bytes(let name, let comparison, let value): "\(name)\(comparison.rawValue)\(Units.text(bytes: value))"
        case .ip(let name, let isEqual, let address): "\(name)\(isEqual ? "=" : "!=")ip(\(address.quoted))"
        case .and(let left, let right): "( \(left) , \(right) )"
        case .or(let left, let right): "( \(left) or \(right) )"
        }
    }
}

extension Grouping: CustomStringConvertible {
    package var description: String { (isWithout ? "without (" : "by (") + labels.joined(separator: ",") + ")" }
}

extension MetricExpression: CustomStringConvertible {
    /// The number that it is made of, where it is made of numbers alone.
    var constant: Double? {
        switch self {
        case .number(let value): value
        case .binary(let binary):
            if let left = binary.left.constant, let right = binary.right.constant {
                Arithmetic.scalar(binary.operation, left, right)
            } else {
                nil
            }
        default: nil
        }
    }

    package var description: String {
        switch self {
        case .number(let value): return NumberText.shortest(value)
        case .vector(let value): return "vector(\(NumberText.vector(value)))"
        case .range(let aggregation): return aggregation.description
        case .aggregation(let aggregation):
            let parameter = aggregation.operation.takesParameter ? "\(aggregation.parameter)," : ""
            let grouping = aggregation.grouping.map { " \($0)" } ?? ""
            return "\(aggregation.operation.rawValue)\(grouping)(\(parameter)\(aggregation.operand))"
        case .binary(let binary): return binary.description
        case .variants(let variants): return variants.description
        case .labelReplace(let replace):
            let arguments = [replace.destination, replace.replacement, replace.source, replace.pattern].map(\.quoted)
            return "label_replace(\(replace.operand),\(arguments.joined(separator: ",")))"
        }
    }
}

extension BinaryOperation: CustomStringConvertible {
    package var description: String { "(\(left) \(operatorText(separator: ",")) \(right))" }

    /// What stands between its operands.
    func operatorText(separator: String) -> String {
        var text = operation.rawValue + (returnsBool ? " bool" : "")
        guard let matching else { return text }
        text += (matching.isOn ? " on (" : " ignoring (") + matching.labels.joined(separator: separator) + ") "
        if matching.cardinality != .oneToOne { text += matching.cardinality.rawValue }
        if !matching.include.isEmpty { text += " (\(matching.include.joined(separator: separator)))" }
        return text
    }
}

extension RangeAggregation: CustomStringConvertible {
    package var description: String {
        let inner = ([logs.description] + (unwrap?.lines ?? [])).joined(separator: " ")
        let argument = parameter.map { "\(NumberText.plain($0))," } ?? ""
        let offset = offset == 0 ? "" : " offset \(Units.text(duration: self.offset))"
        return "\(operation.rawValue)(\(argument)\(inner)[\(Units.text(range: range))]\(offset))" + (grouping.map { " \($0)" } ?? "")
    }
}

extension Unwrap {
    /// What is wrong with a value that is no number.
    func fault(_ text: String) -> String {
        switch conversion {
        case nil: GoParseFault.float(text)
        case .duration, .durationSeconds: GoParseFault.duration(text)
        case .bytes: GoParseFault.bytes(text)
        }
    }

    /// The stage and the filters behind it.
    var lines: [String] {
        ["| unwrap " + (conversion.map { "\($0.rawValue)(\(label))" } ?? label)] + filters.map { "| \($0)" }
    }
}

extension Variants: CustomStringConvertible {
    package var description: String {
        "variants(" + expressions.map(\.description).joined(separator: ", ") + ") of (\(logs)[\(Units.text(range: range))]"
            + (offset == 0 ? "" : " offset \(Units.text(duration: offset))") + ")"
    }
}
