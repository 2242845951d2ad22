package import Collectors
import Settings

/// What `apus.yaml` says of the collection of logs beside `logs`: a `promtail.yaml`, and what must not be stored.
package struct LogSettings: Sendable {
    /// A `promtail.yaml` that is taken as it is; nil where none is named.
    package var promtail: PromtailConfiguration?
    /// Whether lines go to the file's `clients` too; they are stored here always.
    package var sendsToClients = false
    package var redaction: [RedactionRule] = []

    static let keys = ["promtail", "redact"]

    package init() {}

    /// Reads `promtail: promtail.yaml` or `promtail: {file: promtail.yaml, expand_env: true, send_to_clients: true}`, and `redact`.
    init(_ root: ConfigurationMapping, file: String, environment: [String: String]) throws(ConfigurationError) {
        if let node = root["promtail"] {
            var path = node
            var expands = false
            if case .mapping = node.content {
                let mapping = try node.mapping(["file", "expand_env", "send_to_clients"])
                path = try mapping.required("file")
                expands = try mapping["expand_env"]?.bool ?? false
                sendsToClients = try mapping["send_to_clients"]?.bool ?? false
            }
            promtail = try PromtailConfiguration.load(
                path: ServerSettings.resolve(try path.nonEmptyString, in: file), environment: expands ? environment : nil)
        }
        if let node = root["redact"] { redaction = try RedactionRule.read(node) }
    }
}
