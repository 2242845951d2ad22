import Settings
package import Telemetry

/// What is scraped: a URL and the labels that its samples get.
package struct ScrapeTarget: Sendable, Hashable {
    package var url: String
    /// The labels that samples get: those that do not start with `__`.
    package var labels: Labels
    /// The labels as discovered, before relabelling.
    package var discoveredLabels: Labels
    package var interval: Duration
    package var timeout: Duration
    package var options: ScrapeOptions

    /// Two targets are the same if they are fetched and treated alike, however they were discovered.
    package static func == (left: ScrapeTarget, right: ScrapeTarget) -> Bool {
        left.url == right.url && left.labels == right.labels && left.interval == right.interval
            && left.timeout == right.timeout
            && left.options == right.options
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(url)
        hasher.combine(labels)
    }

    /// A hash that is the same in every process: it places the target's scrapes within the interval.
    var offsetHash: UInt64 {
        var hash = FNV1a()
        hash.combine(url)
        for label in labels.pairs {
            hash.combine(label.name)
            hash.combine(label.value)
        }
        // The low bits of FNV-1a of texts that differ in their last digits alone lie close together.
        var mixed = hash.value
        mixed = (mixed ^ (mixed >> 33)) &* 0xff51_afd7_ed55_8ccd
        return mixed ^ (mixed >> 33)
    }
}

/// FNV-1a, 64 bits.
struct FNV1a {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combine(_ text: String) {
        for byte in text.utf8 { combine(byte) }
        combine(0xff)
    }

    mutating func combine(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
    }
}

/// What becomes of one discovered target.
enum TargetOutcome: Sendable {
    case active(ScrapeTarget)
    /// Relabelling dropped it; its discovered labels.
    case dropped(Labels)
    /// It has no address, or one that makes no URL.
    case invalid(Labels, reason: String)
}

extension ScrapeConfiguration {
    /// Turns what was discovered into targets: default labels, relabelling, checks (Prometheus, `scrape.PopulateLabels`).
    func outcomes(of groups: [TargetGroup]) -> [TargetOutcome] {
        groups.flatMap { group in group.labelSets.map(outcome) }
    }

    private func outcome(of found: Labels) -> TargetOutcome {
        var labels = found
        let defaults = [
            ("job", jobName), ("__scrape_interval__", DurationText.format(interval)),
            ("__scrape_timeout__", DurationText.format(timeout)),
            ("__metrics_path__", metricsPath), ("__scheme__", scheme),
        ]
        for (name, value) in defaults where labels[name] == nil { labels[name] = value }
        for parameter in parameters {
            if let first = parameter.values.first, labels["__param_" + parameter.name] == nil {
                labels["__param_" + parameter.name] = first
            }
        }
        let discovered = labels
        guard RelabelRule.apply(relabelRules, to: &labels) else { return .dropped(discovered) }
        guard let address = labels["__address__"] else { return .invalid(discovered, reason: "no address") }
        guard !address.contains("/"), !address.contains(" ") else {
            return .invalid(discovered, reason: "\(address.debugDescription) is not a valid hostname")
        }
        let intervalText = labels["__scrape_interval__"] ?? ""
        let timeoutText = labels["__scrape_timeout__"] ?? ""
        guard let interval = DurationText.parse(intervalText), interval > .zero else {
            return .invalid(
                discovered,
                reason: "error parsing scrape interval: \(intervalText.debugDescription) is no duration above 0")
        }
        guard let timeout = DurationText.parse(timeoutText), timeout > .zero, timeout <= interval else {
            return .invalid(
                discovered,
                reason:
                    "scrape timeout \(timeoutText.debugDescription) must be a duration above 0 and not above the interval (\(intervalText))"
            )
        }
        let scheme = labels["__scheme__"] ?? "http"
        guard scheme == "http" || scheme == "https" else {
            return .invalid(discovered, reason: "unsupported scheme \(scheme.debugDescription): expected http or https")
        }
        let url = url(scheme: scheme, address: address, labels: labels)
        if labels["instance"] == nil { labels["instance"] = address }
        let public_ = Labels(sorted: labels.pairs.filter { !$0.name.hasPrefix("__") })
        return .active(
            ScrapeTarget(
                url: url, labels: public_, discoveredLabels: discovered, interval: interval, timeout: timeout,
                options: options))
    }

    private func url(scheme: String, address: String, labels: Labels) -> String {
        var path = labels["__metrics_path__"] ?? "/metrics"
        if !path.hasPrefix("/") { path = "/" + path }
        var query: [(String, String)] = []
        var named: Set<String> = []
        for parameter in parameters {
            named.insert(parameter.name)
            for (index, value) in parameter.values.enumerated() {
                query.append((parameter.name, index == 0 ? labels["__param_" + parameter.name] ?? value : value))
            }
        }
        for label in labels.pairs where label.name.hasPrefix("__param_") {
            let name = String(label.name.dropFirst("__param_".count))
            if !named.contains(name) { query.append((name, label.value)) }
        }
        query.sort { $0.0.utf8Precedes($1.0) }
        let text = query.map { PercentEncoding.query($0.0) + "=" + PercentEncoding.query($0.1) }.joined(separator: "&")
        return "\(scheme)://\(address)\(PercentEncoding.path(path))"
            + (text.isEmpty ? "" : (path.contains("?") ? "&" : "?") + text)
    }
}

/// Percent-encoding as Go's `net/url` does it.
enum PercentEncoding {
    /// For the name or value of a query parameter: all but unreserved characters; a space becomes a plus sign.
    static func query(_ text: String) -> String {
        encode(text) { isUnreserved($0) }.replacing("%20", with: "+")
    }

    /// For a path that may carry a query of its own.
    static func path(_ text: String) -> String {
        encode(text) { isUnreserved($0) || "/?&=$+:@%,;!*'()".utf8.contains($0) }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-_.~".utf8.contains(byte)
        }
    }

    private static func encode(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isKept(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
