import PromQL
import Query
import Telemetry
import Testing

@Suite("PromQL: syntax")
struct SyntaxTests {
    @Test(
        "formats as Prometheus 3 does",
        arguments: [
            ("sum(rate(x[5m])) by (job)", "sum by (job) (rate(x[5m]))"),
            ("sum by () (x)", "sum(x)"),
            ("sum without () (x)", "sum without () (x)"),
            ("topk (5, x)", "topk(5, x)"),
            ("x{b=\"2\",a='1'}", "x{a=\"1\",b=\"2\"}"),
            ("{__name__=\"x\"}", "{__name__=\"x\"}"),
            ("{\"a.b\"}", "{__name__=\"a.b\"}"),
            ("{\"a.b\", \"c d\"=\"e\"}", "{\"c d\"=\"e\",__name__=\"a.b\"}"),
            ("x offset 90s @ 1.5", "x @ 1.500 offset 1m30s"),
            ("x[5m:] offset -1d", "x[5m:] offset -1d"),
            ("x[1h:1m] @ end()", "x[1h:1m] @ end()"),
            ("a+ON(x)GROUP_LEFT(y) b", "a + on (x) group_left (y) b"),
            ("a + ignoring(x) b", "a + ignoring (x) b"),
            ("a > bool 1", "a > bool 1"),
            ("a and on() b", "a and on () b"),
            ("- (a ^ 2)", "-(a ^ 2)"),
            ("1e9", "1e+09"), ("0x10", "16"), ("Inf", "+Inf"), ("-1.50", "-1.5"), ("1_000", "1000"), ("5m", "5m"),
            (".5", "0.5"),
            ("a + fill(0) b", "a + fill (0) b"),
            ("x[step() * 2]", "x[step() * 2]"),
            ("x[5m] smoothed", "x[5m] smoothed"),
            ("\"a\\nb\"", "\"a\\nb\""), ("`a\\`", "\"a\\\\\""),
            ("count_values(\"v\", x)", "count_values(\"v\", x)"),
            ("sum(x) # the end", "sum(x)")
        ])
    func formats(text: String, formatted: String) throws {
        let expression = try PromQLParser.parse(text)
        #expect(expression.description == formatted)
        #expect(try PromQLParser.parse(formatted) == expression)
    }

    @Test(
        "a wrong query is refused with place and reason",
        arguments: [
            ("", "1:1: parse error: no expression found in input"),
            ("1 +", "1:4: parse error: unexpected end of input"),
            ("sum(", "1:5: parse error: unexpected end of input"),
            ("(1", "1:1: parse error: unclosed left parenthesis"),
            ("foo{", "1:5: parse error: unexpected end of input in label matching, expected identifier or \"}\""),
            ("foo{a=1}", "1:7: parse error: unexpected number \"1\" in label matching, expected string"),
            ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
            ("{a=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
            ("nope(1)", "1:1: parse error: unknown function with name \"nope\""),
            (
                "rate(x)",
                "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"
            ),
            ("rate(x[5m], 1)", "1:1: parse error: expected 1 argument(s) in call to \"rate\", got 2"),
            ("clamp(x)", "1:1: parse error: expected 3 argument(s) in call to \"clamp\", got 1"),
            ("label_join(x)", "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 1"),
            ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
            ("a + bool b", "1:1: parse error: bool modifier can only be used on comparison operators"),
            ("a and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
            ("x[5m", "1:5: parse error: unexpected end of input in subquery or range selector, expected \"]\""),
            ("(x)[5m]", "1:1: parse error: ranges only allowed for vector selectors"),
            ("x offset 5m[5m]", "1:1: parse error: no offset modifiers allowed before range"),
            (
                "x[5m:1m]\n + rate(x)",
                "2:9: parse error: expected type range vector in call to function \"rate\", got instant vector"
            ),
            ("sum by (x) by (y) (z)", "1:12: parse error: unexpected <by> in aggregation"),
            ("a $ b", "1:3: parse error: unexpected character: '$'"),
            ("\"open", "1:1: parse error: unterminated quoted string"),
            (
                "\"v\\.1\"",
                "1:1: parse error: error unquoting string \"\\\"v\\\\.1\\\"\": unknown escape sequence U+002E '.'"
            ),
            ("x offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
            (
                "1 offset 1m",
                "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"
            ),
            ("5x", "1:1: parse error: bad number or duration syntax: \"5x\""),
            (
                "topk(x)",
                "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"
            )
        ])
    func errors(text: String, message: String) {
        let error = #expect(throws: QueryError.self) { try PromQLParser.parse(text) }
        #expect(error?.code == .parse)
        #expect(error?.description == message)
    }

    @Test("operators bind as in Prometheus")
    func precedence() throws {
        #expect(try PromQLParser.parse("1 + 2 * 3 ^ 4 ^ 5") == PromQLParser.parse("1 + 2 * 3 ^ 4 ^ 5"))
        guard case .binary(let sum) = try PromQLParser.parse("a + b * c"), case .binary(let product) = sum.right else {
            Issue.record("no product at the right")
            return
        }
        #expect(sum.operation == .add)
        #expect(product.operation == .multiply)
        guard case .unary(let negation) = try PromQLParser.parse("-a ^ 2"), case .binary = negation.operand else {
            Issue.record("the sign binds tighter than the power")
            return
        }
    }

    @Test(
        "words of the language are names where a name is wanted",
        arguments: ["sum", "by", "offset", "start", "fill", "rate", "or", "step", "group_left_x"])
    func wordsAsNames(word: String) throws {
        #expect(try PromQLParser.selector("\(word){\(word)=\"x\"}").count == 2)
        #expect(try PromQLParser.parse("sum by (\(word)) (\(word))").type == .vector)
    }

    @Test("a selector gives its matchers, and nothing else is one")
    func selector() throws {
        #expect(
            try PromQLParser.selector("up{job!=\"a\",i=~\"b|c\"}") == [
                LabelMatcher("__name__", .equal, "up"), LabelMatcher("job", .notEqual, "a"),
                LabelMatcher("i", .matches, "b|c")
            ])
        for text in ["1", "sum(x)", "x[5m]", "x + y", "x{a=~\"(\"}", ""] {
            #expect(throws: QueryError.self, "\(text)") { try PromQLParser.selector(text) }
        }
        // Whether one may match everything depends on what it is for.
        #expect(try PromQLParser.selector("{}").isEmpty)
    }

    @Test("nesting and chains have a limit")
    func limits() {
        let nested = String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000)
        #expect(throws: QueryError.self) { try PromQLParser.parse(nested) }
        let signs = String(repeating: "-", count: 100_000) + "1"
        #expect(throws: QueryError.self) { try PromQLParser.parse(signs) }
        let chain = String(repeating: "1+", count: 100_000) + "1"
        #expect(throws: QueryError.self) { try PromQLParser.parse(chain) }
        #expect(throws: QueryError.self) { try PromQLParser.parse("x[" + String(repeating: "(", count: 100_000)) }
    }

    @Test(
        "whatever a query is cut down to, the parser answers",
        arguments: ["sum by (a) (rate({\"x\", b=~\"c.*\"}[5m:1m] @ 5 offset -1h)) / on (a) group_left (b) y </ 1e3"])
    func truncations(text: String) {
        for length in 0..<text.utf8.count {
            _ = try? PromQLParser.parse(String(decoding: text.utf8.prefix(length), as: UTF8.self))
            var bytes = Array(text.utf8)
            bytes[length] ^= 0x15
            _ = try? PromQLParser.parse(String(decoding: bytes, as: UTF8.self))
        }
    }
}
