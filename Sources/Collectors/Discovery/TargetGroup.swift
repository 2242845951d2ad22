import Codecs
import Settings
package import Telemetry

/// Targets that share labels, as a discovery finds them.
package struct TargetGroup: Sendable, Hashable {
    /// Tells it from the other groups of its discovery; a later group of the same source replaces it.
    package var source: String
    /// Each has at least `__address__`; what it says wins over ``labels``.
    package var targets: [Labels]
    package var labels: Labels

    package init(source: String = "", targets: [Labels], labels: Labels = .empty) {
        self.source = source
        self.targets = targets
        self.labels = labels
    }

    /// Targets of which only the addresses are known.
    package init(source: String = "", addresses: [String], labels: Labels = .empty) {
        self.init(
            source: source, targets: addresses.map { Labels(sorted: $0.isEmpty ? [] : [Label(Self.addressLabel, $0)]) },
            labels: labels)
    }

    package static let addressLabel = "__address__"

    /// The whole label set of each target.
    package var labelSets: [Labels] {
        targets.map { target in labels.isEmpty ? target : Labels(labels.pairs + target.pairs) }
    }
}

extension TargetGroup {
    /// An entry of `static_configs`, or of a YAML file that `file_sd_configs` names.
    init(_ node: ConfigurationNode, source: String) throws(ConfigurationError) {
        let mapping = try node.mapping(["targets", "labels"])
        var addresses: [String] = []
        for target in try mapping["targets"]?.list ?? [] { addresses.append(try target.nonEmptyString) }
        var labels: [Label] = []
        for (key, value) in try mapping["labels"]?.pairs ?? [] {
            labels.append(Label(try key.nonEmptyString, try value.string))
        }
        self.init(source: source, addresses: addresses, labels: Labels(labels))
    }

    /// The groups of a JSON document: `[{"targets": ["a:1"], "labels": {"b": "c"}}]`.
    ///
    /// - Parameters:
    ///   - source: what groups are named after, with their place.
    ///   - labels: which every group gets.
    static func groups(json bytes: [UInt8], source: String, labels more: [Label]) throws(DiscoveryError) -> [TargetGroup] {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes.span)
        } catch {
            throw DiscoveryError("no valid JSON: \(error)")
        }
        guard let items = document.array else { throw DiscoveryError("expected a list of target groups") }
        var groups: [TargetGroup] = []
        for (index, item) in items.enumerated() {
            guard let object = item.object else { throw DiscoveryError("target group \(index): expected an object with targets and labels") }
            var group = TargetGroup(source: "\(source):\(index)", targets: [])
            var labels: [Label] = []
            for member in object.members {
                switch (member.name, member.value) {
                case ("targets", .array(let targets)):
                    for target in targets {
                        guard let address = target.string else {
                            throw DiscoveryError("target group \(index): targets must be strings")
                        }
                        group.targets.append(Labels(sorted: address.isEmpty ? [] : [Label(addressLabel, address)]))
                    }
                case ("labels", .object(let members)):
                    for label in members.members {
                        guard let value = label.value.string else {
                            throw DiscoveryError("target group \(index): the label \(label.name) must be a string")
                        }
                        labels.append(Label(label.name, value))
                    }
                case ("targets", .null), ("labels", .null): break
                default: throw DiscoveryError("target group \(index): unexpected \(member.name.debugDescription)")
                }
            }
            group.labels = Labels(labels + more)
            groups.append(group)
        }
        return groups
    }
}

/// Label names out of what others use as keys (Prometheus, `strutil.SanitizeLabelName`).
enum LabelName {
    /// Every character but letters, digits and `_` of ASCII becomes `_`.
    static func sanitize(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": bytes.append(UInt8(ascii: scalar))
            default: bytes.append(UInt8(ascii: "_"))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// `host:port`, IPv6 addresses in brackets (Go, `net.JoinHostPort`).
    static func hostPort(_ host: String, _ port: some BinaryInteger) -> String { hostPort(host, String(port)) }

    static func hostPort(_ host: String, _ port: String) -> String {
        host.contains(":") || host.contains("%") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
