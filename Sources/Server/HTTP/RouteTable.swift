/// Finds the route of a path: a tree over the segments, exact names before captures.
package struct RouteTable: Sendable {
    package enum Match: Sendable {
        case route(Route, captures: [String])
        /// The path exists, but not for this method.
        case otherMethods([Method])
        case none
    }

    private final class Node: Sendable {
        let children: [String: Node]
        let capture: Node?
        /// What `{name...}` here leads to.
        let rest: [Route]
        let routes: [Route]

        init(_ draft: Draft) {
            children = draft.children.mapValues { Node($0) }
            capture = draft.capture.map { Node($0) }
            rest = draft.rest
            routes = draft.routes
        }
    }

    private final class Draft {
        var children: [String: Draft] = [:]
        var capture: Draft?
        var rest: [Route] = []
        var routes: [Route] = []
    }

    private let root: Node

    package init(_ routes: [Route]) {
        let draft = Draft()
        for route in routes {
            var node = draft
            var isRest = false
            for segment in route.pattern.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
                if segment.hasPrefix("{"), segment.hasSuffix("...}") {
                    isRest = true
                    break
                }
                if segment.hasPrefix("{") {
                    let next = node.capture ?? Draft()
                    node.capture = next
                    node = next
                } else {
                    let next = node.children[String(segment)] ?? Draft()
                    node.children[String(segment)] = next
                    node = next
                }
            }
            if isRest { node.rest.append(route) } else { node.routes.append(route) }
        }
        root = Node(draft)
    }

    /// The route for `method` and `path` (without its query).
    package func match(_ method: Method, path: some StringProtocol) -> Match {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { String($0) }
        var captures: [String] = []
        guard let routes = Self.find(segments[...], at: root, &captures) else { return .none }
        if let route = routes.first(where: { $0.methods.contains(method) }) { return .route(route, captures: captures) }
        if method == .head, let route = routes.first(where: { $0.methods.contains(.get) }) { return .route(route, captures: captures) }
        return .otherMethods(routes.flatMap(\.methods))
    }

    private static func find(_ segments: ArraySlice<String>, at node: Node, _ captures: inout [String]) -> [Route]? {
        guard let first = segments.first else { return node.routes.isEmpty ? nil : node.routes }
        if let child = node.children[first], let routes = find(segments.dropFirst(), at: child, &captures) { return routes }
        if let capture = node.capture, !first.isEmpty, let value = PercentEncoding.decode(Array(first.utf8), plusIsSpace: false) {
            captures.append(value)
            if let routes = find(segments.dropFirst(), at: capture, &captures) { return routes }
            captures.removeLast()
        }
        guard !node.rest.isEmpty else { return nil }
        guard let rest = PercentEncoding.decode(Array(segments.joined(separator: "/").utf8), plusIsSpace: false) else { return nil }
        captures.append(rest)
        return node.rest
    }
}
