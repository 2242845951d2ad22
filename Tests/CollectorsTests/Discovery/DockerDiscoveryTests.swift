import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// Answers paths (without their queries) with JSON, and everything else with 404.
func apiServer(unixSocket: String? = nil, _ answers: [String: String]) throws -> LoopbackServer {
    try LoopbackServer(unixSocket: unixSocket) { request in
        let path = String(request.target.prefix { $0 != "?" })
        return answers[path].map { .text($0, contentType: "application/json") } ?? .text("{\"message\":\"page not found\"}", status: 404)
    }
}

@Suite("DockerDiscovery")
struct DockerDiscoveryTests {
    /// As Docker 28 answers, cut down to what is read.
    static let containers = """
        [{"Id":"c1","Names":["/shop_web_1"],"Image":"shop/web:1","ImageID":"sha256:aa","Labels":{"com.docker.compose.service":"web"},
          "Ports":[{"IP":"0.0.0.0","PrivatePort":8080,"PublicPort":18080,"Type":"tcp"},{"PrivatePort":53,"Type":"udp"}],
          "HostConfig":{"NetworkMode":"shop_default"},
          "NetworkSettings":{"Networks":{"z_net":{"NetworkID":"n2","IPAddress":"10.9.0.2","GlobalIPv6Address":""},
             "shop_default":{"NetworkID":"n1","IPAddress":"172.20.0.2","GlobalIPv6Address":""}}}},
         {"Id":"c2","Names":["/node"],"Image":"exporter","Ports":[],"HostConfig":{"NetworkMode":"host"},
          "NetworkSettings":{"Networks":{"host":{"NetworkID":"n3","IPAddress":"","GlobalIPv6Address":""}}}},
         {"Id":"c3","Names":["/sidecar"],"Image":"sidecar","Ports":[{"PrivatePort":9100,"Type":"tcp"}],
          "HostConfig":{"NetworkMode":"container:c1"},"NetworkSettings":{"Networks":{}}},
         {"Id":"c4","Names":["/six"],"Image":"six","Ports":[],"HostConfig":{"NetworkMode":"bridge"},
          "NetworkSettings":{"Networks":{"bridge":{"NetworkID":"n4","IPAddress":"","GlobalIPv6Address":"2001:db8::4"}}}},
         {"Id":"c5","Names":[],"Image":"nameless","Ports":[],"HostConfig":{"NetworkMode":"bridge"},"NetworkSettings":{"Networks":{}}}]
        """
    static let networks = """
        [{"Id":"n1","Name":"shop_default","Scope":"local","Internal":false,"Ingress":false,"Labels":{"com.docker.compose.network":"default"}},
         {"Id":"n2","Name":"z_net","Scope":"local","Internal":true,"Ingress":false,"Labels":{}},
         {"Id":"n4","Name":"bridge","Scope":"local","Internal":false,"Ingress":false,"Labels":null}]
        """

