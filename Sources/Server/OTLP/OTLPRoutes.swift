import Formats
import Telemetry

/// OTLP over HTTP (OTLP specification, "OTLP/HTTP"): protobuf or JSON, at OTLP's own paths and at those of Prometheus and Loki.
struct OTLPRoutes {
    let receiver: OTLPReceiver

    var routes: [Route] {
        let paths: [(String, Signal)] = [
            ("/v1/traces", .spans), ("/v1/metrics", .metrics), ("/v1/logs", .logs), ("/api/v1/otlp/v1/metrics", .metrics),
            ("/otlp/v1/logs", .logs), ("/otlp/v1/traces", .spans), ("/otlp/v1/metrics", .metrics),
        ]
        return paths.map { path, signal in
            .post(path, scope: .ingest, errors: .otlp) { call in try await export(call, signal) }
        }
    }

    private func export(_ call: Call, _ signal: Signal) async throws -> Answer {
        let encoding: OTLP.Encoding
        switch call.mediaType {
        case "application/x-protobuf", "application/protobuf", "application/octet-stream", "": encoding = .protobuf
        case "application/json": encoding = .json
        case let other:
            throw APIError(.unsupportedEncoding, "unsupported Content-Type \"\(other)\": send application/x-protobuf or application/json")
        }
        let response = try await receiver.export(signal, encoding: encoding, over: .otlpHTTP, byteCount: call.body.count) {
            try call.decodedBody()
        }
        return Answer(contentType: encoding == .json ? "application/json" : "application/x-protobuf", body: response)
    }
}
