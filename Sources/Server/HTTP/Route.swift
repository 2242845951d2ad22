/// One endpoint: where it is, who may call it, what it does, and how it says that something went wrong.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Call) async throws -> Answer

    package var methods: [Method]
    /// `/api/v1/label/{name}/values`: a segment in braces takes any value, and `{name...}` at the end takes the rest of the path.
    package var pattern: String
    /// The scope that a token needs; nil where everybody may call.
    package var scope: Scope?
    package var errors: ErrorShape
    /// Where the handler runs.
    package var place = Workplace.shared
    package var handler: Handler

    package init(_ methods: [Method], _ pattern: String, scope: Scope?, errors: ErrorShape, handler: @escaping Handler) {
        self.methods = methods
        self.pattern = pattern
        self.scope = scope
        self.errors = errors
        self.handler = handler
    }

    package static func get(_ pattern: String, scope: Scope?, errors: ErrorShape, handler: @escaping Handler) -> Route {
        Route([.get], pattern, scope: scope, errors: errors, handler: handler)
    }

    package static func post(_ pattern: String, scope: Scope?, errors: ErrorShape, handler: @escaping Handler) -> Route {
        Route([.post], pattern, scope: scope, errors: errors, handler: handler)
    }

    /// GET with URL parameters or POST with a form.
    package static func form(_ pattern: String, scope: Scope?, errors: ErrorShape, handler: @escaping Handler) -> Route {
        Route([.get, .post], pattern, scope: scope, errors: errors, handler: handler)
    }

    /// The same route with its handler on other threads.
    package func on(_ place: Workplace) -> Route {
        var route = self
        route.place = place
        return route
    }
}
