import Formats
import Settings

extension ScrapeFormats {
    /// What `global` says of formats, for jobs that say nothing else.
    package struct Defaults: Sendable, Hashable {
        /// nil: it depends on whether native histograms are scraped.
        var protocols: [ScrapeProtocol]?
        var scrapesNativeHistograms = false
        var keepsClassicHistograms = false
        var convertsClassicHistograms = false
        var validation = NameValidation.utf8
        /// nil: it depends on the validation.
        var escaping: NameEscaping?

        init() {}
    }

    private static let sharedKeys = [
        "scrape_protocols", "scrape_native_histograms", "always_scrape_classic_histograms", "convert_classic_histograms_to_nhcb",
        "metric_name_validation_scheme", "metric_name_escaping_scheme",
    ]
    /// Keys of `global`.
    static let globalKeys = sharedKeys
    /// Keys of a job. `scrape_classic_histograms` is what Prometheus 2 called `always_scrape_classic_histograms`.
    static let keys =
        sharedKeys + [
            "fallback_scrape_protocol", "scrape_classic_histograms", "native_histogram_bucket_limit", "native_histogram_min_bucket_factor",
        ]

    /// Reads the keys of a job (Prometheus, config.go, `ScrapeConfig.Validate`).
    init(
        _ mapping: ConfigurationMapping, defaults: Defaults, warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) {
        scrapesNativeHistograms = try mapping["scrape_native_histograms"]?.bool ?? defaults.scrapesNativeHistograms
        keepsClassicHistograms = try mapping["always_scrape_classic_histograms"]?.bool ?? defaults.keepsClassicHistograms
        if let node = mapping["scrape_classic_histograms"] {
            guard mapping["always_scrape_classic_histograms"] == nil else {
                throw node.error("scrape_classic_histograms is the old name of always_scrape_classic_histograms: set one of them")
            }
            keepsClassicHistograms = try node.bool
            warnings.append(node.warning("scrape_classic_histograms is called always_scrape_classic_histograms since Prometheus 3"))
        }
        convertsClassicHistograms = try mapping["convert_classic_histograms_to_nhcb"]?.bool ?? defaults.convertsClassicHistograms
        protocols =
            try mapping["scrape_protocols"].map { node throws(ConfigurationError) in try Self.protocols(node) }
            ?? defaults.protocols ?? (scrapesNativeHistograms ? ScrapeProtocol.protobufFirst : ScrapeProtocol.standard)
        fallback = try mapping["fallback_scrape_protocol"].map { node throws(ConfigurationError) in try Self.scrapeProtocol(node) }
        if let node = mapping["native_histogram_bucket_limit"] {
            bucketCountMax = try node.int
            guard bucketCountMax >= 0 else { throw node.error("\(node.name) must not be negative") }
        }
        if let node = mapping["native_histogram_min_bucket_factor"] { schemaMax = Self.schema(minimumFactor: try node.double) }
        try readNames(mapping, defaults)
    }

    /// The scheme of escaping follows that of validation where it is not set: a job that validates as of old must not ask for UTF-8.
    private mutating func readNames(_ mapping: ConfigurationMapping, _ defaults: Defaults) throws(ConfigurationError) {
        let ownValidation = try Self.validation(mapping)
        validation = ownValidation ?? defaults.validation
        let standard: NameEscaping = validation == .legacy ? .underscores : .allowUTF8
        let inherited = ownValidation == nil ? defaults.escaping : nil
        escaping = try Self.escaping(mapping) ?? inherited ?? standard
        guard escaping != .allowUTF8 || validation == .utf8 else {
            let node = mapping["metric_name_escaping_scheme"] ?? mapping["metric_name_validation_scheme"] ?? mapping.node
            throw node.error("utf8 metric names requested but validation scheme is not set to UTF8")
        }
    }

    fileprivate static func validation(_ mapping: ConfigurationMapping) throws(ConfigurationError) -> NameValidation? {
        guard let node = mapping["metric_name_validation_scheme"] else { return nil }
        let text = try node.choice([""] + NameValidation.allCases.map(\.rawValue))
        return NameValidation(rawValue: text)
    }

    fileprivate static func escaping(_ mapping: ConfigurationMapping) throws(ConfigurationError) -> NameEscaping? {
        guard let node = mapping["metric_name_escaping_scheme"] else { return nil }
        let text = try node.choice([""] + NameEscaping.allCases.map(\.rawValue))
        return NameEscaping(rawValue: text)
    }

    fileprivate static func protocols(_ node: ConfigurationNode) throws(ConfigurationError) -> [ScrapeProtocol] {
        var protocols: [ScrapeProtocol] = []
        for item in try node.list {
            let one = try scrapeProtocol(item)
            guard !protocols.contains(one) else { throw item.error("duplicated protocol in scrape_protocols: \(one.rawValue)") }
            protocols.append(one)
        }
        guard !protocols.isEmpty else { throw node.error("scrape_protocols cannot be empty") }
        return protocols
    }

    private static func scrapeProtocol(_ node: ConfigurationNode) throws(ConfigurationError) -> ScrapeProtocol {
        let text = try node.string
        guard let one = ScrapeProtocol(rawValue: text) else {
            let known = ScrapeProtocol.allCases.map(\.rawValue).sorted()
            throw node.error("unknown scrape protocol \(text.debugDescription), supported: \(known.joined(separator: ", "))")
        }
        return one
    }
}

extension ScrapeFormats.Defaults {
    /// Reads the keys of `global`.
    init(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        protocols = try mapping["scrape_protocols"].map { node throws(ConfigurationError) in try ScrapeFormats.protocols(node) }
        scrapesNativeHistograms = try mapping["scrape_native_histograms"]?.bool ?? false
        keepsClassicHistograms = try mapping["always_scrape_classic_histograms"]?.bool ?? false
        convertsClassicHistograms = try mapping["convert_classic_histograms_to_nhcb"]?.bool ?? false
        validation = try ScrapeFormats.validation(mapping) ?? .utf8
        escaping = try ScrapeFormats.escaping(mapping)
    }
}
