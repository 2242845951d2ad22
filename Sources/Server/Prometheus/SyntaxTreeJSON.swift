import Codecs
import PromQL
import Telemetry

/// The syntax tree of a query as Prometheus' `parse_query` gives it (web/api/v1, translate_ast.go).
enum SyntaxTreeJSON {
    static func write(_ expression: PromQLExpression, _ json: inout JSONWriter) {
        json.beginObject()
        switch expression {
        case .number(let node):
            json.field("type", "numberLiteral")
            json.field("val", PromQLNumber.format(node.value))
        case .string(let node):
            json.field("type", "stringLiteral")
            json.field("val", node.value)
        case .selector(let node):
            json.field("type", "vectorSelector")
            selector(node, &json)
        case .range(let node):
            json.field("type", "matrixSelector")
            duration("range", node.range, &json)
            selector(node.selector, &json)
        case .subquery(let node):
            json.field("type", "subquery")
            child("expr", node.expression, &json)
            duration("range", node.range, &json)
            duration("offset", node.offset, &json)
            duration("step", node.step, &json)
            at(node.at, &json)
        case .unary(let node):
            json.field("type", "unaryExpr")
            json.field("op", node.isNegation ? "-" : "+")
            child("expr", node.operand, &json)
        case .binary(let node):
            json.field("type", "binaryExpr")
            json.field("op", node.operation.rawValue)
            child("lhs", node.left, &json)
            child("rhs", node.right, &json)
            matching(node.matching, &json)
            json.field("bool", node.returnsBool)
        case .aggregation(let node):
            json.field("type", "aggregation")
            json.field("op", node.operation.rawValue)
            child("expr", node.expression, &json)
            if let parameter = node.parameter { child("param", parameter, &json) } else { null("param", &json) }
            json.field("grouping", node.grouping)
            json.field("without", node.isWithout)
        case .call(let node):
            json.field("type", "call")
            function(node.function, &json)
            json.key("args")
            json.beginArray()
            for argument in node.arguments { write(argument, &json) }
            json.endArray()
        case .parentheses(let node):
            json.field("type", "parenExpr")
            child("expr", node.expression, &json)
        }
        json.endObject()
    }

    private static func child(_ name: String, _ expression: PromQLExpression, _ json: inout JSONWriter) {
        json.key(name)
        write(expression, &json)
    }

    private static func null(_ name: String, _ json: inout JSONWriter) {
        json.key(name)
        json.null()
    }

    private static func selector(_ node: PromQLExpression.VectorSelector, _ json: inout JSONWriter) {
        let names = node.matchers.filter { $0.name == Labels.metricName && $0.operation == .equal }
        json.field("name", node.name.isEmpty ? names.first?.value ?? "" : node.name)
        duration("offset", node.offset, &json)
        json.key("matchers")
        json.beginArray()
        for matcher in node.matchers {
            json.beginObject()
            json.field("name", matcher.name)
            json.field("value", matcher.value)
            json.field("type", matcher.operation.rawValue)
            json.endObject()
        }
        json.endArray()
        at(node.at, &json)
        if node.boundary != .extrapolated { json.field(node.boundary.rawValue, true) }
    }

    /// Milliseconds; of arithmetic that needs a query's step or range, which a tree has not, its text.
    private static func duration(_ name: String, _ duration: DurationExpression?, _ json: inout JSONWriter) {
        guard let duration else { return json.field(name, 0) }
        if let milliseconds = duration.constantMilliseconds { json.field(name, milliseconds) } else { json.field(name, "\(duration)") }
    }

    private static func at(_ modifier: AtModifier?, _ json: inout JSONWriter) {
        switch modifier {
        case .timestamp(let milliseconds):
            json.field("timestamp", milliseconds)
            null("startOrEnd", &json)
        case .start, .end:
            null("timestamp", &json)
            json.field("startOrEnd", modifier == .start ? "start" : "end")
        case nil:
            null("timestamp", &json)
            null("startOrEnd", &json)
        }
    }

    private static func matching(_ matching: VectorMatching?, _ json: inout JSONWriter) {
        guard let matching else { return null("matching", &json) }
        json.key("matching")
        json.beginObject()
        let cardinality =
            switch matching.cardinality {
            case .oneToOne: "one-to-one"
            case .manyToOne: "many-to-one"
            case .oneToMany: "one-to-many"
            case .manyToMany: "many-to-many"
            }
        json.field("card", cardinality)
        json.field("labels", matching.labels)
        json.field("on", matching.isOn)
        json.field("include", matching.include)
        json.key("fillValues")
        json.beginObject()
        for (name, value) in [("lhs", matching.fillLeft), ("rhs", matching.fillRight)] {
            if let value { json.field(name, PromQLNumber.format(value)) } else { null(name, &json) }
        }
        json.endObject()
        json.endObject()
    }

    private static func function(_ function: FunctionSignature, _ json: inout JSONWriter) {
        json.key("func")
        json.beginObject()
        json.field("name", function.name)
        json.field("argTypes", function.parameters.map(\.short))
        json.field("variadic", function.optionalCount ?? -1)
        json.field("returnType", function.result.short)
        json.endObject()
    }
}
