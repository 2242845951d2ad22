import Codecs
import Foundation
import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// An API server that lists what it is told, and whose watches go on until they are ended.
final class KubernetesServer: Sendable {
    struct State: Sendable {
        /// Items by the path of their list.
        var lists: [String: [String]] = [:]
        /// Events to be sent to the watches of a path, in order.
        var events: [String: [String]] = [:]
        var version = 10
        /// How many watches of a path are to end at once.
        var endsWatches = false
    }

    let state: Box<State>
    let server: LoopbackServer
    var url: String { server.url }

    init(_ lists: [String: [String]]) throws {
        let state = Box(State(lists: lists))
        self.state = state
        server = try LoopbackServer { request in
            let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
            let (path, query) = (parts[0], parts.count > 1 ? parts[1] : "")
            guard state.value.lists[path] != nil else {
                return .text("{\"kind\":\"Status\",\"message\":\"\(path) is forbidden\",\"code\":403}", status: 403)
            }
            guard query.contains("watch=true") else {
                // One item a page.
                let items = state.value.lists[path] ?? []
                let at = query.firstRange(of: "continue=p").flatMap { Int(query[$0.upperBound...].prefix { $0.isNumber }) } ?? 0
                let next = at + 1 < items.count ? "p\(at + 1)" : ""
                return .text(
                    "{\"metadata\":{\"resourceVersion\":\"\(state.value.version)\",\"continue\":\"\(next)\"},\"items\":[\(items.isEmpty ? "" : items[at])]}",
                    contentType: "application/json")
            }
            let sent = Mutex(0)
            return .pieces(contentType: "application/json") {
                while true {
                    let index = sent.withLock { $0 }
                    let events = state.value.events[path] ?? []
                    if index < events.count {
                        sent.withLock { $0 += 1 }
                        return Array((events[index] + "\n").utf8)
                    }
                    if state.value.endsWatches { return nil }
                    Thread.sleep(forTimeInterval: 0.005)
                }
            }
        }
    }

    func send(_ type: String, _ object: String, to path: String) {
        var state = self.state.value
        // One event a line.
        state.events[path, default: []].append("{\"type\":\"\(type)\",\"object\":\(object.replacing("\n", with: " "))}")
        self.state.value = state
    }

    deinit {
        state.value.endsWatches = true
    }
}

@Suite("KubernetesDiscovery")
struct KubernetesDiscoveryTests {
    static func pod(_ name: String, ip: String = "10.2.0.1", node: String = "node1", owner: String = "", version: Int = 5) -> String {
        """
        {"metadata":{"name":"\(name)","namespace":"shop","uid":"u-\(name)","resourceVersion":"\(version)","labels":{"app.kubernetes.io/name":"web"},
          "annotations":{"prometheus.io/scrape":"true"}\(owner.isEmpty ? "" : ",\"ownerReferences\":[\(owner)]")},
         "spec":{"nodeName":"\(node)","containers":[{"name":"app","image":"shop/web:1",
            "ports":[{"name":"http","containerPort":8080,"protocol":"TCP"},{"name":"metrics","containerPort":9090,"protocol":"TCP"}]},
            {"name":"helper","image":"helper:1"}],"initContainers":[{"name":"init","image":"init:1"}]},
         "status":{"phase":"Running","podIP":"\(ip)","hostIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True"}],
            "containerStatuses":[{"name":"app","containerID":"docker://abc"}]}}
        """
    }

    static let node = """
        {"metadata":{"name":"node1","labels":{"zone":"a"},"annotations":{}},"spec":{"providerID":"aws:///i-1"},
         "status":{"addresses":[{"type":"Hostname","address":"node1.local"},{"type":"InternalIP","address":"10.0.0.1"}],
           "conditions":[{"type":"Ready","status":"True"},{"type":"MemoryPressure","status":"False"}],
           "daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}
        """

