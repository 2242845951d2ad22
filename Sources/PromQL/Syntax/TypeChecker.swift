import Query
import Patterns
import Telemetry

/// Checks that every operand has the type its operator or function wants.
struct TypeChecker {
    let text: String

    private func failure(_ message: String, at range: SourceRange) -> QueryError {
        QueryError(.parse, "parse error: " + message, at: range.place(in: text))
    }

    /// Checks an operand, then its own type: the innermost mistake is the one to report.
    private func expect(_ expression: PromQLExpression, _ type: PromQLType, _ context: String) throws(QueryError) {
        try check(expression)
        guard expression.type == type else {
            throw failure(
                "expected type \(type.rawValue) in \(context), got \(expression.type.rawValue)", at: expression.place)
        }
    }

    func check(_ expression: PromQLExpression) throws(QueryError) {
        switch expression {
        case .number, .string: return
        case .selector(let node): try check(node)
        case .range(let node): try check(node.selector)
        case .subquery(let node): try check(node.expression)
        case .parentheses(let node): try check(node.expression)
        case .unary(let node):
            try check(node.operand)
            guard node.operand.type == .scalar || node.operand.type == .vector else {
                throw failure(
                    "unary expression only allowed on expressions of type scalar or instant vector, got \(node.operand.type.rawValue.quoted)",
                    at: node.place)
            }
        case .binary(let node): try check(node)
        case .aggregation(let node):
            try expect(node.expression, .vector, "aggregation expression")
            if let parameter = node.parameter {
                try expect(parameter, node.operation == .countValues ? .string : .scalar, "aggregation parameter")
            }
        case .call(let node): try check(node)
        }
    }

    private func check(_ node: PromQLExpression.BinaryOperation) throws(QueryError) {
        try check(node.left)
        try check(node.right)
        for side in [node.left, node.right] {
            guard side.type == .scalar || side.type == .vector else {
                throw failure("binary expression must contain only scalar and instant vector types", at: side.place)
            }
        }
        if node.operation.isSet, node.left.type == .scalar || node.right.type == .scalar {
            throw failure(
                "set operator \(node.operation.rawValue.quoted) not allowed in binary scalar expression", at: node.place
            )
        }
    }

    private func check(_ node: PromQLExpression.FunctionCall) throws(QueryError) {
        let function = node.function
        let count = node.arguments.count
        let name = function.name.quoted
        if let optionalCount = function.optionalCount {
            let least = function.parameters.count - optionalCount
            if optionalCount == 0, count != least {
                throw failure("expected \(least) argument(s) in call to \(name), got \(count)", at: node.place)
            }
            if count < least {
                throw failure("expected at least \(least) argument(s) in call to \(name), got \(count)", at: node.place)
            }
            if count > function.parameters.count {
                throw failure(
                    "expected at most \(function.parameters.count) argument(s) in call to \(name), got \(count)",
                    at: node.place)
            }
        } else if count < function.parameters.count - 1 {
            throw failure(
                "expected at least \(function.parameters.count - 1) argument(s) in call to \(name), got \(count)",
                at: node.place)
        }
        for (index, argument) in node.arguments.enumerated() {
            guard let type = index < function.parameters.count ? function.parameters[index] : function.parameters.last
            else { break }
            if function.name == "info", index == 1 {
                // Its second argument is a list of matchers in the shape of a selector; it may match anything.
                guard case .selector(let selector) = argument, selector.name.isEmpty else {
                    throw failure("expected label selectors only", at: argument.place)
                }
                continue
            }
            try expect(argument, type, "call to function \(name)")
        }
    }

    private func check(_ selector: PromQLExpression.VectorSelector) throws(QueryError) {
        // A selector that matches everything is always a mistake, and a costly one.
        for matcher in selector.matchers {
            switch matcher.operation {
            case .equal where !matcher.value.isEmpty: return
            case .notEqual where matcher.value.isEmpty: return
            case .matches, .notMatches:
                guard let pattern = try? LabelPattern(matcher.value) else { return }
                if pattern.matches("") != (matcher.operation == .matches) { return }
            default: continue
            }
        }
        throw failure("vector selector must contain at least one non-empty matcher", at: selector.place)
    }
}
