import Telemetry

extension LogQLExpression: CustomStringConvertible {
    /// The query, written anew on one line.
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
        case .labelFormat(let formats): "| label_format " + formats.map(\.description).joined(separator: ", ")
        case .decolorize: "| decolorize"
        case .drop(let choices): "| drop " + choices.map(\.description).joined(separator: ", ")
        case .keep(let choices): "| keep " + choices.map(\.description).joined(separator: ", ")
        }
    }

    private static func text(_ extractions: [Extraction]) -> String {
        extractions.isEmpty ? "" : " " + extractions.map { "\($0.label)=\($0.expression.quoted)" }.joined(separator: ", ")
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
        case .number(let name, let comparison, let value): "\(name) \(comparison.rawValue) \(MetricExpression.text(value))"
        case .duration(let name, let comparison, let value): "\(name) \(comparison.rawValue) \(Units.text(duration: value))"
        case .bytes(let name, let comparison, let value): "\(name) \(comparison.rawValue) \(Units.text(bytes: value))"
        case .ip(let name, let isEqual, let address): "\(name)\(isEqual ? "=" : "!=")ip(\(address.quoted))"
        case .and(let left, let right): "( \(left) and \(right) )"
        case .or(let left, let right): "( \(left) or \(right) )"
        }
    }
}

extension Grouping: CustomStringConvertible {
    package var description: String { (isWithout ? "without (" : "by (") + labels.joined(separator: ", ") + ")" }
}

extension MetricExpression: CustomStringConvertible {
    /// A number as the parser reads it back: whole ones without a fraction.
    static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

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
        case .number(let value): return Self.text(value)
        case .vector(let value): return "vector(\(Self.text(value)))"
        case .range(let aggregation): return aggregation.description
        case .aggregation(let aggregation):
            let parameter = aggregation.operation.takesParameter ? "\(aggregation.parameter), " : ""
            let grouping = aggregation.grouping.map { " \($0) " } ?? ""
            return "\(aggregation.operation.rawValue)\(grouping)(\(parameter)\(aggregation.operand))"
        case .binary(let binary): return binary.description
        case .labelReplace(let replace):
            let arguments = [replace.destination, replace.replacement, replace.source, replace.pattern].map(\.quoted)
            return "label_replace(\(replace.operand), \(arguments.joined(separator: ", ")))"
        }
    }
}

extension BinaryOperation: CustomStringConvertible {
    package var description: String {
        var words = [left.description, operation.rawValue]
        if returnsBool { words.append("bool") }
        if let matching {
            words.append((matching.isOn ? "on (" : "ignoring (") + matching.labels.joined(separator: ", ") + ")")
            if matching.cardinality != .oneToOne {
                words.append("\(matching.cardinality.rawValue) (\(matching.include.joined(separator: ", ")))")
            }
        }
        return "(" + (words + [right.description]).joined(separator: " ") + ")"
    }
}

extension RangeAggregation: CustomStringConvertible {
    package var description: String {
        var inner = logs.description
        if let unwrap {
            inner += " | unwrap " + (unwrap.conversion.map { "\($0.rawValue)(\(unwrap.label))" } ?? unwrap.label)
            for filter in unwrap.filters { inner += " | \(filter)" }
        }
        inner += " [\(Units.text(duration: range))]"
        if offset != 0 { inner += " offset \(Units.text(duration: offset))" }
        let argument = parameter.map { "\($0), " } ?? ""
        return "\(operation.rawValue)(\(argument)\(inner))" + (grouping.map { " \($0)" } ?? "")
    }
}
