import Codecs
import Formats
import Foundation
import Server
import Query
import Telemetry
import TestSupport
import Testing

/// What a sender hears when the store cannot take anything, by every protocol.
@Suite("Refused writes") struct RefusalTests {
    private static let loki = Array(#"{"streams":[{"stream":{"a":"b"},"values":[["\#(IngestTests.now)","y"]]}]}"#.utf8)

    private static let remoteWrite: [UInt8] = {
        var series = ProtobufWriter()
        series.message(1) { series in
            series.message(1) { label in
                label.string(1, "__name__")
                label.string(2, "m")
            }
            series.message(2) { sample in
                sample.double(1, 1)
                sample.int64(2, IngestTests.now / 1_000_000)
            }
        }
        let bytes = series.bytes
        return Compression.snappy.compress(bytes.span)
    }()

    /// What the store says, and what a sender must see: OTLP clients try again only after 429, 502, 503 and 504.
    static let cases: [(code: StoreError.Code, status: Int, otlpStatus: Int, retryAfter: String?)] = [
        (.diskFull, 507, 503, "60"), (.overloaded, 429, 429, "1"), (.closed, 503, 503, "5"), (.rejected, 400, 400, nil),
        (.system, 500, 500, nil),
    ]

    @Test("every protocol says so with its own status, when to try again, and the store's own words", arguments: cases.indices)
    func statuses(index: Int) async throws {
        let row = Self.cases[index]
        try await TestServer.run { server in
            server.store.refuse(StoreError(row.code, "5 bytes are free, 7 are wanted", remedy: "Free space."))
            let snappy = [("Content-Encoding", "snappy")]
            let requests: [(path: String, type: String, headers: [(String, String)], body: [UInt8], isOTLP: Bool)] = [
                ("/api/v1/write", "application/x-protobuf", snappy, Self.remoteWrite, false),
                ("/loki/api/v1/push", "application/json", [], Self.loki, false),
                ("/v1/traces", "application/json", [], IngestTests.traces(IngestTests.span("00000000000000000000000000000def")), true),
            ]
            for request in requests {
                let reply = try await server.post(request.path, type: request.type, headers: request.headers, body: request.body)
                #expect(reply.status == (request.isOTLP ? row.otlpStatus : row.status), "\(request.path): \(reply.text)")
                #expect(reply.header("Retry-After") == row.retryAfter, "\(request.path)")
                #expect(reply.text.contains("5 bytes are free, 7 are wanted"), "\(request.path): \(reply.text)")
            }
            // Reads and the server's own pages go on, and so do writes once the cause is gone.
            #expect(try await server.get("/api/v1/query?query=up").status == 200)
            server.store.refuse(nil)
            for request in requests {
                let reply = try await server.post(request.path, type: request.type, headers: request.headers, body: request.body)
                #expect(reply.status == 200 || reply.status == 204, "\(request.path): \(reply.text)")
            }
        }
    }
}
