import Foundation
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// A catalog that answers blocking queries: at once where the index differs, else when something changes.
final class ConsulServer: Sendable {
    struct State: Sendable {
        var index = 1
        var services: [String: [String]] = [:]
        var instances: [String: String] = [:]
        var isBroken = false
    }

    let state: Box<State>
    let server: LoopbackServer

    init(_ first: State) throws {
        let state = Box(first)
        self.state = state
        server = try LoopbackServer { request in
            let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
            let query = parts.count > 1 ? parts[1].split(separator: "&").map(String.init) : []
            if parts[0] == "/v1/agent/self" {
                return .text("{\"Config\":{\"Datacenter\":\"dc1\",\"NodeName\":\"n\"}}", contentType: "application/json")
            }
            for _ in 0..<2_000 where query.contains("index=\(state.value.index)") && !state.value.isBroken {
                Thread.sleep(forTimeInterval: 0.005)
            }
            let now = state.value
            if now.isBroken { return .text("rpc error", status: 500) }
            let body: String
            if parts[0] == "/v1/catalog/services" {
                body = "{" + now.services.map { "\"\($0.key)\":[\($0.value.map { "\"\($0)\"" }.joined(separator: ","))]" }.joined(separator: ",") + "}"
            } else {
                body = now.instances[String(parts[0].dropFirst("/v1/health/service/".count))] ?? "[]"
            }
            return .answer(
                status: 200, headers: ["Content-Type": "application/json", "X-Consul-Index": "\(now.index)"], body: Array(body.utf8))
        }
    }

    static func instance(_ service: String, address: String = "", port: Int, check: String = "passing") -> String {
        """
        [{"Node":{"Node":"n1","Address":"10.0.0.1","Datacenter":"dc1","TaggedAddresses":{"lan":"10.0.0.1"},"Meta":{"rack-no":"7"}},
          "Service":{"ID":"\(service)-1","Service":"\(service)","Tags":["a","b"],"Address":"\(address)","Port":\(port),
                     "Meta":{"version":"2"},"Namespace":"","Partition":""},
          "Checks":[{"CheckID":"serfHealth","Status":"passing"},{"CheckID":"service:x","Status":"\(check)"}]}]
        """
    }
}

@Suite("ConsulDiscovery")
struct ConsulDiscoveryTests {
    @Test("services of the catalog are followed by blocking queries: one comes, one changes, one goes")
    func catalog() async throws {
        let consul = try ConsulServer(
            .init(services: ["web": ["a"], "consul": []], instances: ["web": ConsulServer.instance("web", port: 8080)]))
        let yaml =
            "consul_sd_configs: [{server: '127.0.0.1:\(consul.server.port)', token: secret, tags: [a], refresh_interval: 10ms, "
            + "node_meta: {env: test}, filter: 'F == 1', health_filter: 'H == 2'}]"
        try await DiscoveryBench.run(yaml) { manager in
            try await until { manager.addresses == ["10.0.0.1:8080"] }
            let p = "__meta_consul_"
            #expect(
                manager.targets.first
                    == Labels([
                        "__address__": "10.0.0.1:8080", p + "address": "10.0.0.1", p + "node": "n1", p + "tags": ",a,b,",
                        p + "service": "web", p + "service_id": "web-1", p + "service_port": "8080", p + "dc": "dc1",
                        p + "health": "passing", p + "metadata_rack_no": "7", p + "service_metadata_version": "2",
                        p + "tagged_address_lan": "10.0.0.1",
                    ]))
            consul.state.value = .init(
                index: 2, services: ["web": ["a"], "db": ["a"]],
                instances: [
                    "web": ConsulServer.instance("web", address: "10.0.0.9", port: 81, check: "critical"),
                    "db": ConsulServer.instance("db", port: 5432),
                ])
            try await until { manager.addresses == ["10.0.0.1:5432", "10.0.0.9:81"] }
            #expect(manager.targets.last?[p + "health"] == "critical")
            #expect(manager.targets.last?[p + "service_address"] == "10.0.0.9")
            consul.state.value = .init(index: 3, services: ["db": ["a"]], instances: ["db": ConsulServer.instance("db", port: 5432)])
            try await until { manager.addresses == ["10.0.0.1:5432"] }
        }
        let requests = consul.server.requests
        #expect(requests.allSatisfy { $0.headers["x-consul-token"] == "secret" })
        let first = try #require(requests.first { $0.target.hasPrefix("/v1/catalog/services") })
        #expect(first.target == "/v1/catalog/services?filter=F+%3D%3D+1&dc=dc1&node-meta=env%3Atest&stale=true")
        let health = try #require(requests.first { $0.target.hasPrefix("/v1/health/service/web") })
        #expect(health.target == "/v1/health/service/web?tag=a&filter=H+%3D%3D+2&dc=dc1&node-meta=env%3Atest&stale=true")
        #expect(requests.contains { $0.target.hasSuffix("&index=1&wait=120s") })
        #expect(!requests.contains { $0.target.hasPrefix("/v1/health/service/consul") })
    }

    @Test("services by name need no catalog; a failing server leaves them")
    func named() async throws {
        let consul = try ConsulServer(.init(instances: ["web": ConsulServer.instance("web", port: 8080, check: "warning")]))
        let yaml =
            "consul_sd_configs: [{server: '127.0.0.1:\(consul.server.port)', datacenter: dc9, services: [web], refresh_interval: 10ms, allow_stale: false}]"
        try await DiscoveryBench.run(yaml) { manager in
            try await until { manager.addresses == ["10.0.0.1:8080"] }
            #expect(manager.targets.first?["__meta_consul_health"] == "warning")
            #expect(manager.targets.first?["__meta_consul_dc"] == "dc9")
            var state = consul.state.value
            state.isBroken = true
            consul.state.value = state
            try await until { manager.statuses().first?.lastError?.contains("HTTP status 500") == true }
            #expect(manager.addresses == ["10.0.0.1:8080"])
            state.isBroken = false
            state.index = 5
            consul.state.value = state
            try await until { manager.statuses().first?.lastError == nil }
        }
        #expect(consul.server.requests.first?.target == "/v1/health/service/web?dc=dc9")
    }

    @Test("Nomad's services")
    func nomad() async throws {
        let server = try apiServer([
            "/v1/services": "[{\"Namespace\":\"default\",\"Services\":[{\"ServiceName\":\"web\",\"Tags\":[\"a\"]}]}]",
            "/v1/service/web": """
            [{"ID":"_nomad-task-1","ServiceName":"web","Namespace":"default","NodeID":"n1","Datacenter":"dc1","Tags":["a","b"],
              "Address":"10.0.0.3","Port":8080}]
            """,
        ])
        let targets = try await DiscoveryBench.targets("nomad_sd_configs: [{server: '\(server.url)'}]")
        let p = "__meta_nomad_"
        #expect(
            targets == [
                Labels([
                    "__address__": "10.0.0.3:8080", p + "address": "10.0.0.3", p + "dc": "dc1", p + "node_id": "n1",
                    p + "namespace": "default", p + "service": "web", p + "service_address": "10.0.0.3", p + "service_port": "8080",
                    p + "service_id": "_nomad-task-1", p + "tags": ",a,b,",
                ])
            ])
        #expect(server.requests.first?.target == "/v1/services?namespace=default&region=global&stale=")
    }
}
