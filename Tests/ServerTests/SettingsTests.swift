import Collectors
import Foundation
import Server
import Settings
import Telemetry
import TestSupport
import Testing

/// `apus.yaml`.
@Suite("apus.yaml") struct SettingsTests {
    static func parse(_ text: String, environment: [String: String] = [:]) throws(ConfigurationError) -> ServerSettings {
        try ServerSettings.parse(text, file: "apus.yaml", environment: environment)
    }

    /// A text, and what its error says.
    static let mistakes: [(text: String, message: String)] = [
        ("rules: []\nretentoin:\n  metrics: 15d\n",
            #"apus.yaml:2:1: unknown key "retentoin"; did you mean "retention"?"#),
        ("retention: {metrics: 0s}\n", "apus.yaml:1:22: retention.metrics: found \"0s\", expected a duration longer than 0"),
        ("tokens:\n  - {name: a, token: x, scopes: [querry]}\n", "apus.yaml:2:34"),
        ("tokens:\n  - {name: a, scopes: [query]}\n", "needs exactly one of token, token_file and env"),
        ("tokens:\n  - {name: a, token: x, env: Y, scopes: [query]}\n", "apus.yaml:2:30: the environment variable Y is not set"),
        ("tokens:\n  - {name: a, token: x, scopes: []}\n", "has no scopes"),
        ("tokens:\n  - {name: a, token: x, scopes: [query]}\n  - {name: a, token: y, scopes: [query]}\n", "apus.yaml:3:5: two tokens have the name \"a\""),
        ("listen: nowhere\n", "apus.yaml:1:9: listen: found \"nowhere\", expected an address"),
        ("log_format: xml\n", "log_format has the unknown value"),
        ("logs:\n  - {files: []}\n", "files is empty"),
        ("logs:\n  - {labels: {a: b}}\n", "files is missing"),
        ("profiles:\n  - {service: a, url: 'ftp://x'}\n", "a URL that begins with http:// or https://"),
        ("profiles:\n  - {service: a, url: 'http://x', interval: 5s, seconds: 10}\n", "does not fit into an interval"),
        ("alerting: {webhook: {send_resolved: false}}\n", "url is missing"),
        ("limits: {body_size: -1}\n", "limits.body_size"),
        ("disk_budget: {metrics: 0}\n", "disk_budget.metrics"),
        ("disk_budget: {metric: 1GB}\n", "did you mean \"metrics\"?"),
        ("disk_reserve: much\n", "a number of bytes such as"),
        ("scrape_budget: {target_series: -1}\n", "a number that is not negative; 0 means no limit"),
        ("scrape_budget: {series: 1}\n", "scrape_budget"),
        ("- a\n", "expected a mapping"),
        ("a: [\n", "not valid YAML"),
    ]

    @Test("a mistake is named with file, line, column and what was expected", arguments: mistakes.indices)
    func refused(index: Int) {
        let row = Self.mistakes[index]
        let error = #expect(throws: ConfigurationError.self) { try Self.parse(row.text) }
        #expect(error?.description.contains(row.message) == true, "\(error?.description ?? "no error")")
    }

    @Test("what is said is taken, what is not said has its default")
    func everything() throws {
        let settings = try Self.parse(
            """
            listen: ":2787"
            data_dir: /var/lib/apus
            retention: {metrics: 15d}
            disk_budget: {metrics: 2GB, logs: 512MB}
            disk_reserve: 1GB
            tokens:
              - {name: ci, env: CI_TOKEN, scopes: [ingest]}
            logs:
              - files: [/var/log/*.log, app/*.log]
                exclude: ["*.gz"]
                labels: {job: app}
            profiles:
              - {service: orders, url: "http://127.0.0.1:8080", types: [cpu]}
            rules: [rules/*.yml]
            alerting:
              webhook: {url: "http://127.0.0.1:9094/"}
            """, environment: ["CI_TOKEN": "secret"])
        #expect(settings.listen == ListenAddress(host: "0.0.0.0", port: 2787))
        #expect(settings.dataFolder == "/var/lib/apus")
        #expect(settings.retention.metrics == .seconds(15 * 86_400))
        #expect(settings.retention.logs == .seconds(30 * 86_400))
        #expect(settings.diskBudget == [.metrics: 2 << 30, .logs: 512 << 20])
        #expect(settings.diskReserveByteCount == 1 << 30)
        #expect(settings.tokens.map(\.name) == ["ci"])
        #expect(settings.logs[0].include == ["/var/log/*.log", "app/*.log"])
        #expect(settings.profiles[0].service == "orders")
        #expect(settings.rules == ["rules/*.yml"])
        #expect(settings.webhook?.sendsResolved == true)
        #expect(settings.limits.bodyByteCountMax == 64 << 20)
    }

    @Test("an empty file is the defaults")
    func empty() throws {
        #expect(try Self.parse("").tokens.isEmpty)
    }

    @Test("relative paths start at the file's folder")
    func relativePaths() throws {
        let settings = try ServerSettings.parse("logs: [{files: [a.log]}]\ndata_dir: data\n", file: "/etc/apus/apus.yaml", environment: [:])
        #expect(settings.logs[0].include == ["/etc/apus/a.log"])
        #expect(settings.dataFolder == "/etc/apus/data")
        #expect(ServerSettings.resolve("../../var/./log/*.log", in: "/etc/apus/apus.yaml") == "/var/log/*.log")
        #expect(ServerSettings.resolve("../a", in: "apus.yaml") == "../a")
        #expect(ServerSettings.resolve(".", in: "apus.yaml") == ".")
    }

    @Test("a token's file holds the token and a newline")
    func tokenFile() throws {
        let folder = try ScratchFolder()
        try Data("s3cret\n".utf8).write(to: folder.url.appending(path: "token"))
        let text = "tokens: [{name: a, token_file: token, scopes: [query]}]\n"
        let settings = try ServerSettings.parse(text, file: folder.path + "/apus.yaml", environment: [:])
        #expect(Access(tokens: settings.tokens).token(Array("s3cret".utf8))?.name == "a")
        #expect(Access(tokens: settings.tokens).token(Array("s3cret\n".utf8)) == nil)
    }
}
