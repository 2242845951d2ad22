package import Telemetry

/// An entry of `clients`: a Loki that lines are pushed to.
package struct PromtailClient: Sendable, Hashable {
    package var name = ""
    /// With the path of the push endpoint.
    package var url: String
    /// `X-Scope-OrgID`; empty: none, unless a line has a tenant of its own.
    package var tenant = ""
    package var batchWait: Duration = .seconds(1)
    /// Bytes of lines before a batch is sent.
    package var batchByteCountMax = 1 << 20
    package var headers: [Header] = []
    package var externalLabels: Labels = .empty
    package var timeout: Duration = .seconds(10)
    package var backoffMin: Duration = .milliseconds(500)
    package var backoffMax: Duration = .seconds(300)
    /// How often a batch is tried; 0: until it is taken. Apus keeps what is not taken in its spool instead of losing it.
    package var retryCountMax = 10
    /// Do not send a batch again that was refused with 429.
    package var dropsRateLimitedBatches = false
    package var http = HTTPClientOptions()

    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: String
    }
}

/// The section `tls_config` of a listener. Empty paths: not given.
package struct PromtailTLS: Sendable, Hashable {
    package var caFile = ""
    package var certificateFile = ""
    package var keyFile = ""
    package var serverName = ""
    package var skipsVerification = false
    /// The texts themselves, where they stand in the file instead.
    package var ca = ""
    package var certificate = ""
    package var key = ""
}
