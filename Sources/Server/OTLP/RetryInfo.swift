import Codecs

/// `google.rpc.Status` with a `google.rpc.RetryInfo` among its details, which tells an OTLP exporter when to try again.
enum RetryInfo {
    static func status(_ error: APIError, seconds: Int) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.int64(1, Int64(ErrorShape.rpcCode(error.kind)))
        writer.string(2, error.message)
        // Any {1: type_url, 2: value}, the value being RetryInfo {1: retry_delay}, and that Duration {1: seconds}.
        writer.message(3) { any in
            any.string(1, "type.googleapis.com/google.rpc.RetryInfo")
            any.message(2) { info in
                info.message(1) { $0.int64(1, Int64(seconds)) }
            }
        }
        return writer.bytes
    }
}
