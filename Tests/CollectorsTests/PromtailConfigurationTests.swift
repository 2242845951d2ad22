import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("promtail.yaml")
struct PromtailConfigurationTests {
    static func parse(_ yaml: String, environment: [String: String]? = nil) throws -> PromtailConfiguration {
        try PromtailConfiguration.parse(yaml, file: "promtail.yaml", environment: environment)
    }

    static let full = """
        global: {file_watch_config: {min_poll_frequency: 100ms, max_poll_frequency: 1s}}
        server: {http_listen_port: 9080, grpc_listen_port: 0, log_level: debug, http_path_prefix: promtail/, health_check_target: false}
        client: {external_labels: {cluster: eu, zone: a}}
        clients:
          - name: main
            url: http://user:pw@loki:3100/loki/api/v1/push
            tenant_id: t1
            batchwait: 1.5s
            batchsize: 4096
            headers: {X-Custom: v}
            external_labels: {zone: b}
            timeout: 5s
            backoff_config: {min_period: 100ms, max_period: 10s, max_retries: 20}
            drop_rate_limited_batches: true
            basic_auth: {username: u, password_file: pw.txt}
            tls_config: {ca_file: ca.pem, insecure_skip_verify: true, server_name: loki}
            proxy_url: http://proxy:1
          - {url: 'https://other/loki/api/v1/push', bearer_token: secret}
        positions: {filename: /tmp/positions.yaml, sync_period: 1m, ignore_invalid_yaml: true}
        limits_config: {readline_rate_enabled: true, readline_rate: 500, readline_burst: 600, readline_rate_drop: false, max_streams: 7, max_line_size: 256kb, max_line_size_truncate: true}
        target_config: {sync_period: 5s}
        options: {}
        tracing: {enabled: true}
        scrape_configs:
          - job_name: files
            encoding: UTF-16
            decompression: {enabled: true, initial_delay: 10s, format: gz}
            pipeline_stages: [{docker: {}}, {json: {expressions: {level: }, extra: 1}}]
            relabel_configs: [{source_labels: [__path__], target_label: path}]
            static_configs:
              - targets: [localhost]
                labels: {job: varlogs, __path__: /var/log/*.log, __path_exclude__: /var/log/x.log}
            file_sd_configs: [{files: [targets/*.yaml], refresh_interval: 1m}]
          - job_name: docker
            docker_sd_configs: [{host: 'unix:///var/run/docker.sock', refresh_interval: 5s, filters: [{name: name, values: [flog]}]}]
          - job_name: k8s
            kubernetes_sd_configs: [{role: pod, namespaces: {names: [a]}, selectors: [{role: pod, field: spec.nodeName=n}]}]
            consul_sd_configs: [{server: 'c:8500', services: [s], node_meta: {k: v}}]
            consulagent_sd_configs: [{server: 'a:8500'}]
          - job_name: journal
            journal: {max_age: 12h, json: true, labels: {job: j}, path: /var/log/journal, matches: _TRANSPORT=kernel PRIORITY=3}
          - job_name: syslog
            syslog: {listen_address: '0.0.0.0:1514', listen_protocol: udp, idle_timeout: 60s, label_structured_data: true, use_incoming_timestamp: true, syslog_format: rfc3164, labels: {job: s}}
          - job_name: push
            loki_push_api: {server: {http_listen_port: 3500, grpc_listen_port: 3600}, labels: {p: q}, use_incoming_timestamp: true}
          - job_name: others
            kafka: {brokers: [k], topics: [t], group_id: g}
            gelf: {listen_address: ':12201'}
        """

    @Test("every section of Promtail's reference is read")
    func everything() throws {
        let configuration = try Self.parse(Self.full)
        #expect(configuration.pollPeriodMin == .milliseconds(100) && configuration.pollPeriodMax == .seconds(1))
        #expect(configuration.server.port == 9080 && configuration.server.pathPrefix == "/promtail" && !configuration.server.checksTargets)
        let client = try #require(configuration.clients.first)
        #expect(client.name == "main" && client.tenant == "t1" && client.batchWait == .milliseconds(1_500) && client.batchByteCountMax == 4_096)
        #expect(client.externalLabels == Labels(["cluster": "eu", "zone": "b"]))
        #expect(client.backoffMin == .milliseconds(100) && client.retryCountMax == 20 && client.dropsRateLimitedBatches && client.timeout == .seconds(5))
        #expect(client.http.authorization == .basic(username: .text("u"), password: .file("pw.txt")))
        #expect(client.http.tls.authority == .file("ca.pem") && client.http.tls.skipsVerification && client.http.proxy.url == "http://proxy:1")
        #expect(configuration.clients.count == 2 && configuration.clients[1].http.authorization == .credentials(scheme: "Bearer", .text("secret")))
        #expect(configuration.positions.filename == "/tmp/positions.yaml" && configuration.positions.ignoresInvalidYAML)
        #expect(configuration.limits.lineRate == 500 && !configuration.limits.dropsOverRate && configuration.limits.lineByteCountMax == 256 << 10)
        #expect(configuration.syncPeriod == .seconds(5))
        #expect(configuration.jobs.map(\.name) == ["files", "docker", "k8s", "journal", "syslog", "push", "others"])
        let files = configuration.jobs[0]
        #expect(files.encoding == "UTF-16" && files.decompression?.format == .gz && files.relabelRules.count == 1 && !files.program.isEmpty)
        #expect(files.staticGroups[0].labels["__path__"] == "/var/log/*.log")
        #expect((files.discoveries[0].configuration as? FileDiscovery)?.refreshInterval == .seconds(60))
        #expect(configuration.jobs[1].dockerDiscoveries[0].filters == [.init(name: "name", values: ["flog"])])
        #expect(configuration.jobs[2].discoveries.map(\.name) == ["consul", "consulagent", "kubernetes"])
        let kubernetes = try #require(configuration.jobs[2].discoveries.last)
        #expect((kubernetes.configuration as? KubernetesDiscovery)?.selectors[.pod]?.field == "spec.nodeName=n")
        #expect((kubernetes.onNode("n").configuration as? KubernetesDiscovery)?.selectors[.pod]?.field == "spec.nodeName=n")
        #expect((kubernetes.onNode("m").configuration as? KubernetesDiscovery)?.selectors[.pod]?.field == "spec.nodeName=n,spec.nodeName=m")
        #expect(configuration.jobs[3].journal?.matches == ["_TRANSPORT=kernel", "PRIORITY=3"] && configuration.jobs[3].journal?.maxAge == .seconds(43_200))
        #expect(configuration.jobs[4].syslog?.transport == .udp && configuration.jobs[4].syslog?.format == .rfc3164)
        #expect(configuration.jobs[5].push?.server.port == 3500)
        let warnings = configuration.warnings.map(\.description)
        #expect(warnings.contains("promtail.yaml:23:1: tracing is known, but Apus does not act on it yet"))
        #expect(warnings.contains { $0.contains("the stage json has no option \"extra\"") })
        #expect(warnings.contains { $0.hasSuffix("scrape_configs[6].kafka is known, but Apus does not act on it yet") })
        #expect(warnings.contains { $0.hasSuffix("scrape_configs[6].gelf is known, but Apus does not act on it yet") })
    }

