import Settings

/// The options of a TCP module (blackbox exporter, CONFIGURATION.md, "tcp_probe").
package struct TCPProbeOptions: Sendable, Hashable {
    /// One step of a conversation: wait for something, say something, go over to TLS.
    package struct Step: Sendable, Hashable {
        /// Lines are read until one matches.
        var expect: ProbeExpression?
        var expectBytes = ""
        /// `${1}` stands for a group of ``expect``.
        var send = ""
        var startsTLS = false
        /// The labels of `probe_expect_info`.
        var labels: [Label] = []
    }

    package struct Label: Sendable, Hashable {
        var name: String
        var value: String
    }

    package var address = ProbeAddressOptions()
    package var steps: [Step] = []
    package var usesTLS = false
    package var tls = TLSOptions()

    package init() {}

    static func load(_ node: ConfigurationNode?) throws(ConfigurationError) -> TCPProbeOptions {
        var options = TCPProbeOptions()
        guard let node else { return options }
        let mapping = try node.mapping(ProbeAddressOptions.keys + ["source_ip_address", "query_response", "tls", "tls_config"])
        options.address = try ProbeAddressOptions(mapping)
        options.usesTLS = try mapping["tls"]?.bool ?? false
        if let node = mapping["tls_config"] { options.tls = try TLSOptions(node) }
        for item in try mapping["query_response"]?.list ?? [] {
            let fields = try item.mapping(["expect", "expect_bytes", "send", "starttls", "labels"])
            var step = Step()
            if let node = fields["expect"] { step.expect = try ProbeExpression(node) }
            if let node = fields["expect_bytes"] {
                guard step.expect == nil else { throw node.error("at most one of expect and expect_bytes must be configured") }
                step.expectBytes = try node.string
            }
            step.send = try fields["send"]?.string ?? ""
            step.startsTLS = try fields["starttls"]?.bool ?? false
            for label in try fields["labels"]?.list ?? [] {
                let pair = try label.mapping(["name", "value"])
                step.labels.append(Label(name: try pair.required("name").nonEmptyString, value: try pair["value"]?.string ?? ""))
            }
            options.steps.append(step)
        }
        return options
    }
}
