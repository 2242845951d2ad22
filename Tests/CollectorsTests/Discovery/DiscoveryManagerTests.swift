import Foundation
import Logging
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("DiscoveryManager")
struct DiscoveryManagerTests {
    private func json(_ addresses: String...) -> LoopbackServer.Response {
        let list = addresses.map { "\"\($0)\"" }.joined(separator: ",")
        return .text("[{\"targets\":[\(list)],\"labels\":{\"env\":\"test\"}}]", contentType: "application/json")
    }

    @Test("static targets are there at once, others when they are found; then all is told of once")
    func complete() async throws {
        let server = try LoopbackServer { _ in json("b:1") }
        let yaml = "static_configs: [{targets: ['a:1'], labels: {x: y}}]\nhttp_sd_configs: [{url: '\(server.url)'}]"
        try await withTransport { transport async throws in
            let manager = DiscoveryManager(context: DiscoveryContext(transport: transport, logger: Logger(label: "test")))
            manager.apply(["p": try DiscoveryBench.entries(yaml)])
            #expect(manager.addresses == ["a:1"])
            #expect(manager.targets.first == Labels(["__address__": "a:1", "x": "y"]))
            #expect(!manager.found("p").isComplete)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await manager.run() }
                for await _ in manager.changes where manager.found("p").isComplete { break }
                #expect(manager.addresses == ["a:1", "b:1"])
                group.cancelAll()
            }
        }
    }

    @Test("a lookup that fails keeps the targets, is counted, and says why; the next good one is taken")
    func failing() async throws {
        let answer = Box<LoopbackServer.Response>(json("a:1"))
        let server = try LoopbackServer { _ in answer.value }
        try await DiscoveryBench.run("http_sd_configs: [{url: '\(server.url)', refresh_interval: 50ms}]") { manager in
            try await until { manager.addresses == ["a:1"] }
            answer.value = .text("broken", status: 500)
            try await until { (manager.statuses().first?.failureCount ?? 0) >= 2 }
            #expect(manager.addresses == ["a:1"])
            let status = try #require(manager.statuses().first)
            #expect(status.name == "http")
            #expect(status.pools == ["p"])
            #expect(status.targetCount == 1)
            #expect(status.lastError?.contains("HTTP status 500") == true)
            answer.value = json("a:2", "a:3")
            try await until { manager.addresses == ["a:2", "a:3"] }
            #expect(manager.statuses().first?.lastError == nil)
        }
    }

    @Test("what a new configuration does not touch goes on; what it drops ends")
    func reload() async throws {
        let kept = try LoopbackServer { _ in json("kept:1") }
        let gone = try LoopbackServer { _ in json("gone:1") }
        let both = "http_sd_configs: [{url: '\(kept.url)'}, {url: '\(gone.url)'}]"
        try await DiscoveryBench.run(both) { manager in
            try await until { manager.addresses == ["gone:1", "kept:1"] }
            let version = manager.found("p").version
            manager.apply(["p": try DiscoveryBench.entries("http_sd_configs: [{url: '\(kept.url)'}]")])
            #expect(manager.addresses == ["kept:1"])
            #expect(manager.found("p").version != version)
            #expect(manager.statuses().count == 1)
            try await Task.sleep(for: .milliseconds(200))
            #expect(kept.requests.count == 1)
            manager.apply(["p": []])
            #expect(manager.addresses.isEmpty)
        }
    }

    @Test("equal entries of two pools share one discovery")
    func shared() async throws {
        let server = try LoopbackServer { _ in json("a:1") }
        let entries = try DiscoveryBench.entries("http_sd_configs: [{url: '\(server.url)'}]")
        try await DiscoveryBench.run("{}") { manager in
            manager.apply(["p": entries, "q": entries])
            try await until { manager.addresses == ["a:1"] && manager.found("q").groups.count == 1 }
            #expect(server.requests.count == 1)
            #expect(manager.statuses().map(\.pools) == [["p", "q"]])
        }
    }

    @Test("http_sd tells its interval, and gives the groups the URL")
    func http() async throws {
        let server = try LoopbackServer { _ in json("a:1") }
        let url = server.url + "/sd"
        let targets = try await DiscoveryBench.targets(
            "http_sd_configs: [{url: '\(url)', refresh_interval: 90s, authorization: {credentials: t}}]")
        #expect(targets == [Labels(["__address__": "a:1", "env": "test", "__meta_url": url])])
        let request = try #require(server.requests.first)
        #expect(request.headers["x-prometheus-refresh-interval-seconds"] == "90")
        #expect(request.headers["accept"] == "application/json")
        #expect(request.headers["authorization"] == "Bearer t")
    }

    @Test(
        "what is no list of target groups is refused with its place",
        arguments: [
            ("{}", "expected a list of target groups"), ("[null]", "target group 0: expected an object"),
            ("[{\"targets\":[1]}]", "target group 0: targets must be strings"),
            ("[{\"targets\":[],\"labels\":{\"a\":1}}]", "target group 0: the label a must be a string"),
            ("[{\"target\":[]}]", "target group 0: unexpected \"target\""), ("[", "no valid JSON"),
        ])
    func damaged(text: String, message: String) throws {
        let error = try #require(throws: DiscoveryError.self) {
            try TargetGroup.groups(json: Array(text.utf8), source: "s", labels: [])
        }
        #expect(error.description.contains(message), "\(error)")
    }

    @Test("files are followed; one that is broken keeps what it said, one that goes takes its targets with it")
    func files() async throws {
        let folder = try ScratchFolder()
        let (json, yaml) = (folder.path + "/a.json", folder.path + "/b.yml")
        func write(_ text: String, _ path: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        try write("[{\"targets\":[\"a:1\"],\"labels\":{\"x\":\"y\"}}]", json)
        try write("- targets: ['b:1']", yaml)
        var files = DiscoveredFiles()
        let globs = [folder.path + "/*.json", folder.path + "/*.yml"]
        func addresses() -> [String] { files.groups(of: globs).flatMap(\.labelSets).compactMap { $0["__address__"] } }
        #expect(addresses() == ["a:1", "b:1"])
        #expect(files.groups(of: globs).first?.labelSets.first == Labels(["__address__": "a:1", "x": "y", "__meta_filepath": json]))
        try write("[{", json)
        #expect(addresses() == ["a:1", "b:1"])
        #expect(files.failure?.description.contains(json) == true)
        try write("[{\"targets\":[\"a:2\"]}]", json)
        #expect(addresses() == ["a:2", "b:1"])
        #expect(files.failure == nil)
        try FileManager.default.removeItem(atPath: yaml)
        #expect(addresses() == ["a:2"])
    }

    @Test(
        "what Prometheus refuses is refused with its place",
        arguments: [
            ("file_sd_configs: [{files: ['a.txt']}]", "1:28: \"a.txt\" must end in .json, .yml or .yaml"),
            ("file_sd_configs: [{files: []}]", "1:19: files is empty"),
            ("http_sd_configs: [{}]", "1:19: http_sd_configs[0]: url is missing"),
            ("http_sd_configs: [{url: 'ftp://x'}]", "1:25: URL scheme must be 'http' or 'https'"),
            ("http_sd_configs: [{url: 'http://x', refresh_interval: 0s}]", "1:55: refresh_interval must be above 0"),
            ("dns_sd_configs: [{names: []}]", "1:18: DNS-SD config must contain at least one SRV record name"),
            ("dns_sd_configs: [{names: [a], type: PTR}]", "1:37: invalid DNS-SD records type PTR"),
            ("dns_sd_configs: [{names: [a], type: a}]", "1:18: a port is required in DNS-SD configs"),
            ("docker_sd_configs: [{}]", "1:21: host missing"),
            ("docker_sd_configs: [{host: 'ssh://x'}]", "1:28: \"ssh://x\" is no address of a Docker daemon"),
            ("dockerswarm_sd_configs: [{host: 'tcp://x:1'}]", "1:26: role missing (one of: tasks, services, nodes)"),
            ("dockerswarm_sd_configs: [{host: 'tcp://x:1', role: x}]", "1:52: dockerswarm_sd_configs[0].role has the unknown value"),
            ("consul_sd_configs: [{server: ' '}]", "1:30: consul SD configuration requires a server address"),
            ("consul_sd_configs: [{username: a, basic_auth: {username: b}}]", "1:21: at most one of consul SD configuration username"),
            ("consul_sd_configs: [{token: a, authorization: {credentials: b}}]", "1:29: at most one of consul SD token"),
            ("ec2_sd_configs: [{filters: [{name: a, values: []}]}]", "1:29: EC2 SD configuration filter values cannot be empty"),
            ("kubernetes_sd_configs: [{}]", "1:25: role missing (one of: pod"),
            ("kubernetes_sd_configs: [{role: pods}]", "1:32: kubernetes_sd_configs[0].role has the unknown value \"pods\"; did you mean \"pod\""),
            ("kubernetes_sd_configs: [{role: pod, bearer_token: x}]", "1:25: to use custom HTTP client configuration please"),
            ("kubernetes_sd_configs: [{role: pod, api_server: 'http://x', kubeconfig_file: y}]", "1:25: cannot use 'kubeconfig_file'"),
            ("kubernetes_sd_configs: [{role: pod, kubeconfig_file: y, bearer_token: x}]", "1:25: cannot use a custom HTTP client"),
            ("kubernetes_sd_configs: [{role: pod, api_server: 'http://x', namespaces: {own_namespace: true}}]", "1:25: cannot use 'api_server' and"),
            ("kubernetes_sd_configs: [{role: pod, selectors: [{role: service}]}]", "1:56: pod role supports only pod, node selectors"),
            ("kubernetes_sd_configs: [{role: pod, selectors: [{role: pod}, {role: pod}]}]", "1:69: duplicated selector role: pod"),
        ])
    func refused(yaml: String, message: String) throws {
        let refusal = try DiscoveryBench.refusal(yaml)
        #expect(refusal.hasPrefix("/etc/p.yml:" + message), "\(refusal)")
    }
}
