package import Formats
import Telemetry

/// In which formats a target is asked to answer, and what is made of the answer.
package struct ScrapeFormats: Sendable, Hashable {
    /// What becomes of the times since when samples count.
    package enum StartTimes: Sendable, Hashable {
        /// OpenMetrics' `_created` are series.
        case ignored
        /// They go beside the samples.
        case recorded
        /// Besides, a series begins with a sample of 0 then (Prometheus, feature `created-timestamp-zero-ingestion`).
        case injected
    }

    /// The best first.
    package var protocols = ScrapeProtocol.standard
    /// What an answer is taken for that does not say what it is; nil: the scrape fails.
    package var fallback: ScrapeProtocol?
    package var escaping = NameEscaping.allowUTF8
    package var validation = NameValidation.utf8
    package var scrapesNativeHistograms = false
    /// Keep classic buckets beside native histograms.
    package var keepsClassicHistograms = false
    /// Make native histograms with custom bounds of classic ones.
    package var convertsClassicHistograms = false
    /// Buckets of a native histogram, which is made coarser to keep it; 0: no limit.
    package var bucketCountMax = 0
    /// The finest schema of a native histogram; finer ones are made coarser.
    package var schemaMax: Int32 = 8
    package var startTimes = StartTimes.ignored

    package init() {}

    /// What a target's labels say of histograms before relabelling, which may change it (scrape/target.go).
    var targetLabels: [(String, String)] {
        [
            ("__convert_classic_histograms_to_nhcb__", String(convertsClassicHistograms)),
            ("__always_scrape_classic_histograms__", String(keepsClassicHistograms)),
            ("__scrape_native_histograms__", String(scrapesNativeHistograms)),
        ]
    }

    /// Takes what a target's labels say of histograms after relabelling.
    ///
    /// - Returns: what is wrong with them; nil where nothing is.
    mutating func read(_ labels: Labels) -> String? {
        for (name, _) in targetLabels {
            guard let text = labels[name] else { continue }
            let value: Bool
            switch text {
            // What Go's `strconv.ParseBool` takes.
            case "1", "t", "T", "TRUE", "true", "True": value = true
            case "0", "f", "F", "FALSE", "false", "False": value = false
            default: return "error parsing \(name): \(text.debugDescription) is neither true nor false"
            }
            switch name {
            case "__convert_classic_histograms_to_nhcb__": convertsClassicHistograms = value
            case "__always_scrape_classic_histograms__": keepsClassicHistograms = value
            default: scrapesNativeHistograms = value
            }
        }
        return nil
    }

    /// The `Accept` header of a scrape.
    var acceptHeader: String { ScrapeProtocol.acceptHeader(protocols, escaping: escaping) }

    /// How an answer is read.
    func options(at timestamp: Int64, honorTimestamps: Bool) -> ExpositionOptions {
        var options = ExpositionOptions(defaultTimestamp: timestamp)
        options.honorTimestamps = honorTimestamps
        options.readsNativeHistograms = scrapesNativeHistograms
        options.keepsClassicHistograms = keepsClassicHistograms
        options.convertsClassicHistograms = convertsClassicHistograms
        options.readsStartTimes = startTimes != .ignored
        return options
    }
}

/// Which names are legal (Prometheus, `metric_name_validation_scheme`).
package enum NameValidation: String, Sendable, Hashable, CaseIterable {
    case utf8
    /// Letters, digits and underscores, in metric names colons too.
    case legacy

    func isLabelName(_ name: String) -> Bool {
        self == .utf8 ? !name.isEmpty : name.isLabelIdentifier
    }

    func isMetricName(_ name: String) -> Bool {
        self == .utf8 ? !name.isEmpty : name.replacing(":", with: "_").isLabelIdentifier
    }
}
