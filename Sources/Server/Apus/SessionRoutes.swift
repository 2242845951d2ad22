import Codecs
import Telemetry

/// The web app's session: trades a token for a cookie that scripts cannot read.
struct SessionRoutes {
    let settings: LiveSettings
    let time: TimeSource

    var routes: [Route] {
        [
            .get("/api/apus/session", scope: nil, errors: .apus) { session($0.principal) },
            .post("/api/apus/session", scope: nil, errors: .apus) { try open($0) },
            Route([.delete], "/api/apus/session", scope: nil, errors: .apus) { close($0) },
        ]
    }

    private func session(_ principal: Principal) -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("authenticated", !principal.scopes.isEmpty)
        json.field("required", settings.current.access.isRequired)
        json.field("scopes", Scope.allCases.filter { principal.may($0) }.map(\.rawValue))
        json.endObject()
        return .json(json.bytes)
    }

    private func open(_ call: Call) throws -> Answer {
        let access = settings.current.access
        guard access.isRequired else { return session(.open) }
        guard let secret = try JSONBody.string("token", in: call) else {
            throw APIError(.badRequest, "the body must be {\"token\": \"…\"}")
        }
        guard let token = access.token(Array(secret.utf8)) else { throw APIError(.unauthenticated, "unknown token") }
        var answer = session(Principal(name: token.name, scopes: token.scopes))
        let value = Session.make(token: token, now: time.milliseconds / 1_000)
        answer.headers.append(("Set-Cookie", Session.cookie(value, isSecure: Self.isSecure(call))))
        return answer
    }

    private func close(_ call: Call) -> Answer {
        var answer = session(settings.current.access.isRequired ? .anonymous : .open)
        answer.headers.append(("Set-Cookie", Session.cookie(nil, isSecure: Self.isSecure(call))))
        return answer
    }

    /// Behind a proxy that speaks TLS the cookie is for TLS alone.
    private static func isSecure(_ call: Call) -> Bool {
        call.headers["x-forwarded-proto"]?.lowercased() == "https"
    }
}
