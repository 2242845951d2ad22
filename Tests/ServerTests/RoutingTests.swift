import Server
import Testing

/// Paths and parameters.
@Suite("Routing") struct RoutingTests {
    static let table = RouteTable(
        [
            "/", "/api/v1/query", "/api/v1/label/{name}/values", "/api/traces/{id}", "/files/{path...}",
        ].map { pattern in Route([.get], pattern, scope: nil, errors: .text) { _ in .text(pattern) } }
            + [Route([.post], "/api/v1/write", scope: .ingest, errors: .text) { _ in .text("write") }])

    /// A path, the pattern that answers it (nil: none) and what it captures.
    static let paths: [(path: String, pattern: String?, captures: [String])] = [
        ("/", "/", []), ("/api/v1/query", "/api/v1/query", []), ("/api/v1/query/", nil, []), ("/api/v1", nil, []),
        ("/api/v1/label/job/values", "/api/v1/label/{name}/values", ["job"]),
        ("/api/v1/label/a%2Fb%20c/values", "/api/v1/label/{name}/values", ["a/b c"]), ("/api/v1/label//values", nil, []),
        ("/api/v1/label/%zz/values", nil, []), ("/api/traces/abc", "/api/traces/{id}", ["abc"]),
        ("/files/a/b.js", "/files/{path...}", ["a/b.js"]), ("/files/", "/files/{path...}", [""]), ("/FILES/a", nil, []),
    ]

    @Test("a path finds its route and what it captures, decoded once", arguments: paths.indices)
    func routes(index: Int) {
        let row = Self.paths[index]
        switch Self.table.match(.get, path: row.path) {
        case .route(let route, let captures):
            #expect(route.pattern == row.pattern)
            #expect(captures == row.captures)
        case .otherMethods: Issue.record("\(row.path) has no other methods")
        case .none: #expect(row.pattern == nil)
        }
    }

    @Test("a path that exists for another method says so")
    func otherMethods() {
        guard case .otherMethods(let methods) = Self.table.match(.get, path: "/api/v1/write") else {
            Issue.record("GET of a POST route must be told apart from nothing")
            return
        }
        #expect(methods == [.post])
    }

    /// A form, a name, and all its values.
    static let forms: [(text: String, name: String, values: [String])] = [
        ("a=1&b=2&a=3", "a", ["1", "3"]), ("match%5B%5D=up%7Ba%3D%22b%22%7D", "match[]", ["up{a=\"b\"}"]), ("q=a+b%2Bc", "q", ["a b+c"]),
        ("a", "a", [""]), ("a=", "a", [""]), ("a=b=c", "a", ["b=c"]), ("&&a=1&&", "a", ["1"]), ("", "a", []), ("a=%C3%A9", "a", ["é"]),
        ("a=%ff", "a", ["\u{fffd}"]),
    ]

    @Test("forms are read as Go reads them", arguments: forms.indices)
    func readForm(index: Int) throws {
        let row = Self.forms[index]
        #expect(try FormParameters(row.text.utf8).all(row.name) == row.values)
    }

    @Test("a broken escape is 400", arguments: ["a=%", "a=%4", "%zz=1"])
    func brokenEscapes(text: String) {
        let error = #expect(throws: APIError.self) { try FormParameters(text.utf8) }
        #expect(error?.status == 400)
    }
}
