import Collectors
package import Settings
import Telemetry

extension ServerSettings {
    /// The keys of `apus.yaml`. docs/configuration.md describes each.
    private static let keys = [
        "prometheus", "logs", "profiles", "rules", "alerting", "retention", "tokens", "listen", "otlp_grpc_listen", "otlp_http_listen", "data_dir",
        "web_dir", "log_format", "external_url", "hosts", "limits", "disk_budget", "disk_reserve", "enable_admin_api",
        "scrape_budget", "remote_write_budget", "log_rules",
    ] + BuiltInConfiguration.keys + LogSettings.keys

    /// Reads the text of an `apus.yaml`.
    ///
    /// - Parameter file: how errors call it, and where relative paths start.
    package static func parse(_ text: String, file: String, environment: [String: String]) throws(ConfigurationError) -> ServerSettings {
        var settings = ServerSettings()
        settings.file = file
        let root = try ConfigurationNode.parse(text, file: file).mapping(keys)
        if let node = root["prometheus"] {
            let path = resolve(try node.nonEmptyString, in: file)
            settings.prometheusFile = path
            settings.prometheus = try PrometheusConfiguration.load(path: path, environment: environment)
        }
        if let node = root["data_dir"] { settings.dataFolder = resolve(try node.nonEmptyString, in: file) }
        if let node = root["web_dir"] { settings.webFolder = resolve(try node.nonEmptyString, in: file) }
        settings.listen = try address(root["listen"])
        settings.grpcListen = try address(root["otlp_grpc_listen"])
        settings.otlpListen = try address(root["otlp_http_listen"])
        settings.externalURL = try root["external_url"]?.nonEmptyString
        if let node = root["log_format"] { settings.logFormat = LogFormat(rawValue: try node.choice(LogFormat.allCases.map(\.rawValue))) }
        settings.hosts = try root["hosts"]?.strings ?? []
        for node in try root["tokens"]?.list ?? [] {
            let token = try token(node, file: file, environment: environment)
            guard !settings.tokens.contains(where: { $0.name == token.name }) else {
                throw node.error("two tokens have the name \(token.name.debugDescription): it must be unique")
            }
            settings.tokens.append(token)
        }
        if let node = root["retention"] { settings.retention = try retention(node) }
        if let node = root["disk_budget"] { settings.diskBudget = try diskBudget(node) }
        try settings.readScrape(root)
        if let node = root["disk_reserve"] { settings.diskReserveByteCount = try node.byteCount }
        if let node = root["remote_write_budget"] { settings.remoteWriteBudget = try positive(node, try node.byteCount) }
        if let node = root["enable_admin_api"] { settings.isAdminAPIEnabled = try node.bool }
        if let node = root["limits"] { settings.limits = try limits(node) }
        for (index, node) in (try root["logs"]?.list ?? []).enumerated() { settings.logs.append(try logs(node, index: index, file: file)) }
        settings.logCollection = try LogSettings(root, file: file, environment: environment)
        for node in try root["profiles"]?.list ?? [] { settings.profiles.append(try profile(node)) }
        settings.builtIn = try BuiltInConfiguration(root, file: file)
        for rule in try root["rules"]?.list ?? [] { settings.rules.append(resolve(try rule.nonEmptyString, in: file)) }
        if let node = root["log_rules"] { try settings.readLogRules(node) }
        if let webhook = try root["alerting"]?.mapping(["webhook"])["webhook"] {
            let mapping = try webhook.mapping(["url", "send_resolved"])
            settings.webhook = Webhook(url: try url(mapping.required("url")), sendsResolved: try mapping["send_resolved"]?.bool ?? true)
        }
        return settings
    }

    private static func address(_ node: ConfigurationNode?) throws(ConfigurationError) -> ListenAddress? {
        guard let node else { return nil }
        guard let address = ListenAddress(try node.string) else { throw node.unexpected("an address such as 127.0.0.1:2787 or :2787") }
        return address
    }

    private static func url(_ node: ConfigurationNode) throws(ConfigurationError) -> String {
        let url = try node.nonEmptyString
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else { throw node.unexpected("a URL that begins with http:// or https://") }
        return url
    }

    /// A token: its secret stands in the file, in another file, or in an environment variable.
    private static func token(
        _ node: ConfigurationNode, file: String, environment: [String: String]
    ) throws(ConfigurationError) -> Token {
        let mapping = try node.mapping(["name", "token", "token_file", "env", "scopes"])
        let name = try mapping.required("name").nonEmptyString
        var secrets: [String] = []
        if let inline = mapping["token"] { secrets.append(try inline.nonEmptyString) }
        if let path = mapping["token_file"] {
            let text = try ConfigurationFile.text(path: resolve(try path.nonEmptyString, in: file))
            secrets.append(text.split(whereSeparator: \.isWhitespace).first.map { String($0) } ?? "")
            if secrets.last == "" { throw path.error("the file \(try path.string) is empty: it must hold the token") }
        }
        if let variable = mapping["env"] {
            guard let secret = environment[try variable.nonEmptyString], !secret.isEmpty else {
                throw variable.error("the environment variable \(try variable.string) is not set")
            }
            secrets.append(secret)
        }
        guard secrets.count == 1, let secret = secrets.first else {
            throw node.error("token \(name.debugDescription) needs exactly one of token, token_file and env")
        }
        var scopes: Set<Scope> = []
        for scope in try mapping.required("scopes").list {
            if let scope = Scope(rawValue: try scope.choice(Scope.allCases.map(\.rawValue))) { scopes.insert(scope) }
        }
        guard !scopes.isEmpty else { throw node.error("token \(name.debugDescription) has no scopes: give it ingest, query or admin") }
        return Token(name: name, secret: secret, scopes: scopes)
    }

