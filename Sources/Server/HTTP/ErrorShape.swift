import Codecs
import Formats

/// How an API says that something went wrong: each peer's clients expect their own body.
package enum ErrorShape: Sendable, Hashable {
    /// `{"status":"error","errorType":"bad_data","error":"…"}` (Prometheus, HTTP API, "Format overview").
    case prometheus
    /// The message as text (Tempo).
    case text
    /// The message as text, with Loki's statuses: what a query does wrong is 400 whenever it shows.
    case loki
    /// `google.rpc.Status` in the request's encoding (OTLP, "OTLP/HTTP Response").
    case otlp
    /// `{"code":"…","message":"…"}` (connect, "Error codes"): Pyroscope's querier.
    case connect
    /// `{"error":"…"}`: Apus' own endpoints.
    case apus
    /// `{"error":{"type":"…","reason":"…"},"status":400}` (Elasticsearch, "REST APIs").
    case elasticsearch

    /// The answer that says `error`.
    func answer(_ error: APIError, to call: Call?) -> Answer {
        var answer = body(error, call)
        switch self {
        case .otlp: answer.status = otlpStatus(error)
        case .loki: answer.status = lokiStatus(error)
        default: answer.status = error.status
        }
        if let seconds = error.retryAfterSeconds { answer.headers.append(("Retry-After", String(seconds))) }
        if error.kind == .unauthenticated { answer.headers.append(("WWW-Authenticate", "Bearer realm=\"apus\"")) }
        return answer
    }

    /// OTLP clients try again only after 429, 502, 503 and 504: a full disk is one of those cases.
    private func otlpStatus(_ error: APIError) -> Int {
        error.kind == .diskFull ? 503 : error.status
    }

    /// Loki's statuses (pkg/util/server, `ClientHTTPStatusAndError`).
    private func lokiStatus(_ error: APIError) -> Int {
        switch error.kind {
        case .execution: 400
        case .cancelled: 499
        case .timeout: 504
        default: error.status
        }
    }

    private func body(_ error: APIError, _ call: Call?) -> Answer {
        var json = JSONWriter()
        switch self {
        case .loki:
            return .text(error.message)
        case .text:
            return .text(error.message + "\n")
        case .prometheus:
            json.beginObject()
            json.field("status", "error")
            json.field("errorType", Self.prometheusType(error.kind))
            json.field("error", error.message)
            json.endObject()
        case .otlp:
            // What was not understood is answered in JSON, which people can read.
            let encoding: OTLP.Encoding = call?.mediaType == "application/x-protobuf" ? .protobuf : .json
            let body = OTLP.encodeError(code: Self.rpcCode(error.kind), message: error.message, encoding: encoding)
            return Answer(contentType: encoding == .protobuf ? "application/x-protobuf" : "application/json", body: body)
        case .connect:
            json.beginObject()
            json.field("code", Self.connectCode(error.kind))
            json.field("message", error.message)
            json.endObject()
        case .apus:
            json.beginObject()
            json.field("error", error.message)
            json.endObject()
        case .elasticsearch:
            json.beginObject()
            json.key("error")
            json.beginObject()
            json.field("type", error.kind == .overloaded ? "es_rejected_execution_exception" : "illegal_argument_exception")
            json.field("reason", error.message)
            json.endObject()
            json.field("status", error.status)
            json.endObject()
        }
        return .json(json.bytes)
    }

    /// The `errorType` of Prometheus (web/api/v1, `errorType`).
    private static func prometheusType(_ kind: APIError.Kind) -> String {
        switch kind {
        case .badRequest, .tooLarge, .unsupportedEncoding, .misdirected, .methodNotAllowed: "bad_data"
        case .unauthenticated: "unauthorized"
        case .forbidden: "forbidden"
        case .notFound: "not_found"
        case .execution: "execution"
        case .timeout: "timeout"
        case .cancelled: "canceled"
        case .overloaded, .unavailable, .diskFull: "unavailable"
        case .internal: "internal"
        }
    }

    /// The code of `google.rpc.Code`.
    static func rpcCode(_ kind: APIError.Kind) -> Int {
        switch kind {
        case .cancelled: 1
        case .badRequest, .unsupportedEncoding, .misdirected, .methodNotAllowed, .execution: 3
        case .timeout: 4
        case .notFound: 5
        case .forbidden: 7
        case .tooLarge, .overloaded: 8
        case .internal: 13
        case .unavailable, .diskFull: 14
        case .unauthenticated: 16
        }
    }

    private static func connectCode(_ kind: APIError.Kind) -> String {
        switch kind {
        case .badRequest, .unsupportedEncoding, .misdirected, .execution: "invalid_argument"
        case .unauthenticated: "unauthenticated"
        case .forbidden: "permission_denied"
        case .notFound: "not_found"
        case .methodNotAllowed: "unimplemented"
        case .tooLarge, .overloaded, .diskFull: "resource_exhausted"
        case .timeout: "deadline_exceeded"
        case .cancelled: "canceled"
        case .unavailable: "unavailable"
        case .internal: "internal"
        }
    }
}
