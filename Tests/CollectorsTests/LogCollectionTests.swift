import Foundation
import Logging
import Query
import ServiceLifecycle
import Settings
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// A folder with logs, and what a `promtail.yaml` makes of it.
struct CollectionBench {
    let folder: ScratchFolder
    let store = MemoryStore()

    init() throws { folder = try ScratchFolder() }

    func path(_ name: String) -> String { folder.path + "/" + name }

    func write(_ text: String, to name: String) throws {
        let file = URL(filePath: path(name))
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
        let handle = try FileHandle(forWritingTo: file)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func configuration(_ jobs: String) throws -> PromtailConfiguration {
        try PromtailConfiguration.parse(
            "positions: {filename: '\(path("positions.yaml"))'}\nscrape_configs:\n" + jobs, file: path("promtail.yaml"), environment: nil)
    }

    /// Runs what `jobs` ask for while `body` looks on.
    func run(_ jobs: String, _ body: (LogCollection) async throws -> Void) async throws {
        let configuration = try configuration(jobs)
        try await withTransport { transport async throws in
            let place = LogCollection.Place(store: store, positions: store, spoolFolder: path("spool"), transport: transport) { _ in
                throw SourceError("there are no clients")
            }
            let collection = try LogCollection(configuration, place: place, logger: Logger(label: "test"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in collection.services { group.addTask { try await service.run() } }
                try await body(collection)
                group.cancelAll()
            }
        }
    }

    /// Lines behind the values of their labels `names`, in order.
    func lines(_ names: String...) async throws -> [String] {
        try await store.logEntries().map { found in (names.map { found.labels[$0] ?? "-" } + [found.entry.line]).joined(separator: " ") }.sorted()
    }
}

@Suite("LogCollection")
struct LogCollectionTests {
    @Test("the files of pods on this node are found by pod and container, once each, and no others")
    func kubernetes() async throws {
        let bench = try CollectionBench()
        let here = FileTargets.hostname()
        let path = "/api/v1/pods"
        let server = try KubernetesServer([
            path: [KubernetesDiscoveryTests.pod("web-1", node: here), KubernetesDiscoveryTests.pod("web-2", node: "elsewhere")]
        ])
        for pod in ["u-web-1", "u-web-2", "u-web-3"] { try bench.write("2026-11-22T17:00:00Z stdout F of \(pod)\n", to: "pods/shop_x_\(pod)/app/0.log") }
        let jobs = """
            - job_name: pods
              kubernetes_sd_configs: [{role: pod, api_server: '\(server.url)'}]
              pipeline_stages: [{cri: {}}]
              relabel_configs:
                - {source_labels: [__meta_kubernetes_pod_node_name], target_label: __host__}
                - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
                - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
                - {source_labels: [__meta_kubernetes_pod_container_name], target_label: container}
                - {source_labels: [__meta_kubernetes_pod_uid, __meta_kubernetes_pod_container_name], separator: /, replacement: '\(bench.path("pods"))/*$1/*.log', target_label: __path__}
            """
        try await bench.run(jobs) { collection in
            try await until { try await bench.lines("pod").count == 1 }
            server.send("ADDED", KubernetesDiscoveryTests.pod("web-3", node: here, version: 11), to: path)
            try await until { try await bench.lines("pod").count == 2 }
            try bench.write("2026-11-22T17:00:01Z stderr F more\n", to: "pods/shop_x_u-web-1/app/0.log")
            try await until { try await bench.lines("pod").count == 3 }
            #expect(collection.files().count == 2)
        }
        #expect(try await bench.lines("namespace", "pod", "container") == ["shop web-1 app more", "shop web-1 app of u-web-1", "shop web-3 app of u-web-3"])
        let queries = server.server.requests.map(\.target)
        #expect(queries.allSatisfy { $0.contains("fieldSelector=spec.nodeName%3D\(here)") }, "\(queries)")
    }

    @Test("targets come from files and URLs, and go with them")
    func filesAndURLs() async throws {
        let bench = try CollectionBench()
        let server = try LoopbackServer { _ in
            .text("[{\"targets\":[\"a:1\",\"a:2\"],\"labels\":{\"from\":\"url\",\"__path__\":\"\(bench.path("url.log"))\"}}]", contentType: "application/json")
        }
        let targets = { (name: String) in "[{targets: [localhost], labels: {from: \(name), __path__: '\(bench.path(name)).log'}}]" }
        try targets("one").write(toFile: bench.path("targets.yaml"), atomically: true, encoding: .utf8)
        for name in ["one", "two", "url"] { try bench.write("in \(name)\n", to: name + ".log") }
        let jobs = """
            - job_name: found
              file_sd_configs: [{files: [targets.yaml]}]
              http_sd_configs: [{url: '\(server.url)'}]
            """
        try await bench.run(jobs) { collection in
            try await until { try await bench.lines("from").count == 2 }
            try targets("two").write(toFile: bench.path("targets.yaml"), atomically: true, encoding: .utf8)
            try await until { try await bench.lines("from").count == 3 }
            #expect(collection.discoveries().map(\.name) == ["file", "http"])
        }
        #expect(try await bench.lines("from") == ["one in one", "two in two", "url in url"])
    }

    @Test("services of a Consul catalog, and those of an agent, name files")
    func consul() async throws {
        let bench = try CollectionBench()
        let server = try LoopbackServer { request in
            let path = request.target.split(separator: "?")[0]
            if request.target.contains("index=") { return .silence }
            let body =
                switch path {
                case "/v1/agent/self":
                    #"{"Config":{"Datacenter":"dc1","NodeName":"n1"},"Member":{"Addr":"10.0.0.1"},"Meta":{"rack":"7"}}"#
                case "/v1/agent/services":
                    #"{"o1":{"ID":"o1","Service":"orders","Tags":["a","b"],"Address":"","Port":80,"Meta":{"v":"2"},"TaggedAddresses":{"lan":{"Address":"10.0.0.1","Port":80}}},"x":{"ID":"x","Service":"other","Tags":[],"Port":1}}"#
                case "/v1/agent/checks": #"{"c":{"ServiceID":"o1","Status":"warning"},"d":{"ServiceID":"x","Status":"critical"}}"#
                case "/v1/catalog/services": #"{"cart":[]}"#
                default: ConsulServer.instance("cart", port: 9)
                }
            return .answer(status: 200, headers: ["Content-Type": "application/json", "X-Consul-Index": "1"], body: Array(body.utf8))
        }
        try bench.write("agent\n", to: "orders.log")
        try bench.write("catalog\n", to: "cart.log")
        let address = server.url.replacing("http://", with: "")
        let jobs = """
            - job_name: catalog
              consul_sd_configs: [{server: '\(address)'}]
              relabel_configs:
                - {source_labels: [__meta_consul_service], replacement: '\(bench.folder.path)/$1.log', target_label: __path__}
                - {source_labels: [__meta_consul_service, __meta_consul_dc], target_label: what}
            - job_name: agent
              consulagent_sd_configs: [{server: '\(address)', services: [orders], tags: [a]}]
              relabel_configs:
                - {source_labels: [__meta_consulagent_service], replacement: '\(bench.folder.path)/$1.log', target_label: __path__}
                - {regex: __meta_consulagent_(.+), action: labelmap}
                - {source_labels: [__address__], target_label: what}
            """
        try await bench.run(jobs) { _ in
            try await until { try await bench.store.logEntries().count == 2 }
        }
        #expect(try await bench.lines("what") == ["10.0.0.1:80 agent", "cart;dc1 catalog"])
        var labels = try #require(try await bench.store.logEntries().first { $0.entry.line == "agent" }?.labels)
        labels["filename"] = nil
        #expect(
            labels
                == Labels([
                    "what": "10.0.0.1:80", "address": "10.0.0.1", "node": "n1", "tags": ",a,b,", "service_port": "80", "service_id": "o1",
                    "health": "warning", "service": "orders", "dc": "dc1", "metadata_rack": "7", "service_metadata_v": "2",
                    "tagged_address_lan": "10.0.0.1:80",
                ]))
    }

    @Test("lines before Promtail's positions are not stored; what is new behind them is, and the file is read once")
    func positions() async throws {
        let bench = try CollectionBench()
        try bench.write("one\ntwo\n", to: "old.log")
        try bench.write("gone\n", to: "shorter.log")
        try """
        positions:
          \(bench.path("old.log")): "8"
          \(bench.path("shorter.log")): "100"
          \(bench.path("new.log")): "4"
          \(bench.path("nowhere.log")): "7"
          cursor-journal: "s=abc;i=1"
        """.write(toFile: bench.path("positions.yaml"), atomically: true, encoding: .utf8)
        try await Task.sleep(for: .milliseconds(20))
        // Made after Promtail has stopped, under a path that it knew.
        try bench.write("all of it\n", to: "new.log")
        try bench.write("three\n", to: "old.log")
        let jobs = """
            - job_name: files
              static_configs: [{labels: {job: x, __path__: '\(bench.folder.path)/*.log'}}]
            - job_name: journal
              journal: {path: /nowhere}
            """
        try await bench.run(jobs) { _ in
            try await until { try await bench.lines().count == 3 }
        }
        #expect(try await bench.lines() == ["all of it", "gone", "three"])
        let cursor = try bench.store.value("journal/journal", in: SourcePump.namespace).flatMap { SavedPosition($0) }
        #expect(cursor?.position == Array("s=abc;i=1".utf8))
        // Rotated while nobody looked: the positions say nothing about the new file.
        try FileManager.default.removeItem(atPath: bench.path("old.log"))
        try bench.write("a new file, longer than the old one\n", to: "old.log")
        try await bench.run(jobs) { _ in
            try await until { try await bench.lines().count == 4 }
        }
        #expect(try await bench.lines().first == "a new file, longer than the old one")
    }

    @Test("a new configuration holds for files that are open; what the old stages held back is let go")
    func reload() async throws {
        let bench = try CollectionBench()
        try bench.write("START a\nb\n", to: "a.log")
        let job = { (stages: String) in
            "- job_name: files\n  static_configs: [{labels: {job: x, __path__: '\(bench.folder.path)/*.log'}}]\n  pipeline_stages: [\(stages)]\n"
        }
        let broken = try bench.configuration(job("") + "  encoding: none-such\n")
        let next = try bench.configuration(job("{static_labels: {stage: new}}"))
        try await bench.run(job("{multiline: {firstline: START, max_wait_time: 1h}}")) { collection in
            try await until { !collection.files().isEmpty && collection.files()[0].offset == 10 }
            #expect(throws: EncodingError.self) { try collection.apply(broken) }
            try collection.apply(next)
            try bench.write("c\n", to: "a.log")
            try await until { try await bench.lines().count == 2 }
        }
        #expect(try await bench.lines("stage") == ["- START a\nb", "new c"])
    }
}
