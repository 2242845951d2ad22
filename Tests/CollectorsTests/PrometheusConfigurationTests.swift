import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("PrometheusConfiguration")
struct PrometheusConfigurationTests {
    static let text = """
        global:
          scrape_interval: 15s
          evaluation_interval: 30s
          external_labels:
            region: ${REGION}
        rule_files: [rules/*.yml]
        remote_write:
          - url: http://elsewhere/write
        scrape_configs:
          - job_name: shop
            scrape_timeout: 5s
            metrics_path: /m
            params:
              module: [http_2xx, other]
            basic_auth:
              username: user
              password: secret
            sample_limit: 1000
            body_size_limit: 10MB
            static_configs:
              - targets: ['localhost:8080', 'localhost:8081']
                labels:
                  team: checkout
            relabel_configs:
              - source_labels: [__address__]
                regex: '.*:8081'
                action: drop
            gce_sd_configs:
              - project: shop
        """

    @Test("a prometheus.yml is read, and what has no effect is named with its line")
    func reads() throws {
        let configuration = try PrometheusConfiguration.parse(
            Self.text, file: "/etc/prometheus.yml", environment: ["REGION": "eu"])
        #expect(configuration.global.scrapeInterval == .seconds(15))
        #expect(configuration.global.scrapeTimeout == .seconds(10))
        #expect(configuration.global.evaluationInterval == .seconds(30))
        #expect(configuration.global.externalLabels == Labels(["region": "eu"]))
        #expect(configuration.ruleFiles == ["rules/*.yml"])
        let shop = try #require(configuration.scrapes.first)
        #expect(shop.interval == .seconds(15))
        #expect(shop.timeout == .seconds(5))
        #expect(shop.options.limits.sampleCountMax == 1000)
        #expect(shop.options.limits.bodyByteCountMax == 10 << 20)
        #expect(try shop.options.http.authorization.header == "Basic dXNlcjpzZWNyZXQ=")
        #expect(
            configuration.warnings.map(\.description) == [
                "/etc/prometheus.yml:28:5: scrape_configs[0].gce_sd_configs is known, but Apus does not act on it yet",
            ])
    }

    @Test("targets get job, instance, URL and parameters; relabelling may drop them")
    func targets() throws {
        let configuration = try PrometheusConfiguration.parse(Self.text, file: "prometheus.yml")
        let shop = try #require(configuration.scrapes.first)
        let outcomes = shop.outcomes(of: shop.staticGroups)
        guard case .active(let target) = try #require(outcomes.first),
            case .dropped(let dropped) = try #require(outcomes.last)
        else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(target.url == "http://localhost:8080/m?module=http_2xx&module=other")
        #expect(target.labels == Labels(["job": "shop", "instance": "localhost:8080", "team": "checkout"]))
        #expect(target.discoveredLabels["__scrape_interval__"] == "15s")
        #expect(target.discoveredLabels["__param_module"] == "http_2xx")
        #expect(dropped["__address__"] == "localhost:8081")
    }

    @Test("relabelling can change everything about a target")
    func relabelled() throws {
        let text = """
            scrape_configs:
              - job_name: blackbox
                static_configs: [{targets: [example.org]}]
                relabel_configs:
                  - {source_labels: [__address__], target_label: __param_target}
                  - {source_labels: [__param_target], target_label: instance}
                  - {target_label: __address__, replacement: '127.0.0.1:9115'}
                  - {target_label: __scheme__, replacement: https}
                  - {target_label: __metrics_path__, replacement: /probe}
                  - {target_label: __scrape_interval__, replacement: 5s}
                  - {target_label: __scrape_timeout__, replacement: 1s}
                  - {target_label: __tmp, replacement: x}
            """
        let scrape = try #require(try PrometheusConfiguration.parse(text, file: "p.yml").scrapes.first)
        guard case .active(let target)? = scrape.outcomes(of: scrape.staticGroups).first else {
            Issue.record("no target")
            return
        }
        #expect(target.url == "https://127.0.0.1:9115/probe?target=example.org")
        #expect(target.labels == Labels(["job": "blackbox", "instance": "example.org"]))
        #expect(target.interval == .seconds(5))
        #expect(target.timeout == .seconds(1))
    }

    @Test(
        "a mistake is named with its place",
        arguments: [
            ("scrape_config: []", "p.yml:1:1: unknown key \"scrape_config\"; did you mean \"scrape_configs\"?"),
            (
                "global:\n  scrape_interval: 15",
                "p.yml:2:20: global.scrape_interval: found \"15\", expected a duration such as 30s, 5m, 1h30m or 500ms"
            ),
            (
                "global: {scrape_interval: 5s, scrape_timeout: 10s}",
                "p.yml:1:47: global scrape timeout greater than scrape interval"
            ),
            ("scrape_configs:\n  - static_configs: []", "p.yml:2:5: scrape_configs[0]: job_name is missing"),
            (
                "scrape_configs:\n  - job_name: a\n  - job_name: a",
                "p.yml:3:5: two scrape configurations have the job_name \"a\": it must be unique"
            ),
            (
                "scrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['http://x/metrics']}]",
                "p.yml:3:33: \"http://x/metrics\" is not a valid hostname: expected host:port without scheme or path"
            ),
            (
                "scrape_configs:\n  - job_name: a\n    scheme: ftp",
                "p.yml:3:13: scrape_configs[0].scheme has the unknown value \"ftp\""
            ),
            ("scrape_configs:\n  - job_name: a\n    scrape_protocols: [OpenMetricsText2.0.0]", "p.yml:3:24: unknown scrape protocol \"OpenMetricsText2.0.0\""),
            ("scrape_configs:\n  - {job_name: a, scrape_protocols: []}", "p.yml:2:37: scrape_protocols cannot be empty"),
            (
                "global:\n  scrape_protocols: [PrometheusProto, PrometheusProto]",
                "p.yml:2:39: duplicated protocol in scrape_protocols: PrometheusProto"
            ),
            ("scrape_configs:\n  - {job_name: a, fallback_scrape_protocol: text}", "p.yml:2:45: unknown scrape protocol \"text\""),
            (
                "scrape_configs:\n  - {job_name: a, metric_name_validation_scheme: legacy, metric_name_escaping_scheme: allow-utf-8}",
                "p.yml:2:87: utf8 metric names requested but validation scheme is not set to UTF8"
            ),
            ("global: {metric_name_validation_scheme: ascii}", "p.yml:1:41: global.metric_name_validation_scheme has the unknown value \"ascii\""),
            ("storage: {tsdb: {retention: {percentage: 101}}}", "p.yml:1:42: 'storage.tsdb.retention.percentage' must be in the range"),
            ("storage: {tsdb: {chunk_encoding: {floats: XOR}}}", "p.yml:1:43: 'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2'"),
            ("tracing: {client_type: http}", "p.yml:1:10: tracing endpoint must be set"),
            ("tracing: {endpoint: x, headers: {Authorization: y}}", "p.yml:1:34: custom authorization header"),
            ("otlp: {translation_strategy: Plain}", "p.yml:1:30: unsupported OTLP translation strategy \"Plain\""),
            (
                "global: {metric_name_validation_scheme: legacy}\notlp: {translation_strategy: NoTranslation}",
                "p.yml:2:30: OTLP translation strategy \"NoTranslation\" is not allowed when UTF8 is disabled"
            ),
            ("otlp: {promote_resource_attributes: [a, ' a']}", "p.yml:1:41: duplicated promoted OTel resource attribute \"a\""),
            ("otlp: {ignore_resource_attributes: [a]}", "p.yml:1:36: 'ignore_resource_attributes' cannot be configured"),
            ("runtime: {gogc: many}", "p.yml:1:17: runtime.gogc: found \"many\", expected a whole number"),
            ("rule_files: ['a/*/b.yml']", "p.yml:1:14: invalid rule file path \"a/*/b.yml\""),
            ("scrape_config_files: ['a/**']", "p.yml:1:23: invalid scrape config file path \"a/**\""),
            ("global: {keep_dropped_targets: -1}", "p.yml:1:32: global.keep_dropped_targets must not be negative"),
            (
                "scrape_configs:\n  - job_name: a\n    relabel_configs: [{action: lowercase, target_label: x, replacement: y}]",
                "p.yml:3:73: 'replacement' can not be set for lowercase action"
            ),
            (
                "global: {metric_name_validation_scheme: legacy}\nscrape_configs:\n  - job_name: a\n    relabel_configs: [{target_label: 'a.b'}]",
                "p.yml:4:38: \"a.b\" is invalid 'target_label' for replace action"
            ),
            ("scrape_configs:\n  - {job_name: a, body_size_limit: 100}", "p.yml:2:36: scrape_configs[0].body_size_limit: missing unit in 100"),
            ("alerting: {alert_relabel_configs: [{action: hashmod, target_label: x}]}", "p.yml:1:36: relabel configuration for hashmod"),
            ("scrape_configs:\n  -", "p.yml:2:4: empty or null scrape config section"),
            (
                "scrape_configs:\n  - {job_name: a, bearer_token: x, basic_auth: {username: u}}",
                "p.yml:2:33: at most one of basic_auth"
            ),
        ])
    func mistakes(text: String, message: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try PrometheusConfiguration.parse(text, file: "p.yml")
        }
        #expect(error.description.hasPrefix(message), "\(error)")
    }

    @Test("an empty file is a configuration without targets")
    func empty() throws {
        #expect(try PrometheusConfiguration.parse("", file: "p.yml").scrapes.isEmpty)
    }
}
