import Query
import Telemetry
import TestSupport
import Testing

@testable import TraceQL

@Suite("TraceQL pushdown")
struct PushdownTests {
    private static let pushed: [(String, Predicate)] = [
        (#"{ span.user.id = 42 }"#, Predicate.attribute("user.id", .equal, .int(42))),
        (#"{ span.ratio > 0.5 }"#, .attribute("ratio", .greater, .double(0.5))),
        (#"{ span.a != "x" }"#, .attribute("a", .notEqual, .string("x"))),
        (#"{ span.a = true }"#, .attribute("a", .equal, .bool(true))),
        (#"{ span.a }"#, .attribute("a", .equal, .bool(true))),
        (#"{ span.a != nil }"#, .attributeExists("a")),
        (#"{ span.a =~ "x.*" }"#, .attributeMatches("a", pattern: "x.*", isNegated: false)),
        (#"{ span.a !~ "x.*" }"#, .attributeMatches("a", pattern: "x.*", isNegated: true)),
        (#"{ name = "n" }"#, .spanName(.equal, "n")),
        (#"{ duration > 100ms }"#, .duration(.greater, 100_000_000)),
    ]

    @Test("conditions that a store can check are handed to it", arguments: Self.pushed)
    func predicates(query: String, expected: Predicate) throws {
        guard case .search(let pipeline) = try TraceQLParser.parse(query).body else { return }
        #expect(try CandidatePlan(pipeline).predicates == [expected])
    }

    @Test("what holds without a value, or elsewhere than in the span, stays with the reader", arguments: [
        "{ span.a = nil }", "{ .a = 1 }", "{ event.a = 1 }", "{ parent.a = 1 }", "{ span.a = 1 || span.b = 2 }", "{ !(span.a = 1) }",
        "{ span.a = span.b }", "{ span.a > 1s }",
    ])
    func notPushed(query: String) throws {
        guard case .search(let pipeline) = try TraceQLParser.parseUnchecked(query).body else { return }
        #expect(try CandidatePlan(pipeline).predicates == [])
    }

    @Test("a comparison of a store and one of the query language agree on every pair of values")
    func sameComparisons() {
        let values: [AttributeValue] = [
            .empty, .string("a"), .string("b"), .string(""), .bool(true), .bool(false), .int(2), .int(3), .double(2), .double(2.5),
            .double(.nan), .bytes([1]), .array([.int(2), .string("b")]), .array([]), .map([Attribute("k", .int(2))]), .array([.array([.int(2)])]),
        ]
        let operands: [AttributeValue] = [.string("a"), .string("[2]"), .string("AQ=="), .bool(true), .int(2), .double(2), .double(2.25)]
        let operations: [FieldExpression.Operation] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
        for operation in operations {
            guard let comparison = Predicate.Comparison(rawValue: operation.rawValue) else { continue }
            for value in values {
                for operand in operands {
                    let span = TraceSpan(
                        traceID: .none, spanID: .none, name: "", start: 0, duration: 0, attributes: [Attribute("a", value)])
                    let expression = SpanExpression.binary(
                        operation, .field(SpanField(.attribute(.span, "a"))), .constant(StaticValue(operand)))
                    let holds = expression.holds(SpanContext(span: span, resource: .unknown))
                    #expect(comparison.holds(value, operand) == holds, "\(value) \(operation.rawValue) \(operand)")
                }
            }
        }
    }
}
