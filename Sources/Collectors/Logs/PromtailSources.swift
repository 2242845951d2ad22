package import Telemetry

/// An entry of `docker_sd_configs`: the containers of a Docker daemon.
package struct PromtailDockerDiscovery: Sendable, Hashable {
    package struct Filter: Sendable, Hashable {
        package var name: String
        package var values: [String]
    }

    /// Such as `unix:///var/run/docker.sock`.
    package var host: String
    package var port = 80
    package var hostNetworkingHost = "localhost"
    package var matchesFirstNetwork = true
    package var filters: [Filter] = []
    package var refreshInterval: Duration = .seconds(60)
    package var http = HTTPClientOptions()
}

/// The section `journal`: what systemd's journal holds.
package struct PromtailJournal: Sendable, Hashable {
    /// How old an entry may be at the start.
    package var maxAge: Duration = .seconds(7 * 3_600)
    /// The line is the whole entry as JSON, not its `MESSAGE`.
    package var isJSON = false
    package var labels: Labels = .empty
    /// The folder of the journal; empty: the system's.
    package var path = ""
    /// `FIELD=value` pairs that must all hold, separated by blanks.
    package var matches: [String] = []
}

/// The section `syslog`: a listener for RFC 5424 or RFC 3164 messages.
package struct PromtailSyslog: Sendable, Hashable {
    package enum Format: String, Sendable, Hashable, CaseIterable { case rfc5424, rfc3164 }
    package enum Transport: String, Sendable, Hashable, CaseIterable { case tcp, udp }

    package var listenAddress: String
    package var transport = Transport.tcp
    package var idleTimeout: Duration = .seconds(120)
    package var labelsStructuredData = false
    package var labels: Labels = .empty
    package var usesIncomingTimestamp = false
    /// The line is the whole message, not its text.
    package var usesWholeMessage = false
    package var format = Format.rfc5424
    package var messageByteCountMax = 8_192
    package var tls: PromtailTLS?
}

/// The section `loki_push_api`: a server that others push to.
package struct PromtailPush: Sendable, Hashable {
    package var server = PromtailServer()
    package var labels: Labels = .empty
    package var usesIncomingTimestamp = false
}

/// The section `decompression`.
package struct PromtailDecompression: Sendable, Hashable {
    package enum Format: String, Sendable, Hashable, CaseIterable { case gz, z, bz2, zst }

    package var isEnabled = false
    package var initialDelay: Duration = .zero
    /// nil: by the file's name.
    package var format: Format?
}
