import Codecs

/// A JMESPath expression (jmespath.org/specification), as Promtail's `json` stage takes it.
struct JMESPath: Sendable {
    struct Fault: Error, Sendable, CustomStringConvertible {
        var description: String
    }

    indirect enum Node: Sendable, Hashable {
        case current
        case field(String)
        case index(Int)
        case slice(start: Int?, stop: Int?, step: Int)
        /// What `right` finds in what `left` finds; `|` ends projections, `.` does not.
        case chain(Node, Node)
        case projection(Node, Node)
        case valueProjection(Node, Node)
        case filter(Node, condition: Node, Node)
        case flatten(Node)
        case list([Node])
        case hash([Member])
        case or(Node, Node)
        case and(Node, Node)
        case not(Node)
        case comparison(Comparison, Node, Node)
        case literal(JSONValue)
        case function(String, [Node])
        /// `&expression`: handed to a function as it is.
        case reference(Node)
    }

    struct Member: Sendable, Hashable {
        var name: String
        var node: Node
    }

    enum Comparison: String, Sendable, Hashable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    private let root: Node
    /// The names of a path such as `a.b.c`, by far the commonest expression.
    private let path: [String]?

    init(_ text: String) throws(Fault) {
        var parser = try JMESPathParser(text)
        root = try parser.parse()
        path = Self.path(root)
    }

    /// What the expression finds in a value; `null` where it finds nothing.
    func search(_ value: JSONValue) throws(Fault) -> JSONValue {
        guard let path else { return try JMESPathSearch.evaluate(root, value) }
        var value = value
        for name in path {
            guard case .object(let object) = value, let member = object[name] else { return .null }
            value = member
        }
        return value
    }

    /// The name of a member of the outermost object that is all the expression reads.
    var topLevelField: String? { path?.count == 1 ? path?.first : nil }

    private static func path(_ node: Node) -> [String]? {
        switch node {
        case .field(let name): [name]
        case .chain(let left, let right): path(left).flatMap { left in path(right).map { left + $0 } }
        default: nil
        }
    }
}
