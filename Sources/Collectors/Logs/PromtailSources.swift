package import Telemetry

/// An entry of `file_sd_configs`: files that name targets, read again whenever they change.
package struct PromtailFileDiscovery: Sendable, Hashable {
    /// Globs.
    package var files: [String]
    package var refreshInterval: Duration
}

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

/// An entry of `kubernetes_sd_configs`. Promtail reads the files that relabelling puts into `__path__`.
package struct PromtailKubernetesDiscovery: Sendable, Hashable {
    package struct Selector: Sendable, Hashable {
        package var role: String
        package var label: String
        package var field: String
    }

    /// `node`, `service`, `pod`, `endpoints`, `endpointslice` or `ingress`.
    package var role: String
    /// Empty: inside the cluster, by the pod's own service account.
    package var apiServer = ""
    package var kubeconfigFile = ""
    package var namespaces: [String] = []
    package var ownNamespace = false
    package var selectors: [Selector] = []
    package var attachesNodeMetadata = false
    package var http = HTTPClientOptions()
}

/// An entry of `consul_sd_configs` or `consulagent_sd_configs`.
package struct PromtailConsulDiscovery: Sendable, Hashable {
    /// Ask the agent for its own services instead of the catalogue.
    package var isAgent: Bool
    package var server = "localhost:8500"
    package var scheme = "http"
    package var token = ""
    package var datacenter = ""
    package var namespace = ""
    package var partition = ""
    package var services: [String] = []
    package var tags: [String] = []
    package var nodeMetadata: Labels = .empty
    package var tagSeparator = ","
    package var allowsStale = true
    package var refreshInterval: Duration = .seconds(30)
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