    @Test("containers are found over the daemon's socket, one target a port")
    func socket() async throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/docker.sock"
        let server = try apiServer(unixSocket: path, ["/containers/json": Self.containers, "/networks": Self.networks])
        let targets = try await DiscoveryBench.targets(
            "docker_sd_configs: [{host: 'unix://\(path)', filters: [{name: label, values: ['a=b', 'c']}, {name: label, values: [d]}]}]")
        #expect(targets.map { $0["__address__"] } == ["172.20.0.2:8080", "172.20.0.2:9100", "[2001:db8::4]:80", "localhost"])
        let p = "__meta_docker_"
        #expect(
            targets[0]
                == Labels([
                    "__address__": "172.20.0.2:8080", p + "container_id": "c1", p + "container_name": "/shop_web_1",
                    p + "container_network_mode": "shop_default", p + "container_image": "shop/web:1",
                    p + "container_image_id": "sha256:aa", p + "container_label_com_docker_compose_service": "web",
                    p + "network_ip": "172.20.0.2", p + "port_private": "8080", p + "port_public": "18080",
                    p + "port_public_ip": "0.0.0.0", p + "network_id": "n1", p + "network_name": "shop_default",
                    p + "network_scope": "local", p + "network_internal": "false", p + "network_ingress": "false",
                    p + "network_label_com_docker_compose_network": "default",
                ]))
        #expect(targets[1][p + "container_name"] == "/sidecar")
        #expect(targets[3][p + "container_name"] == "/node")
        let request = try #require(server.requests.first { $0.target.hasPrefix("/containers/json") })
        #expect(request.target == "/containers/json?filters=%7B%22label%22%3A%7B%22a%3Db%22%3Atrue%2C%22c%22%3Atrue%2C%22d%22%3Atrue%7D%7D")
        #expect(request.headers["host"] == "docker")
    }

    @Test("over TCP, all networks of a container are targets where that is wanted")
    func allNetworks() async throws {
        let server = try apiServer(["/containers/json": Self.containers, "/networks": Self.networks])
        let targets = try await DiscoveryBench.targets(
            "docker_sd_configs: [{host: 'tcp://127.0.0.1:\(server.port)', match_first_network: false, host_networking_host: node1, port: 81}]")
        #expect(
            targets.map { $0["__address__"] } == [
                "10.9.0.2:8080", "10.9.0.2:9100", "172.20.0.2:8080", "172.20.0.2:9100", "[2001:db8::4]:81", "node1",
            ])
    }

    @Test("a daemon that refuses is an error with what it says")
    func refused() async throws {
        let server = try apiServer([:])
        try await DiscoveryBench.run("docker_sd_configs: [{host: 'http://127.0.0.1:\(server.port)'}]") { manager in
            try await until { manager.statuses().first?.lastError != nil }
            let error = manager.statuses().first?.lastError ?? ""
            #expect(error.contains("/containers/json: HTTP status 404"), "\(error)")
            #expect(error.contains("page not found"))
        }
    }
}

@Suite("DockerSwarmDiscovery")
struct DockerSwarmDiscoveryTests {
    static let nodes = """
        [{"ID":"node1","Spec":{"Labels":{"zone":"a"},"Role":"manager","Availability":"active"},
          "Description":{"Hostname":"m1","Platform":{"Architecture":"x86_64","OS":"linux"},"Engine":{"EngineVersion":"28.2.2"}},
          "Status":{"State":"ready","Addr":"10.0.0.1"},"ManagerStatus":{"Leader":true,"Reachability":"reachable","Addr":"10.0.0.1:2377"}}]
        """
    static let services = """
        [{"ID":"s1","Spec":{"Name":"web","Labels":{"team.name":"shop"},"Mode":{"Replicated":{"Replicas":2}},
          "TaskTemplate":{"ContainerSpec":{"Image":"shop/web:1","Hostname":"web-host"}}},
          "Endpoint":{"Ports":[{"Name":"metrics","Protocol":"tcp","TargetPort":8080,"PublishedPort":18080,"PublishMode":"ingress"},
             {"Protocol":"udp","PublishedPort":53}],
            "VirtualIPs":[{"NetworkID":"n1","Addr":"10.1.0.5/24"}]},"UpdateStatus":{"State":"completed"}},
         {"ID":"s2","Spec":{"Name":"agent","Labels":{},"Mode":{"Global":{}},"TaskTemplate":{}},
          "Endpoint":{"VirtualIPs":[{"NetworkID":"n1","Addr":"10.1.0.9/24"}]}}]
        """
    static let tasks = """
        [{"ID":"t1","ServiceID":"s1","NodeID":"node1","Slot":1,"DesiredState":"running",
          "Spec":{"ContainerSpec":{"Labels":{"a.b":"c"}}},
          "Status":{"State":"running","ContainerStatus":{"ContainerID":"abc"},
            "PortStatus":{"Ports":[{"Protocol":"tcp","PublishedPort":9000,"PublishMode":"host"}]}},
          "NetworksAttachments":[{"Network":{"ID":"n1"},"Addresses":["10.1.0.7/24"]}]}]
        """
    static let networks = """
        [{"Id":"n1","Name":"ingress","Scope":"swarm","Internal":false,"Ingress":true,"Labels":{}}]
        """

