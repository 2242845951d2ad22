import Telemetry

extension SpanField: CustomStringConvertible {
    package var description: String {
        let text =
            switch name {
            case .attribute(let scope, let name): "\(scope.rawValue).\(name)"
            case .intrinsic(let intrinsic): intrinsic.text
            case .parentSpan: "parent"
            }
        return isParent ? "parent." + text : text
    }

    /// The name that an attribute has in a result: without its scope.
    var resultName: String {
        if case .attribute(_, let name) = name { return name }
        return description
    }
}

extension StaticValue: CustomStringConvertible {
    package var description: String {
        switch self {
        case .none: "nil"
        case .string(let text): text.quoted
        case .int(let value): String(value)
        case .double(let value): "\(value)"
        case .bool(let value): value ? "true" : "false"
        case .duration(let nanoseconds): DurationText.text(nanoseconds)
        case .status(let status): status.name
        case .kind(let kind): kind.name
        }
    }
}

extension FieldExpression: CustomStringConvertible {
    package var description: String {
        switch self {
        case .constant(let value): value.description
        case .field(let field): field.description
        case .not(let inner): "!\(inner.operand)"
        case .negative(let inner): "-\(inner.operand)"
        case .binary(let operation, let left, let right): "\(left.operand) \(operation.rawValue) \(right.operand)"
        }
    }

    private var operand: String {
        if case .binary = self { "(\(self))" } else { description }
    }

    /// The properties that it reads.
    package var fields: [SpanField] {
        switch self {
        case .constant: []
        case .field(let field): [field]
        case .not(let inner), .negative(let inner): inner.fields
        case .binary(_, let left, let right): left.fields + right.fields
        }
    }
}