    static let service = """
        {"metadata":{"name":"web","namespace":"shop","labels":{"team":"shop"}},
         "spec":{"type":"ClusterIP","clusterIP":"10.96.0.9","ports":[{"name":"http","port":80,"protocol":"TCP"}]}}
        """

    private static let p = "__meta_kubernetes_"
    private static let podLabels: [Label] = [
        Label(p + "namespace", "shop"), Label(p + "pod_name", "web-1"), Label(p + "pod_ip", "10.2.0.1"), Label(p + "pod_ready", "true"),
        Label(p + "pod_phase", "Running"), Label(p + "pod_node_name", "node1"), Label(p + "pod_host_ip", "10.0.0.1"),
        Label(p + "pod_uid", "u-web-1"), Label(p + "pod_label_app_kubernetes_io_name", "web"),
        Label(p + "pod_labelpresent_app_kubernetes_io_name", "true"), Label(p + "pod_annotation_prometheus_io_scrape", "true"),
        Label(p + "pod_annotationpresent_prometheus_io_scrape", "true"),
    ]
    private static let serviceLabels: [Label] = [
        Label(p + "service_name", "web"), Label(p + "service_label_team", "shop"), Label(p + "service_labelpresent_team", "true"),
    ]

    private func container(_ port: String, _ name: String) -> [Label] {
        [
            Label(Self.p + "pod_container_name", "app"), Label(Self.p + "pod_container_image", "shop/web:1"),
            Label(Self.p + "pod_container_init", "false"), Label(Self.p + "pod_container_port_number", port),
            Label(Self.p + "pod_container_port_name", name), Label(Self.p + "pod_container_port_protocol", "TCP"),
        ]
    }

