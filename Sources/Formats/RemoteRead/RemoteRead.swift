import Codecs
package import Telemetry

/// Prometheus' remote read 1.0, plain samples or streamed chunks (prometheus.io/docs/prometheus/latest/querying/remote_read_api).
package enum RemoteRead {
    static let format = "remote read"

    /// One query of a request.
    package struct Query: Sendable, Hashable {
        package var range: TimeRange
        package var matchers: [LabelMatcher]
    }

    /// How an answer is written.
    package enum ResponseType: UInt64, Sendable, Hashable {
        case samples = 0
        case streamedChunks = 1
    }

    /// A `ReadRequest`.
    package struct Request: Sendable, Hashable {
        package var queries: [Query] = []
        /// The types of answers that the client takes, the one that it likes best first; those that nobody knows left out.
        package var responseTypes: [ResponseType] = []
    }

    /// Decodes an uncompressed `ReadRequest`.
    package static func decodeRequest(_ bytes: Span<UInt8>) throws(FormatError) -> Request {
        var request = Request()
        do throws(DecodeError) {
            var reader = ProtobufReader(bytes)
            while let field = try reader.next(in: bytes) {
                switch field.number {
                case 1: request.queries.append(try query(try field.message("ReadRequest.queries"), bytes))
                case 2:
                    var types: [UInt64] = []
                    try field.appendUInt64s("ReadRequest.accepted_response_types", in: bytes, to: &types)
                    request.responseTypes += types.compactMap { ResponseType(rawValue: $0) }
                default: break
                }
            }
        } catch {
            throw FormatError(format, error)
        }
        return request
    }

    /// The queries of an uncompressed `ReadRequest`.
    package static func decode(_ bytes: Span<UInt8>) throws(FormatError) -> [Query] {
        try decodeRequest(bytes).queries
    }

    /// Encodes a `ReadResponse`: the series of each query, in the order of the queries.
    package static func encode(_ results: [MetricBatch]) -> [UInt8] {
        var writer = ProtobufWriter()
        // A result's series lie in its first field, as those of a `WriteRequest` do.
        for result in results { writer.bytes(1, RemoteWrite.encode(result), always: true) }
        return writer.bytes
    }

    private static func query(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Query {
        var reader = message
        var query = Query(range: TimeRange(0, 0), matchers: [])
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: query.range.start = try field.int64("Query.start_timestamp_ms")
            case 2: query.range.end = try field.int64("Query.end_timestamp_ms")
            case 3: query.matchers.append(try matcher(try field.message("Query.matchers"), bytes))
            default: break
            }
        }
        return query
    }

    private static func matcher(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> LabelMatcher {
        var reader = message
        var (kind, name, value) = (Int64(0), "", "")
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: kind = try field.int64("LabelMatcher.type")
            case 2: name = try field.validString("LabelMatcher.name", in: bytes)
            case 3: value = try field.validString("LabelMatcher.value", in: bytes)
            default: break
            }
        }
        let operations: [LabelMatcher.Operation] = [.equal, .notEqual, .matches, .notMatches]
        guard operations.indices.contains(Int(clamping: kind)) else {
            throw DecodeError(offset: message.offset, field: "LabelMatcher.type", "there is no matcher type \(kind)")
        }
        return LabelMatcher(name, operations[Int(kind)], value)
    }
}
