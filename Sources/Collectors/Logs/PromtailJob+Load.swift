import Settings
import Telemetry

extension PromtailJob {
    private static let otherDiscoveries = [
        "digitalocean", "serverset", "nerve", "marathon", "gce", "openstack", "azure", "triton",
    ].map { $0 + "_sd_configs" }

    /// What finds targets whose files are read; Promtail has no `http`.
    private static let discoveryTypes: [any DiscoveryConfiguration.Type] = [
        FileDiscovery.self, HTTPDiscovery.self, DNSDiscovery.self, DockerSwarmDiscovery.self, ConsulDiscovery.self, ConsulAgentDiscovery.self,
        KubernetesDiscovery.self, EC2Discovery.self,
    ]

    private static let notActedOn =
        otherDiscoveries + ["gcplog", "azure_event_hubs", "azure_event_hub", "windows_events", "kafka", "gelf", "cloudflare", "heroku_drain"]

    private static let actedOn =
        [
            "job_name", "pipeline_stages", "journal", "syslog", "loki_push_api", "relabel_configs", "static_configs", "docker_sd_configs",
            "encoding", "decompression",
            // Before Promtail 1.0: the job's own way of wrapping lines.
            "entry_parser",
        ] + discoveryTypes.map { $0.name + "_sd_configs" }

    init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let mapping = try node.mapping(Self.actedOn + Self.notActedOn)
        warnings += mapping.warnings(notActedOn: Self.notActedOn)
        if let old = mapping.key("entry_parser") {
            throw old.error("entry_parser is gone since Promtail 1.0: use pipeline_stages with `docker: {}` or `cri: {}`")
        }
        self.init(name: try mapping["job_name"]?.string ?? "")
        line = node.line
        text = node.canonicalText
        if let stages = mapping["pipeline_stages"] {
            program = try StageProgram(stages, job: name)
            warnings += program.warnings
        }
        for rule in try mapping["relabel_configs"]?.list ?? [] { relabelRules.append(try RelabelRule(rule)) }
        for (index, group) in (try mapping["static_configs"]?.list ?? []).enumerated() {
            staticGroups.append(try TargetGroup(group, source: String(index)))
        }
        for type in Self.discoveryTypes {
            for discovery in try mapping[type.name + "_sd_configs"]?.list ?? [] {
                discoveries.append(DiscoveryEntry(try type.init(discovery, warnings: &warnings)))
            }
        }
        for discovery in try mapping["docker_sd_configs"]?.list ?? [] {
            dockerDiscoveries.append(try PromtailDockerDiscovery(discovery))
        }
        if let node = mapping["journal"] { journal = try PromtailJournal(node) }
        if let node = mapping["syslog"] { syslog = try PromtailSyslog(node) }
        if let node = mapping["loki_push_api"] { push = try PromtailPush(node, warnings: &warnings) }
        if let node = mapping["decompression"] { decompression = try PromtailDecompression(node) }
        let encoding = try mapping["encoding"]?.string ?? ""
        if !encoding.isEmpty { self.encoding = encoding }
    }

    /// A mapping of labels.
    static func labels(_ node: ConfigurationNode?) throws(ConfigurationError) -> Labels {
        guard let node else { return .empty }
        var labels: [Label] = []
        for (key, value) in try node.pairs { labels.append(Label(try key.nonEmptyString, try value.string)) }
        return Labels(labels)
    }
}

extension ConfigurationNode {
    /// The value written in one way, whatever the layout of the file.
    var canonicalText: String {
        switch content {
        case .null: "~"
        case .scalar(let text): text.debugDescription
        case .list(let items): "[" + items.map(\.canonicalText).joined(separator: ",") + "]"
        case .mapping(let pairs):
            "{" + pairs.map { "\($0.key.canonicalText):\($0.value.canonicalText)" }.sorted().joined(separator: ",") + "}"
        }
    }
}
