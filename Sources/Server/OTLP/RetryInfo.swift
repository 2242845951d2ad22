/// `google.rpc.Status` with a `google.rpc.RetryInfo` among its details, which tells an OTLP exporter when to try again.
enum RetryInfo {
    static func status(_ error: APIError, seconds: Int) -> [UInt8] {
        // Duration {1: seconds} in RetryInfo {1: retry_delay} in Any {1: type_url, 2: value} in Status {3: details}.
        let duration: [UInt8] = [0x08, UInt8(truncatingIfNeeded: min(seconds, 127))]
        let info = field(1, duration)
        let any = field(1, Array("type.googleapis.com/google.rpc.RetryInfo".utf8)) + field(2, info)
        return ErrorShape.rpcStatus(error) + field(3, any)
    }

    /// A length-delimited field of fewer than 128 bytes.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(truncatingIfNeeded: bytes.count)] + bytes
    }
}
