import Formats
import Foundation
import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("ScrapeFormats")
struct ScrapeFormatsTests {
    private func scrape(_ global: String, _ job: String) throws -> ScrapeConfiguration {
        let text = "global: {\(global)}\nscrape_configs:\n  - {job_name: a\(job.isEmpty ? "" : ", " + job), static_configs: [{targets: [x]}]}"
        return try #require(try PrometheusConfiguration.parse(text, file: "p.yml").scrapes.first)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var global: String
        var job: String
        var protocols: [ScrapeProtocol]
        var escaping: NameEscaping
        var testDescription: String { "\(global) / \(job)" }
    }

    static let cases = [
        Case(global: "", job: "", protocols: ScrapeProtocol.standard, escaping: .allowUTF8),
        Case(global: "", job: "scrape_native_histograms: true", protocols: ScrapeProtocol.protobufFirst, escaping: .allowUTF8),
        Case(global: "scrape_native_histograms: true", job: "", protocols: ScrapeProtocol.protobufFirst, escaping: .allowUTF8),
        Case(global: "scrape_native_histograms: true", job: "scrape_native_histograms: false", protocols: ScrapeProtocol.standard, escaping: .allowUTF8),
        Case(
            global: "scrape_protocols: [PrometheusText0.0.4]", job: "scrape_native_histograms: true", protocols: [.prometheusText004],
            escaping: .allowUTF8),
        Case(
            global: "scrape_protocols: [PrometheusText0.0.4]", job: "scrape_protocols: [PrometheusProto]", protocols: [.prometheusProto],
            escaping: .allowUTF8),
        Case(global: "metric_name_validation_scheme: legacy", job: "", protocols: ScrapeProtocol.standard, escaping: .underscores),
        Case(global: "", job: "metric_name_validation_scheme: legacy", protocols: ScrapeProtocol.standard, escaping: .underscores),
        Case(
            global: "metric_name_escaping_scheme: dots", job: "metric_name_validation_scheme: legacy", protocols: ScrapeProtocol.standard,
            escaping: .underscores),
        Case(global: "metric_name_escaping_scheme: dots", job: "", protocols: ScrapeProtocol.standard, escaping: .dots),
        Case(
            global: "metric_name_validation_scheme: legacy", job: "metric_name_validation_scheme: utf8", protocols: ScrapeProtocol.standard,
            escaping: .allowUTF8),
    ]

    @Test("protocols and escaping follow from what job and global say, as in Prometheus", arguments: cases)
    func defaults(_ one: Case) throws {
        let formats = try scrape(one.global, one.job).options.formats
        #expect(formats.protocols == one.protocols)
        #expect(formats.escaping == one.escaping)
    }

    @Test("limits of 0 are those of global, and the old name of a key still counts")
    func inherited() throws {
        let one = try scrape(
            "sample_limit: 5, body_size_limit: 1KB, extra_scrape_metrics: true, keep_dropped_targets: 3, scrape_failure_log_file: f.log",
            "sample_limit: 0, scrape_classic_histograms: true, native_histogram_bucket_limit: 20, native_histogram_min_bucket_factor: 1.1")
        #expect(one.options.limits.sampleCountMax == 5)
        #expect(one.options.limits.bodyByteCountMax == 1024)
        #expect(one.options.reportsExtraMetrics)
        #expect(one.keptDroppedTargetCountMax == 3)
        #expect(one.options.failureLogFile == "f.log")
        #expect(one.options.formats.keepsClassicHistograms)
        #expect(one.options.formats.bucketCountMax == 20)
        // 2^(2^-3) = 1.0905 is below, 2^(2^-2) = 1.1892 above the factor.
        #expect(one.options.formats.schemaMax == 2)
    }

    @Test("a target's labels may turn histograms on and off")
    func targetLabels() throws {
        let text = """
            scrape_configs:
              - job_name: a
                static_configs: [{targets: [x]}, {targets: [y], labels: {__scrape_native_histograms__: maybe}}]
                relabel_configs: [{source_labels: [__address__], regex: x, target_label: __scrape_native_histograms__, replacement: 'true'}]
            """
        let scrape = try #require(try PrometheusConfiguration.parse(text, file: "p.yml").scrapes.first)
        let outcomes = scrape.outcomes(of: scrape.staticGroups)
        guard case .active(let target)? = outcomes.first, case .invalid(_, let reason)? = outcomes.last else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(target.options.formats.scrapesNativeHistograms)
        #expect(target.discoveredLabels["__scrape_native_histograms__"] == "false")
        #expect(reason == "error parsing __scrape_native_histograms__: \"maybe\" is neither true nor false")
    }

