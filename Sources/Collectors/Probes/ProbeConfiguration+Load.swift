import Settings
import Telemetry

extension ProbeConfiguration {
    private static let intervalDefault = Duration.seconds(30)
    /// So that a probe is over before the next begins.
    private static let timeoutMax = Duration.seconds(10)

    /// - Parameters:
    ///   - blackbox: `blackbox`, the path of blackbox exporter's file.
    ///   - probes: `probes`.
    ///   - file: `apus.yaml`, where relative paths start.
    static func load(blackbox: ConfigurationNode?, probes: ConfigurationNode?, file: String) throws(ConfigurationError) -> ProbeConfiguration {
        var configuration = ProbeConfiguration()
        if let blackbox {
            let path = FileGlob.resolve(try blackbox.nonEmptyString, relativeToFile: file)
            let root = try ConfigurationNode.load(path: path).mapping(["modules"])
            try configuration.add(root["modules"])
        }
        guard let probes else { return configuration }
        let mapping = try probes.mapping(["modules", "targets", "interval", "timeout"])
        try configuration.add(mapping["modules"])
        let interval = try mapping["interval"].map(BuiltInSettings.interval) ?? intervalDefault
        let timeout = try mapping["timeout"]?.duration
        for item in try mapping["targets"]?.list ?? [] {
            configuration.checks += try configuration.entry(item, interval: interval, timeout: timeout)
        }
        return configuration
    }

    private mutating func add(_ node: ConfigurationNode?) throws(ConfigurationError) {
        guard let node else { return }
        modules.merge(try ProbeModule.modules(node, warnings: &warnings)) { $1 }
    }

    /// An entry of `targets`: one module, any number of targets.
    private func entry(_ node: ConfigurationNode, interval: Duration, timeout: Duration?) throws(ConfigurationError) -> [ProbeCheck] {
        let mapping = try node.mapping(["module", "target", "targets", "interval", "timeout", "labels"])
        let name = try mapping.required("module")
        guard let module = modules[try name.choice(modules.keys.sorted())] else { return [] }
        let interval = try mapping["interval"].map(BuiltInSettings.interval) ?? interval
        let asked = try mapping["timeout"]?.duration ?? timeout ?? min(interval, Self.timeoutMax)
        if let node = mapping["timeout"] {
            guard asked > .zero, asked <= interval else { throw node.error("\(node.name) must be above 0 and not above the interval") }
        }
        var labels = Labels(["job": Self.job, "module": module.name])
        if let node = mapping["labels"] { labels = try BuiltInSettings.labels(node, over: labels) }
        var targets: [String] = []
        if let node = mapping["target"] { targets.append(try node.nonEmptyString) }
        for item in try mapping["targets"]?.list ?? [] { targets.append(try item.nonEmptyString) }
        guard !targets.isEmpty else { throw node.error("\(node.path): name a target, or targets") }
        return targets.map { target in
            var own = labels
            if own["instance"] == nil { own["instance"] = target }
            return ProbeCheck(
                module: module, target: target, interval: interval, timeout: Prober.timeout(of: module, asked: asked), labels: own)
        }
    }
}
