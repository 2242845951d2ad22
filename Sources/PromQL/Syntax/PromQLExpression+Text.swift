import Telemetry

extension PromQLExpression: CustomStringConvertible {
    /// The expression as PromQL, in the style of Prometheus 3. Reading it again gives an equal expression.
    package var description: String {
        switch self {
        case .number(let node):
            if node.isDuration { return PromQLDuration.format(milliseconds: Int64((node.value * 1000).rounded())) }
            return PromQLNumber.formatGeneral(node.value)
        case .string(let node): return node.quoted
        case .selector(let node): return node.text(range: "")
        case .range(let node): return node.selector.text(range: "[\(node.range)]")
        case .subquery(let node):
            let step = node.step.map { "\($0)" } ?? ""
            return "\(node.expression)[\(node.range):\(step)]" + Self.modifiers(at: node.at, offset: node.offset)
        case .unary(let node): return (node.isNegation ? "-" : "+") + "\(node.operand)"
        case .binary(let node):
            return
                "\(node.left) \(node.operation.rawValue)\(node.returnsBool ? " bool" : "")\(node.matching?.text ?? "") \(node.right)"
        case .aggregation(let node):
            return node.head + "(" + (node.parameter.map { "\($0), " } ?? "") + "\(node.expression))"
        case .call(let node):
            return node.function.name + "(" + node.arguments.map(\.description).joined(separator: ", ") + ")"
        case .parentheses(let node): return "(\(node.expression))"
        }
    }

    /// Label names, in quotes where they are no identifiers.
    static func names(_ names: [String]) -> String {
        names.map { $0.isLabelIdentifier ? $0 : $0.quoted }.joined(separator: ", ")
    }

    static func modifiers(at: AtModifier?, offset: DurationExpression?) -> String {
        var text = ""
        switch at {
        case .timestamp(let milliseconds): text += " @ \(seconds(milliseconds))"
        case .start: text += " @ start()"
        case .end: text += " @ end()"
        case nil: break
        }
        if let offset { text += " offset \(offset)" }
        return text
    }

    /// Milliseconds as seconds with three decimals.
    private static func seconds(_ milliseconds: Int64) -> String {
        let fraction = String(milliseconds.magnitude % 1000)
        return (milliseconds < 0 ? "-" : "") + "\(milliseconds.magnitude / 1000)."
            + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

extension PromQLExpression.VectorSelector {
    /// With `range` between the braces and the modifiers.
    fileprivate func text(range: String) -> String {
        let shown = matchers.filter {
            !($0.name == Labels.metricName && $0.operation == .equal && $0.value == name && !name.isEmpty)
        }
        let texts = shown.map(\.description).sorted { $0.utf8Precedes($1) }
        let braces = texts.isEmpty && !name.isEmpty ? "" : "{" + texts.joined(separator: ",") + "}"
        let suffix = boundary == .extrapolated ? "" : " " + boundary.rawValue
        return name + braces + range + suffix + PromQLExpression.modifiers(at: at, offset: offset)
    }
}

extension PromQLExpression.Aggregation {
    /// The operator and its grouping.
    var head: String {
        guard isWithout || !grouping.isEmpty else { return operation.rawValue }
        return "\(operation.rawValue) \(isWithout ? "without" : "by") (\(PromQLExpression.names(grouping))) "
    }
}

extension VectorMatching {
    /// What stands between the operator and its right side, with a blank before it.
    var text: String {
        var text = ""
        let isGrouped = cardinality == .manyToOne || cardinality == .oneToMany
        if isOn || !labels.isEmpty || isGrouped {
            text += " \(isOn ? "on" : "ignoring") (\(PromQLExpression.names(labels)))"
        }
        if isGrouped {
            text += " group_\(cardinality == .manyToOne ? "left" : "right") (\(PromQLExpression.names(include)))"
        }
        if let fillLeft, let fillRight, fillLeft.bitPattern == fillRight.bitPattern {
            return text + " fill (\(PromQLNumber.formatGeneral(fillLeft)))"
        }
        if let fillLeft { text += " fill_left (\(PromQLNumber.formatGeneral(fillLeft)))" }
        if let fillRight { text += " fill_right (\(PromQLNumber.formatGeneral(fillRight)))" }
        return text
    }
}