    @Test("what Promtail refuses is refused with its place", arguments: [
        ("scrape_config: []", "promtail.yaml:1:1: unknown key \"scrape_config\"; did you mean \"scrape_configs\"?"),
        ("clients: [{}]", "clients[0]: url is missing"), ("clients: [{url: 'loki:3100'}]", "a URL that begins with"),
        ("scrape_configs: [{job_name: a}, {job_name: a}]", "must be unique"), ("scrape_configs: [{job_name: a, pipelinestages: []}]", "did you mean \"pipeline_stages\"?"),
        ("scrape_configs:\n  - job_name: a\n    pipeline_stages:\n      - regex: {}\n", "promtail.yaml:4:16: stage 1 (regex): expression is required"),
        ("scrape_configs: [{job_name: a, syslog: {}}]", "listen_address is missing"), ("positions: {filename: ''}", "must not be empty"),
        ("scrape_configs: [{job_name: a, journal: {max_age: long}}]", "a duration such as"), ("clients: [{url: 'http://a', batchsize: 0}]", "greater than 0"),
        ("scrape_configs: [{job_name: a, docker_sd_configs: [{}]}]", "host is missing"),
        ("scrape_configs: [{job_name: a, kubernetes_sd_configs: [{role: x}]}]", "unknown value \"x\""),
    ])
    func refused(yaml: String, message: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try Self.parse(yaml) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("variables are replaced as envsubst does it, and stay where nobody asked")
    func environment() throws {
        let environment = ["A": "x", "EMPTY": "", "LONG": "hello"]
        let cases = [
            ("${A}", "x"), ("${B}", ""), ("${B:-d}", "d"), ("${A:-d}", "x"), ("${EMPTY:-d}", "d"), ("${EMPTY-d}", ""), ("${B-d}", "d"), ("${B:-${A}y}", "xy"),
            ("$A", "$A"), ("$${A}", "${A}"), ("a\\\\b", "a\\b"), ("${A:+set}", "set"), ("${LONG^^}", "HELLO"), ("${LONG^}", "Hello"), ("${#LONG}", "5"),
            ("${LONG:1:3}", "ell"), ("${LONG#he}", "llo"), ("${LONG%lo}", "hel"), ("${LONG/l/L}", "heLlo"), ("${LONG//l/L}", "heLLo"), ("${A", "${A"),
        ]
        for (text, expected) in cases { #expect(PromtailEnvironment.expand(text, environment) == expected, "\(text)") }
        let yaml = "clients: [{url: '${URL:-http://a/push}'}]"
        #expect(try Self.parse(yaml, environment: [:]).clients[0].url == "http://a/push")
        #expect(throws: ConfigurationError.self) { try Self.parse(yaml) }
    }

    @Test("a job's text tells jobs apart, whatever the layout of the file")
    func text() throws {
        let one = try Self.parse("scrape_configs:\n- job_name: a\n  static_configs: [{labels: {x: y, __path__: p}}]")
        let same = try Self.parse("scrape_configs: [{static_configs: [{labels: {__path__: 'p', x: \"y\"}}], job_name: a}]")
        let other = try Self.parse("scrape_configs: [{job_name: a, static_configs: [{labels: {x: z, __path__: p}}]}]")
        #expect(one.jobs[0].text == same.jobs[0].text && one.jobs[0].text != other.jobs[0].text)
    }

    @Test("no text makes the reader fail")
    func prefixes() {
        for count in stride(from: 0, to: Self.full.count, by: 11) { _ = try? Self.parse(String(Self.full.prefix(count))) }
    }

    @Test("a promtail.yaml is told from an apus.yaml")
    func likely() throws {
        #expect(PromtailConfiguration.isLikely(try ConfigurationNode.parse(Self.full, file: "x")))
        #expect(!PromtailConfiguration.isLikely(try ConfigurationNode.parse("prometheus: p.yml\nlogs: []", file: "x")))
        #expect(!PromtailConfiguration.isLikely(try ConfigurationNode.parse("scrape_configs: []", file: "x")))
    }
}