    @Test("features set what the configuration leaves open")
    func features() throws {
        var configuration = try PrometheusConfiguration.parse(
            "scrape_configs: [{job_name: a}, {job_name: b, scrape_protocols: [PrometheusText0.0.4], extra_scrape_metrics: false}]", file: "p.yml")
        configuration.enable(features: ["created-timestamp-zero-ingestion", "extra-scrape-metrics", "promql-experimental-functions"])
        #expect(configuration.scrapes.map(\.options.formats.protocols) == [ScrapeProtocol.protobufFirst, [.prometheusText004]])
        #expect(configuration.scrapes.allSatisfy { $0.options.formats.startTimes == .injected })
        #expect(configuration.scrapes.map(\.options.reportsExtraMetrics) == [true, false])
        configuration.enable(features: ["st-storage"])
        #expect(configuration.scrapes.allSatisfy { $0.options.formats.startTimes == .recorded })
    }

    @Test("jobs of scrape_config_files are read, and a name that is there already is refused with both files")
    func files() throws {
        let folder = try ScratchFolder()
        func write(_ name: String, _ text: String) throws { try text.write(toFile: folder.path + "/" + name, atomically: true, encoding: .utf8) }
        try write("one.yml", "scrape_configs: [{job_name: b, file_sd_configs: [{files: [t.json]}]}]")
        try write("p.yml", "global: {scrape_interval: 7s}\nscrape_config_files: ['*one.yml', missing.yml]\nscrape_configs: [{job_name: a}]")
        let configuration = try PrometheusConfiguration.load(path: folder.path + "/p.yml")
        #expect(configuration.scrapes.map(\.jobName) == ["a", "b"])
        #expect(configuration.scrapes.last?.interval == .seconds(7))
        try write("two.yml", "scrape_configs:\n  - job_name: a")
        try write("p.yml", "scrape_config_files: ['t*.yml']\nscrape_configs: [{job_name: a}]")
        let error = #expect(throws: ConfigurationError.self) { try PrometheusConfiguration.load(path: folder.path + "/p.yml") }
        #expect(error?.description.hasPrefix("\(folder.path)/two.yml:2:5: two scrape configurations have the job_name \"a\"") == true)
        try write("two.yml", "global: {}")
        #expect(throws: ConfigurationError.self) { try PrometheusConfiguration.load(path: folder.path + "/p.yml") }
    }

    @Test("sections are read; what means nothing here is named with its line")
    func sections() throws {
        let configuration = try PrometheusConfiguration.parse(
            """
            runtime: {gogc: 50}
            storage:
              tsdb: {out_of_order_time_window: 30m, retention: {time: 15d, size: 2GB}}
              exemplars: {max_exemplars: 10}
            tracing: {endpoint: 'x:4317'}
            otlp:
              translation_strategy: NoTranslation
              promote_resource_attributes: [service.name]
            global: {external_labels: {a: '${NOT_SET}x'}}
            """, file: "p.yml")
        #expect(configuration.storage.retentionTime == .seconds(15 * 86_400))
        #expect(configuration.storage.retentionByteCount == 2 << 30)
        #expect(configuration.otlp.translationStrategy == .noTranslation)
        #expect(configuration.otlp.promotedResourceAttributes == ["service.name"])
        #expect(configuration.global.externalLabels == Labels(["a": "x"]))
        let places = configuration.warnings.map { "\($0.line):\($0.column)" }
        #expect(places == ["9:31", "1:11", "4:15", "5:10", "7:3", "8:3"], "\(configuration.warnings)")
    }

    @Test("targets may be URLs where rules make addresses of them")
    func blackbox() throws {
        let text = """
            scrape_configs:
              - job_name: probe
                static_configs: [{targets: ['https://example.org/x']}]
                relabel_configs:
                  - {source_labels: [__address__], target_label: __param_target}
                  - {target_label: __address__, replacement: '127.0.0.1:9115'}
            """
        let scrape = try #require(try PrometheusConfiguration.parse(text, file: "p.yml").scrapes.first)
        guard case .active(let target)? = scrape.outcomes(of: scrape.staticGroups).first else {
            Issue.record("no target")
            return
        }
        #expect(target.url == "http://127.0.0.1:9115/metrics?target=https%3A%2F%2Fexample.org%2Fx")
    }
}