    private func targets(_ role: String) async throws -> [Labels] {
        let server = try apiServer([
            "/nodes": Self.nodes, "/services": Self.services, "/tasks": Self.tasks, "/networks": Self.networks,
        ])
        return try await DiscoveryBench.targets("dockerswarm_sd_configs: [{host: 'http://127.0.0.1:\(server.port)', role: \(role)}]")
    }

    private static let p = "__meta_dockerswarm_"
    private static let network: [Label] = [
        Label(p + "network_id", "n1"), Label(p + "network_name", "ingress"), Label(p + "network_scope", "swarm"),
        Label(p + "network_internal", "false"), Label(p + "network_ingress", "true"),
    ]
    private static let node: [Label] = [
        Label(p + "node_id", "node1"), Label(p + "node_role", "manager"), Label(p + "node_availability", "active"),
        Label(p + "node_hostname", "m1"), Label(p + "node_platform_architecture", "x86_64"), Label(p + "node_platform_os", "linux"),
        Label(p + "node_status", "ready"), Label(p + "node_address", "10.0.0.1"), Label(p + "node_label_zone", "a"),
    ]
    private static let service: [Label] = [
        Label(p + "service_id", "s1"), Label(p + "service_name", "web"), Label(p + "service_mode", "replicated"),
        Label(p + "service_label_team_name", "shop"),
    ]

    @Test("nodes, with what managers say of themselves")
    func nodes() async throws {
        let expected = Labels(
            Self.node + [
                Label("__address__", "10.0.0.1:80"), Label(Self.p + "node_engine_version", "28.2.2"),
                Label(Self.p + "node_manager_leader", "true"), Label(Self.p + "node_manager_reachability", "reachable"),
                Label(Self.p + "node_manager_address", "10.0.0.1:2377"),
            ])
        #expect(try await targets("nodes") == [expected])
    }

    @Test("services at their virtual addresses")
    func services() async throws {
        let targets = try await targets("services")
        let expected = Labels(
            Self.service + Self.network + [
                Label("__address__", "10.1.0.5:18080"), Label(Self.p + "service_endpoint_port_name", "metrics"),
                Label(Self.p + "service_endpoint_port_publish_mode", "ingress"),
                Label(Self.p + "service_task_container_hostname", "web-host"),
                Label(Self.p + "service_task_container_image", "shop/web:1"), Label(Self.p + "service_updating_status", "completed"),
            ])
        #expect(targets.first == expected)
        #expect(targets.last?["__address__"] == "10.1.0.9:80")
        #expect(targets.last?[Self.p + "service_mode"] == "global")
    }

    @Test("tasks, at their node's ports and in their networks, with the labels of service and node")
    func tasks() async throws {
        let targets = try await targets("tasks")
        let common =
            Self.service + Self.node + [
                Label(Self.p + "task_id", "t1"), Label(Self.p + "task_desired_state", "running"),
                Label(Self.p + "task_state", "running"), Label(Self.p + "task_slot", "1"),
                Label(Self.p + "task_container_id", "abc"), Label(Self.p + "container_label_a_b", "c"),
            ]
        #expect(
            targets == [
                Labels(common + [Label("__address__", "10.0.0.1:9000"), Label(Self.p + "task_port_publish_mode", "host")]),
                Labels(
                    common + Self.network
                        + [Label("__address__", "10.1.0.7:18080"), Label(Self.p + "task_port_publish_mode", "ingress")]),
            ])
    }
}