    private static func retention(_ node: ConfigurationNode) throws(ConfigurationError) -> Retention {
        let mapping = try node.mapping(["metrics", "logs", "spans", "profiles"])
        var retention = Retention()
        if let value = mapping["metrics"] { retention.metrics = try positive(value) }
        if let value = mapping["logs"] { retention.logs = try positive(value) }
        if let value = mapping["spans"] { retention.spans = try positive(value) }
        if let value = mapping["profiles"] { retention.profiles = try positive(value) }
        return retention
    }

    private static func diskBudget(_ node: ConfigurationNode) throws(ConfigurationError) -> [Signal: Int] {
        let mapping = try node.mapping(Signal.allCases.map(\.name))
        var budget: [Signal: Int] = [:]
        for signal in Signal.allCases {
            if let value = mapping[signal.name] { budget[signal] = try positive(value, try value.byteCount) }
        }
        return budget
    }

    private static func limits(_ node: ConfigurationNode) throws(ConfigurationError) -> RequestLimits {
        let mapping = try node.mapping(["body_size", "query_timeout", "query_samples", "query_memory"])
        var limits = RequestLimits()
        if let value = mapping["body_size"] { limits.bodyByteCountMax = try positive(value, try value.byteCount) }
        if let value = mapping["query_timeout"] { limits.queryTimeout = try positive(value) }
        if let value = mapping["query_samples"] { limits.querySampleCountMax = try positive(value, try value.int) }
        if let value = mapping["query_memory"] { limits.queryByteCountMax = try positive(value, try value.byteCount) }
        return limits
    }

    private static func positive(_ node: ConfigurationNode) throws(ConfigurationError) -> Duration {
        let duration = try node.duration
        guard duration > .zero else { throw node.unexpected("a duration longer than 0") }
        return duration
    }

    private static func positive(_ node: ConfigurationNode, _ value: Int) throws(ConfigurationError) -> Int {
        guard value > 0 else { throw node.unexpected("a number greater than 0") }
        return value
    }

    private static func labels(_ node: ConfigurationNode?) throws(ConfigurationError) -> Labels {
        guard let node else { return .empty }
        return Labels(try node.stringPairs.map { Label($0.name, $0.value) })
    }

    private static func logs(_ node: ConfigurationNode, index: Int, file: String) throws(ConfigurationError) -> TailConfiguration {
        let mapping = try node.mapping(["name", "files", "exclude", "labels", "format"])
        let include = try mapping.required("files").strings.map { resolve($0, in: file) }
        guard !include.isEmpty else { throw node.error("logs[\(index)]: files is empty: name at least one file or glob") }
        let exclude = try mapping["exclude"]?.strings.map { resolve($0, in: file) } ?? []
        var format = TailConfiguration.Format.plain
        if let node = mapping["format"] {
            format = TailConfiguration.Format(rawValue: try node.choice(TailConfiguration.Format.allCases.map(\.rawValue))) ?? .plain
        }
        // Remembered positions go with the name; files are known by inode beside it, so an index would do harm if it shifted.
        let name = try mapping["name"]?.nonEmptyString ?? include.joined(separator: ",")
        return TailConfiguration(name: name, include: include, exclude: exclude, labels: try labels(mapping["labels"]), format: format)
    }

    private static func profile(_ node: ConfigurationNode) throws(ConfigurationError) -> ProfileTarget {
        let mapping = try node.mapping(["service", "url", "interval", "seconds", "types", "labels"] + HTTPClientOptions.keys)
        var target = ProfileTarget(service: try mapping.required("service").nonEmptyString, url: try url(mapping.required("url")))
        if let value = mapping["interval"] { target.interval = try positive(value) }
        if let value = mapping["seconds"] { target.seconds = try positive(value, try value.int) }
        target.labels = try labels(mapping["labels"])
        target.options.http = try HTTPClientOptions(mapping)
        if let types = mapping["types"] {
            target.kinds = []
            for type in try types.list {
                let names = ProfileTarget.Kind.allCases.map(\.rawValue)
                if let kind = ProfileTarget.Kind(rawValue: try type.choice(names)) { target.kinds.append(kind) }
            }
        }
        guard !target.kinds.contains(.cpu) || .seconds(target.seconds) < target.interval else {
            throw node.error("profiles: a CPU profile of \(target.seconds) s does not fit into an interval of \(target.interval.seconds) s")
        }
        return target
    }
}