    @Test("pods are listed page by page and then watched: one comes, one changes, one goes")
    func pods() async throws {
        let path = "/api/v1/namespaces/shop/pods"
        let server = try KubernetesServer([path: [Self.pod("web-1"), Self.pod("web-2", ip: "")]])
        let yaml =
            "kubernetes_sd_configs: [{role: pod, api_server: '\(server.url)', namespaces: {names: [shop]}, "
            + "selectors: [{role: pod, label: 'app=web', field: 'status.phase=Running'}], bearer_token: t}]"
        try await DiscoveryBench.run(yaml) { manager in
            try await until { manager.targets.count == 4 }
            #expect(manager.addresses == ["10.2.0.1", "10.2.0.1", "10.2.0.1:8080", "10.2.0.1:9090"])
            #expect(
                manager.targets[2]
                    == Labels(
                        Self.podLabels + container("8080", "http")
                            + [Label("__address__", "10.2.0.1:8080"), Label(Self.p + "pod_container_id", "docker://abc")]))
            #expect(Set(manager.targets[..<2].map { $0[Self.p + "pod_container_init"] ?? "" }) == ["true", "false"])
            server.send("MODIFIED", Self.pod("web-2", ip: "10.2.0.2", version: 11), to: path)
            try await until { manager.addresses.contains("10.2.0.2:8080") }
            server.send("DELETED", Self.pod("web-1", version: 12), to: path)
            try await until { manager.targets.count == 4 }
            #expect(manager.addresses.allSatisfy { $0.hasPrefix("10.2.0.2") })
            server.send("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"20\"}}", to: path)
            // The next watch goes on where this one stopped.
            var state = server.state.value
            state.endsWatches = true
            server.state.value = state
            try await until { server.server.requests.contains { $0.target.contains("resourceVersion=20") } }
            #expect(manager.targets.count == 4)
            #expect(manager.statuses().first?.lastError == nil)
        }
        let requests = server.server.requests
        #expect(requests.allSatisfy { $0.headers["authorization"] == "Bearer t" })
        #expect(requests[0].target == path + "?limit=500&labelSelector=app%3Dweb&fieldSelector=status.phase%3DRunning")
        #expect(requests[1].target.hasPrefix(path + "?limit=500&continue=p1&"))
        #expect(requests[2].target.hasPrefix(path + "?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds="))
    }

    @Test("a watch that has lost its place starts with a new list")
    func expired() async throws {
        let path = "/api/v1/pods"
        let server = try KubernetesServer([path: [Self.pod("web-1")]])
        try await DiscoveryBench.run("kubernetes_sd_configs: [{role: pod, api_server: '\(server.url)'}]") { manager in
            try await until { manager.targets.count == 4 }
            var state = server.state.value
            state.lists[path] = [Self.pod("web-3", ip: "10.2.0.3")]
            state.events[path] = ["{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}}"]
            server.state.value = state
            try await until { manager.addresses.first?.hasPrefix("10.2.0.3") == true }
            state.events[path] = []
            server.state.value = state
        }
    }

    @Test("what a role needs and may not list keeps everything back, and says so")
    func forbidden() async throws {
        let server = try KubernetesServer(["/api/v1/pods": [Self.pod("web-1")]])
        let yaml = "kubernetes_sd_configs: [{role: pod, api_server: '\(server.url)', attach_metadata: {node: true}}]"
        try await DiscoveryBench.run(yaml) { manager in
            try await until { manager.statuses().first?.lastError?.contains("/api/v1/nodes is forbidden") == true }
            #expect(manager.targets.isEmpty)
        }
    }

    @Test("attached metadata: node, namespace, deployment, job and cron job")
    func attached() async throws {
        func owner(_ kind: String, _ name: String) -> String { "{\"kind\":\"\(kind)\",\"name\":\"\(name)\",\"controller\":true}" }
        func owned(_ name: String, _ owner: String) -> String {
            "{\"metadata\":{\"name\":\"\(name)\",\"namespace\":\"shop\",\"ownerReferences\":[\(owner)]}}"
        }
        let namespaces = "/api/v1/namespaces"
        let server = try KubernetesServer([
            "/api/v1/pods": [
                Self.pod("web-1", owner: owner("ReplicaSet", "web-abc")), Self.pod("job-1", ip: "10.2.0.8", owner: owner("Job", "nightly-1")),
                Self.pod("lost-1", ip: "10.2.0.9", node: "unknown"),
            ],
            "/api/v1/nodes": [Self.node], namespaces: ["{\"metadata\":{\"name\":\"shop\",\"labels\":{\"tier\":\"gold\"}}}"],
            "/apis/apps/v1/replicasets": [owned("web-abc", owner("Deployment", "web"))],
            "/apis/batch/v1/jobs": [owned("nightly-1", owner("CronJob", "nightly"))],
        ])
        let yaml =
            "kubernetes_sd_configs: [{role: pod, api_server: '\(server.url)', "
            + "attach_metadata: {node: true, namespace: true, deployment: true, job: true, cronjob: true}}]"
        try await DiscoveryBench.run(yaml) { manager in
            try await until { manager.targets.count == 8 }
            func target(_ address: String) -> Labels? { manager.targets.first { $0["__address__"] == address } }
            let web = try #require(target("10.2.0.1:8080"))
            #expect(web[Self.p + "node_name"] == "node1")
            #expect(web[Self.p + "node_label_zone"] == "a")
            #expect(web[Self.p + "namespace_label_tier"] == "gold")
            #expect(web[Self.p + "pod_controller_kind"] == "ReplicaSet")
            #expect(web[Self.p + "pod_deployment_name"] == "web")
            let job = try #require(target("10.2.0.8:8080"))
            #expect(job[Self.p + "pod_job_name"] == "nightly-1")
            #expect(job[Self.p + "pod_cronjob_name"] == "nightly")
            // Pods on nodes that are not known are left out.
            #expect(target("10.2.0.9:8080") == nil)
            server.send("MODIFIED", "{\"metadata\":{\"name\":\"shop\",\"labels\":{\"tier\":\"silver\"}}}", to: namespaces)
            try await until { target("10.2.0.1:8080")?[Self.p + "namespace_label_tier"] == "silver" }
        }
    }

    @Test("nodes at their kubelet's port")
    func nodes() async throws {
        let server = try KubernetesServer(["/api/v1/nodes": [Self.node]])
        let targets = try await DiscoveryBench.targets("kubernetes_sd_configs: [{role: node, api_server: '\(server.url)'}]")
        #expect(
            targets == [
                Labels([
                    "__address__": "10.0.0.1:10250", "instance": "node1", Self.p + "node_name": "node1",
                    Self.p + "node_provider_id": "aws:///i-1", Self.p + "node_condition_ready": "true",
                    Self.p + "node_condition_memorypressure": "false", Self.p + "node_address_Hostname": "node1.local",
                    Self.p + "node_address_InternalIP": "10.0.0.1", Self.p + "node_label_zone": "a",
                    Self.p + "node_labelpresent_zone": "true",
                ])
            ])
    }

    @Test("services by their names in the cluster, whatever their type")
    func services() async throws {
        let external = """
            {"metadata":{"name":"db","namespace":"shop"},"spec":{"type":"ExternalName","externalName":"db.example.org","ports":[{"port":5432,"protocol":"TCP"}]}}
            """
        let balanced = """
            {"metadata":{"name":"edge","namespace":"shop"},"spec":{"type":"LoadBalancer","clusterIP":"10.96.0.10","ports":[{"port":443,"protocol":"TCP"}]},
             "status":{"loadBalancer":{"ingress":[{"ip":"1.1.1.1"},{"ip":"2.2.2.2"}]}}}
            """
        let server = try KubernetesServer(["/api/v1/services": [Self.service, external, balanced]])
        let targets = try await DiscoveryBench.targets("kubernetes_sd_configs: [{role: service, api_server: '\(server.url)'}]")
        #expect(targets.map { $0["__address__"] } == ["db.shop.svc:5432", "edge.shop.svc:443", "web.shop.svc:80"])
        #expect(targets[0][Self.p + "service_external_name"] == "db.example.org")
        #expect(targets[0][Self.p + "service_cluster_ip"] == nil)
        #expect(targets[1][Self.p + "service_loadbalancer_ip"] == "1.1.1.1,2.2.2.2")
        #expect(
            targets[2]
                == Labels(
                    Self.serviceLabels + [
                        Label("__address__", "web.shop.svc:80"), Label(Self.p + "namespace", "shop"),
                        Label(Self.p + "service_port_name", "http"), Label(Self.p + "service_port_number", "80"),
                        Label(Self.p + "service_port_protocol", "TCP"), Label(Self.p + "service_type", "ClusterIP"),
                        Label(Self.p + "service_cluster_ip", "10.96.0.9"),
                    ]))
    }

    @Test("ingresses by host and path, https where TLS covers the host")
    func ingresses() async throws {
        let ingress = """
            {"metadata":{"name":"edge","namespace":"shop"},"spec":{"ingressClassName":"nginx","tls":[{"hosts":["*.example.org"]}],
             "rules":[{"host":"a.example.org","http":{"paths":[{"path":"/"},{"path":"/api"}]}},{"host":"b.a.example.org"}]}}
            """
        let server = try KubernetesServer(["/apis/networking.k8s.io/v1/ingresses": [ingress]])
        let targets = try await DiscoveryBench.targets("kubernetes_sd_configs: [{role: ingress, api_server: '\(server.url)'}]")
        let common = [Label(Self.p + "namespace", "shop"), Label(Self.p + "ingress_name", "edge"), Label(Self.p + "ingress_class_name", "nginx")]
        func target(_ host: String, _ scheme: String, _ path: String) -> Labels {
            Labels(
                common + [
                    Label("__address__", host), Label(Self.p + "ingress_host", host), Label(Self.p + "ingress_scheme", scheme),
                    Label(Self.p + "ingress_path", path),
                ])
        }
        let expected = [target("a.example.org", "https", "/"), target("a.example.org", "https", "/api"), target("b.a.example.org", "http", "/")]
        #expect(Set(targets) == Set(expected))
    }

    @Test("endpoints get the labels of their service and pods; a pod's other ports are targets as well")
    func endpoints() async throws {
        let endpoints = """
            {"metadata":{"name":"web","namespace":"shop","labels":{"e":"1"}},"subsets":[{"ports":[{"name":"http","port":8080,"protocol":"TCP"}],
             "addresses":[{"ip":"10.2.0.1","nodeName":"node1","targetRef":{"kind":"Pod","namespace":"shop","name":"web-1"}}],
             "notReadyAddresses":[{"ip":"10.2.0.7","hostname":"h7"}]}]}
            """
        let services = "/api/v1/services"
        let server = try KubernetesServer([
            "/api/v1/endpoints": [endpoints], services: [Self.service], "/api/v1/pods": [Self.pod("web-1")], "/api/v1/nodes": [Self.node],
        ])
        let yaml = "kubernetes_sd_configs: [{role: endpoints, api_server: '\(server.url)', attach_metadata: {node: true}}]"
        try await DiscoveryBench.run(yaml) { manager in
            try await until { manager.targets.count == 3 }
            #expect(manager.addresses == ["10.2.0.1:8080", "10.2.0.1:9090", "10.2.0.7:8080"])
            let group: [Label] =
                Self.serviceLabels + [
                    Label(Self.p + "namespace", "shop"), Label(Self.p + "endpoints_name", "web"), Label(Self.p + "endpoints_label_e", "1"),
                    Label(Self.p + "endpoints_labelpresent_e", "true"),
                ]
            let own = [
                Label("__address__", "10.2.0.1:8080"), Label(Self.p + "endpoint_port_name", "http"),
                Label(Self.p + "endpoint_port_protocol", "TCP"), Label(Self.p + "endpoint_ready", "true"),
                Label(Self.p + "endpoint_address_target_kind", "Pod"), Label(Self.p + "endpoint_address_target_name", "web-1"),
                Label(Self.p + "endpoint_node_name", "node1"), Label(Self.p + "node_name", "node1"),
                Label(Self.p + "node_label_zone", "a"), Label(Self.p + "node_labelpresent_zone", "true"),
            ]
            #expect(manager.targets[0] == Labels(group + own + Self.podLabels + container("8080", "http")))
            #expect(
                manager.targets[1]
                    == Labels(group + Self.podLabels + container("9090", "metrics") + [Label("__address__", "10.2.0.1:9090")]))
            #expect(manager.targets[2][Self.p + "endpoint_ready"] == "false")
            #expect(manager.targets[2][Self.p + "endpoint_hostname"] == "h7")
            // A change of the service alone reaches its endpoints.
            server.send("MODIFIED", Self.service.replacing("\"team\":\"shop\"", with: "\"team\":\"other\""), to: services)
            try await until { manager.targets.first?[Self.p + "service_label_team"] == "other" }
            server.send("DELETED", Self.service, to: services)
            try await until { manager.targets.first?[Self.p + "service_name"] == nil }
        }
    }

    @Test("slices of endpoints; the second family of a service is left out")
    func slices() async throws {
        func slice(_ name: String, _ type: String, _ address: String) -> String {
            """
            {"metadata":{"name":"\(name)","namespace":"shop","labels":{"kubernetes.io/service-name":"dual"}},"addressType":"\(type)",
             "ports":[{"name":"http","port":8080,"protocol":"TCP","appProtocol":"http"}],
             "endpoints":[{"addresses":["\(address)"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"node1","zone":"a",
               "hostname":"h","targetRef":{"kind":"Pod","namespace":"shop","name":"web-1"}}]}
            """
        }
        let dual = """
            {"metadata":{"name":"dual","namespace":"shop"},"spec":{"type":"ClusterIP","ipFamilyPolicy":"PreferDualStack","ipFamilies":["IPv4","IPv6"]}}
            """
        let server = try KubernetesServer([
            "/apis/discovery.k8s.io/v1/endpointslices": [slice("dual-4", "IPv4", "10.2.0.1"), slice("dual-6", "IPv6", "2001:db8::1")],
            "/api/v1/services": [dual], "/api/v1/pods": [Self.pod("web-1")],
        ])
        let targets = try await DiscoveryBench.targets("kubernetes_sd_configs: [{role: endpointslice, api_server: '\(server.url)'}]")
        #expect(targets.map { $0["__address__"] } == ["10.2.0.1:8080", "10.2.0.1:9090"])
        let e = Self.p + "endpointslice_"
        let own = [
            Label("__address__", "10.2.0.1:8080"), Label(e + "name", "dual-4"), Label(e + "address_type", "IPv4"),
            Label(e + "label_kubernetes_io_service_name", "dual"), Label(e + "labelpresent_kubernetes_io_service_name", "true"),
            Label(Self.p + "service_name", "dual"), Label(e + "port_name", "http"), Label(e + "port_protocol", "TCP"),
            Label(e + "port", "8080"), Label(e + "port_app_protocol", "http"), Label(e + "endpoint_conditions_ready", "true"),
            Label(e + "endpoint_conditions_serving", "true"), Label(e + "endpoint_conditions_terminating", "false"),
            Label(e + "endpoint_hostname", "h"), Label(e + "endpoint_node_name", "node1"), Label(e + "endpoint_zone", "a"),
            Label(e + "address_target_kind", "Pod"), Label(e + "address_target_name", "web-1"),
        ]
        #expect(targets[0] == Labels(own + Self.podLabels + container("8080", "http")))
    }

    @Test("a kubeconfig's current context tells server, authority, certificate or token")
    func kubeconfig() async throws {
        let folder = try ScratchFolder()
        let text = """
            apiVersion: v1
            kind: Config
            current-context: test
            preferences: {}
            contexts:
            - {name: other, context: {cluster: none, user: none}}
            - {name: test, context: {cluster: c, user: u, namespace: x}}
            clusters:
            - {name: c, cluster: {server: 'https://k8s.test:6443/', certificate-authority-data: \(Base64.encode(Array("CA".utf8))), tls-server-name: n}}
            users:
            - {name: u, user: {client-certificate: cert.pem, client-key-data: \(Base64.encode(Array("KEY".utf8))), token: T}}
            """
        try text.write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
        func connection(_ yaml: String, _ environment: [String: String] = [:], _ account: String = "") async throws -> KubernetesConnection {
            let entry = try #require(try DiscoveryBench.entries(yaml).first?.configuration as? KubernetesDiscovery)
            return try await withTransport { transport async throws in
                var context = DiscoveryContext(transport: transport, logger: .init(label: "test"), environment: environment)
                context.serviceAccountFolder = account
                return try KubernetesConnection(entry, context)
            }
        }
        let found = try await connection("kubernetes_sd_configs: [{role: pod, kubeconfig_file: \(folder.path)/config}]")
        #expect(found.url == "https://k8s.test:6443")
        #expect(found.http.tls.authority == .text("CA"))
        #expect(found.http.tls.serverName == "n")
        #expect(found.http.tls.certificate == .file(folder.path + "/cert.pem"))
        #expect(found.http.tls.key == .text("KEY"))
        #expect(found.http.authorization == .credentials(scheme: "Bearer", .text("T")))

        let inside = "kubernetes_sd_configs: [{role: pod, namespaces: {own_namespace: true}}]"
        await #expect(throws: DiscoveryError.self) { _ = try await connection(inside) }
        try "shop".write(toFile: folder.path + "/namespace", atomically: true, encoding: .utf8)
        let own = try await connection(inside, ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"], folder.path)
        #expect(own.url == "https://[fd00::1]:443")
        #expect(own.ownNamespace == "shop")
        #expect(own.http.authorization == .credentials(scheme: "Bearer", .file(folder.path + "/token")))
        #expect(own.http.tls.authority == .file(folder.path + "/ca.crt"))
    }
}
