import Codecs
import Testing

@testable import Collectors

@Suite("JMESPath")
struct JMESPathTests {
    static let document = #"""
        {"a":{"b":{"c":"deep"},"list":[1,2,3,4]},"people":[{"name":"a","age":30,"tags":["x"]},{"name":"b","age":50},{"name":"c","age":40,"tags":["y","z"]}],
        "with space":1,"ops":{"f1":{"n":1},"f2":{"n":2}},"nested":[[0,1],[2,[3]],4],"null":null,"text":"hello","empty":[],"flag":true}
        """#

    /// The expression and what the specification's own examples say it finds, as JSON.
    static let cases: [(expression: String, result: String)] = [
        ("a.b.c", #""deep""#), ("a.x.c", "null"), ("\"with space\"", "1"), ("a.list[0]", "1"), ("a.list[-1]", "4"), ("a.list[9]", "null"),
        ("a.list[1:3]", "[2,3]"), ("a.list[::2]", "[1,3]"), ("a.list[::-1]", "[4,3,2,1]"), ("people[*].name", #"["a","b","c"]"#),
        ("people[].tags[]", #"["x","y","z"]"#), ("ops.*.n", "[1,2]"), ("nested[]", "[0,1,2,[3],4]"), ("people[?age > `35`].name", #"["b","c"]"#),
        ("people[?name == 'a'].age | [0]", "30"), ("people[?tags && age < `50`].name", #"["a","c"]"#), ("[text, flag]", #"["hello",true]"#),
        ("{t: text, n: a.list[0]}", #"{"t":"hello","n":1}"#), ("missing || text", #""hello""#), ("missing && text", "null"), ("!missing", "true"),
        ("`[1, 2]`", "[1,2]"), ("length(people)", "3"), ("length(text)", "5"), ("max_by(people, &age).name", #""b""#),
        ("sort_by(people, &age)[*].age", "[30,40,50]"), ("sum(a.list)", "10"), ("avg(a.list)", "2.5"), ("join('-', people[*].name)", #""a-b-c""#),
        ("contains(text, 'ell')", "true"), ("starts_with(text, 'he')", "true"), ("keys(ops)", #"["f1","f2"]"#), ("to_string(a.b)", #""{\"c\":\"deep\"}""#),
        ("to_number('12.5')", "12.5"), ("type(people)", #""array""#), ("not_null(missing, text)", #""hello""#), ("reverse(a.list)", "[4,3,2,1]"),
        ("map(&name, people)", #"["a","b","c"]"#), ("merge(ops.f1, `{\"m\": 3}`)", #"{"n":1,"m":3}"#), ("ceil(`1.2`)", "2"), ("@.text", #""hello""#),
        ("people[?age >= `40` || name == 'a'].age", "[30,50,40]"), ("values(ops)[*].n", "[1,2]"), ("(a.list)[1]", "2"), ("a.list[*] | length(@)", "4"),
    ]

    @Test("an expression finds what the specification says", arguments: cases.indices)
    func search(index: Int) throws {
        let (expression, result) = Self.cases[index]
        let document = try JSONValue(parsing: Array(Self.document.utf8).span)
        let found = try JMESPath(expression).search(document)
        #expect(JSONText.text(found) == result, "\(expression)")
    }

    @Test("what is no expression is refused", arguments: ["a.", "a[", "a.[", "[?a", "{a}", "foo(", "nosuch(a)", "length()", "a b", "'open", "a[0:1:0]", "@@", "&", "`foo`"])
    func refused(expression: String) {
        #expect(throws: JMESPath.Fault.self, "\(expression)") { try JMESPath(expression) }
    }

    @Test("every prefix of an expression is read or refused, and none fails", arguments: cases.indices)
    func prefixes(index: Int) {
        let text = Self.cases[index].expression
        for count in 0...text.count { _ = try? JMESPath(String(text.prefix(count))) }
    }
}
