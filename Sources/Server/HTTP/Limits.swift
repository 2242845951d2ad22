/// Limits of the HTTP listeners that nobody has had reason to set.
enum Limits {
    /// Eight times Go's default for one header (`http.DefaultMaxHeaderBytes` is 1 MiB for all of them; proxies commonly stop at 8 KiB):
    /// a PromQL query sent by GET fits, a flood does not.
    static let headerByteCountMax = 64 * 1024
    static let headerCountMax = 128
    /// Bodies in memory at once, over all connections. With the store's own memory it keeps the process within about 1 GiB
    /// under a flood of large requests; what goes over gets 429.
    static let bodiesInFlightByteCountMax = 256 << 20
    /// What is reserved for a body by its announced length: most are smaller, and a liar gets no more.
    static let bodyReservationByteCountMax = 4 << 20
    /// Bytes that one read of a connection may bring.
    static let receiveBufferByteCountMax = 256 << 10
    /// A query in a form body: far over any query that a person or Grafana writes.
    static let formByteCountMax = 4 << 20
    /// Answers at least so long, in bytes, are compressed where the client takes it: shorter ones arrive in one round trip anyway, since a
    /// connection begins with a window of ten segments (RFC 6928).
    static let compressedAnswerByteCountMin = 14_600
    /// Open connections of one listener: two file descriptors each under the common limit of 8,192 stay below it.
    static let connectionCountMax = 4_096
    /// Connections without a request, or with one that stands still, are closed after this.
    static let idleTimeoutSeconds: Int64 = 75
    /// The whole body of a request must have come by then: 64 MiB at 4 Mbit/s.
    static let bodyTimeoutSeconds: Int64 = 130
    /// Points that one range query may return for a series (Prometheus, `web/api/v1`).
    static let pointsPerSeriesMax: Int64 = 11_000
    /// How long a session of the web app lasts.
    static let sessionSeconds: Int64 = 30 * 86_400
    /// A frame that a WebSocket's client may send: nothing that it says is longer than a ping or the reason of a close.
    static let webSocketFrameByteCountMax = 4 << 10
}
