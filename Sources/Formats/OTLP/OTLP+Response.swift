import Codecs
package import Telemetry

extension OTLP {
    /// Encodes an `Export…ServiceResponse` of `signal`.
    ///
    /// - Parameters:
    ///   - rejected: how many spans, data points or log records were left out; with 0 and no message, the answer says "all kept".
    ///   - message: why.
    package static func encodeResponse(signal: Signal, rejected: Int, message: String, encoding: Encoding) -> [UInt8] {
        let isPartial = rejected > 0 || !message.isEmpty
        switch encoding {
        case .protobuf:
            var writer = ProtobufWriter()
            if isPartial {
                writer.message(1) { writer in
                    writer.int64(1, Int64(rejected))
                    writer.string(2, message)
                }
            }
            return writer.bytes
        case .json:
            var json = JSONWriter(escapesHTML: false)
            json.object { json in
                guard isPartial else { return }
                json.key("partialSuccess")
                json.object { json in
                    json.field(rejectedName(signal), String(rejected))
                    json.field("errorMessage", message)
                }
            }
            return json.bytes
        }
    }

    private static func rejectedName(_ signal: Signal) -> String {
        switch signal {
        case .metrics: "rejectedDataPoints"
        case .logs: "rejectedLogRecords"
        case .spans: "rejectedSpans"
        case .profiles: "rejectedProfiles"
        }
    }

    /// Encodes a `google.rpc.Status` with a message: OTLP/HTTP's body for an error.
    package static func encodeError(code: Int, message: String, encoding: Encoding) -> [UInt8] {
        switch encoding {
        case .protobuf:
            var writer = ProtobufWriter()
            writer.int64(1, Int64(code))
            writer.string(2, message)
            return writer.bytes
        case .json:
            var json = JSONWriter(escapesHTML: false)
            json.object { json in
                json.field("code", code)
                json.field("message", message)
            }
            return json.bytes
        }
    }
}
