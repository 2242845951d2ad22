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
                "/etc/prometheus.yml:7:1: remote_write is known, but Apus does not act on it yet",
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
