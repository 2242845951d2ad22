import Foundation
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("Container metrics")
struct ContainerMetricsTests {
    static let id = String(repeating: "0123456789abcdef", count: 4)
    static let path = "cgroup/system.slice/docker-\(id).scope/"

    /// As recorded on a machine with cgroup v2 (kernel 6.8): a container with limits, a unit, a mount.
    static func tree() throws -> FileTree {
        let tree = try FileTree([
            "cgroup/cgroup.controllers": "cpuset cpu io memory pids\n", "cgroup/cgroup.procs": "1\n2\n",
            "cgroup/cpu.stat": "usage_usec 9000000\nuser_usec 5000000\nsystem_usec 4000000\n",
            "cgroup/memory.stat": "anon 100\nfile 50\ninactive_file 20\n", "cgroup/system.slice/cgroup.procs": "",
            "cgroup/system.slice/cpu.stat": "usage_usec 8000000\nuser_usec 4000000\nsystem_usec 4000000\n",
            path + "cgroup.procs": "42\n43\n0\n", path + "cgroup.events": "populated 1\nfrozen 0\n",
            path + "cpu.stat": """
            usage_usec 2500000
            user_usec 1500000
            system_usec 1000000
            nr_periods 100
            nr_throttled 7
            throttled_usec 250000
            nr_bursts 0
            burst_usec 0

            """,
            path + "cpu.max": "50000 100000\n", path + "cpu.weight": "100\n",
            path + "cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1250000\nfull avg10=0 avg60=0 avg300=0 total=250000\n",
            path + "memory.current": "1000000\n", path + "memory.peak": "1500000\n", path + "memory.max": "2000000\n",
            path + "memory.swap.max": "max\n", path + "memory.min": "0\n", path + "memory.swap.current": "4096\n",
            path + "memory.stat": """
            anon 600000
            file 300000
            kernel 50000
            file_mapped 20000
            file_dirty 1
            file_writeback 2
            inactive_file 250000
            active_file 50000
            pgfault 11
            pgmajfault 12
            pgscan 13
            pgsteal 14
            workingset_refault_anon 15
            workingset_refault_file 16

            """,
            path + "memory.events": "low 0\nhigh 3\nmax 4\noom 1\noom_kill 2\n",
            path + "io.stat": "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n9:9 rbytes=1 wbytes=2 rios=3 wios=4\n",
            path + "pids.current": "5\n", path + "pids.max": "max\n", path + "init/cgroup.procs": "44\n",
            "cgroup/system.slice/shop.service/cgroup.procs": "50\n",
            "cgroup/system.slice/shop.service/cpu.stat": "usage_usec 1\nuser_usec 1\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\n",
            "cgroup/system.slice/shop.service/cpu.max": "max 100000\n", "cgroup/system.slice/dev-x.mount/cgroup.procs": "",
            "proc/42/fd/0": "", "proc/42/fd/1": "", "proc/43/fd/0": "", "proc/50/fd/0": "",
            "proc/42/net/dev": "a\nb\n    lo: 1 1 1 1 0 0 0 0 1 1 1 1 0 0 0 0\n  eth0: 10 20 1 2 0 0 0 0 30 40 3 4 0 0 0 0\n",
            "proc/1/net/dev": "a\nb\n  eth0: 100 200 0 0 0 0 0 0 300 400 0 0 0 0 0 0\nvethx: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
            "proc/meminfo": "MemTotal: 2048 kB\n", "sys/devices/sda/x": "",
        ])
        for (link, target) in [
            ("proc/42/ns/net", "net:[2]"), ("proc/1/ns/net", "net:[1]"), ("proc/50/ns/net", "net:[1]"),
            ("sys/dev/block/8:0", "../../devices/sda"),
        ] {
            let url = tree.folder.url.appending(path: link)
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: url.path, withDestinationPath: target)
        }
        return tree
    }

    static func source(
        _ tree: FileTree, docker: String? = nil, _ configure: (inout ContainerMetricsConfiguration) -> Void = { _ in }
    ) -> ContainerMetrics {
        var configuration = ContainerMetricsConfiguration(labels: .empty)
        configuration.cgroupRoot = tree.path + "/cgroup"
        configuration.procfs = tree.path + "/proc"
        configuration.sysfs = tree.path + "/sys"
        configuration.dockerSocket = docker
        configure(&configuration)
        return ContainerMetrics(configuration: configuration, time: TestClock(milliseconds: 1_700_000_000_000).source, logger: Logger(label: "test"))
    }

    /// `NAME{labels but id}` to value, of the group with this id.
    static func rows(_ batch: MetricBatch, id: String) -> [String: Double] {
        var rows: [String: Double] = [:]
        for index in 0..<batch.sampleCount {
            var labels = batch.series[Int(batch.sampleSeries[index])]
            guard labels["id"] == id else { continue }
            labels["id"] = nil
            let rest = labels.withoutMetricName
            rows[(labels[Labels.metricName] ?? "") + (rest.isEmpty ? "" : rest.description)] = batch.values[index]
        }
        return rows
    }

    static let container = DockerContainer(
        id: id, name: "orders", image: "shop/orders:1.2", labels: ["com.docker.compose.service": "orders", "secret": "x"], startedAt: 1_600_000_000)

    @Test("a container's files become cAdvisor's series with its name, image and labels")
    func container() throws {
        let tree = try Self.tree()
        let source = Self.source(tree) { $0.labelNames = ["com.docker.compose.service"] }
        let measurement = source.measureNow(at: 5, containers: [Self.id: Self.container])
        #expect(measurement.failure == nil)
        let rows = Self.rows(measurement.batch, id: "/system.slice/docker-\(Self.id).scope")
        let own = #"container_label_com_docker_compose_service="orders", image="shop/orders:1.2", name="orders""#
        func value(_ name: String, _ before: String = "", _ between: String = "", _ after: String = "") -> Double? {
            rows[
                "\(name){\(before)container_label_com_docker_compose_service=\"orders\", \(between)image=\"shop/orders:1.2\", \(after)name=\"orders\"}"
            ]
        }
        #expect(rows["container_memory_usage_bytes{\(own)}"] == 1_000_000)
        #expect(value("container_memory_working_set_bytes") == 750_000)
        #expect(value("container_memory_rss") == 600_000)
        #expect(value("container_memory_cache") == 300_000)
        #expect(value("container_memory_swap") == 4_096)
        #expect(value("container_memory_max_usage_bytes") == 1_500_000)
        #expect(value("container_memory_failcnt") == 4)
        #expect(value("container_memory_mapped_file") == 20_000)
        #expect(value("container_memory_kernel_usage") == 50_000)
        #expect(value("container_memory_workingset_refault_file_total") == 16)
        #expect(value("container_oom_events_total") == 2)
        #expect(
            rows[
                #"container_memory_failures_total{container_label_com_docker_compose_service="orders", failure_type="pgmajfault", image="shop/orders:1.2", name="orders", scope="container"}"#
            ] == 12)
        #expect(value("container_spec_memory_limit_bytes") == 2_000_000)
        #expect(value("container_spec_memory_swap_limit_bytes") == 0)
        #expect(value("container_spec_cpu_quota") == 50_000)
        #expect(value("container_spec_cpu_period") == 100_000)
        #expect(value("container_spec_cpu_shares") == 2_597)
        #expect(
            rows[
                #"container_cpu_usage_seconds_total{container_label_com_docker_compose_service="orders", cpu="total", image="shop/orders:1.2", name="orders"}"#
            ] == 2.5)
        #expect(value("container_cpu_user_seconds_total") == 1.5)
        #expect(value("container_cpu_cfs_throttled_periods_total") == 7)
        #expect(value("container_cpu_cfs_throttled_seconds_total") == 0.25)
        #expect(value("container_fs_reads_bytes_total", "", #"device="/dev/sda", "#) == 4_096)
        #expect(value("container_fs_writes_total", "", #"device="/dev/sda", "#) == 2)
        #expect(value("container_fs_writes_total", "", #"device="9:9", "#) == 4)
        #expect(value("container_network_receive_bytes_total", "", "", #"interface="eth0", "#) == 10)
        #expect(value("container_network_receive_packets_dropped_total", "", "", #"interface="eth0", "#) == 2)
        #expect(value("container_network_transmit_packets_total", "", "", #"interface="eth0", "#) == 40)
        #expect(value("container_network_receive_bytes_total", "", "", #"interface="lo", "#) == nil)
        #expect(value("container_pressure_cpu_waiting_seconds_total") == 1.25)
        #expect(value("container_pressure_cpu_stalled_seconds_total") == 0.25)
        #expect(value("container_processes") == 2)
        #expect(value("container_threads") == 5)
        #expect(value("container_threads_max") == 0)
        #expect(value("container_file_descriptors") == 3)
        #expect(value("container_start_time_seconds") == 1_600_000_000)
        #expect(value("container_last_seen") == 1_700_000_000)
    }

    @Test("units are there by their path, the root as the machine; what a container makes of its group and mounts are not")
    func units() throws {
        let tree = try Self.tree()
        let batch = Self.source(tree).measureNow(at: 5, containers: [:]).batch
        let unit = Self.rows(batch, id: "/system.slice/shop.service")
        #expect(unit[#"container_cpu_usage_seconds_total{cpu="total"}"#] == 1e-6)
        #expect(unit["container_cpu_cfs_periods_total"] == nil, "without a quota there are no periods")
        #expect(unit["container_file_descriptors"] == 1)
        #expect(!unit.keys.contains { $0.hasPrefix("container_network") }, "the host's namespace is not the unit's")
        let root = Self.rows(batch, id: "/")
        #expect(root["container_memory_usage_bytes"] == 150)
        #expect(root["container_memory_working_set_bytes"] == 130)
        #expect(root[#"container_network_receive_bytes_total{interface="eth0"}"#] == 100)
        #expect(root[#"container_network_receive_bytes_total{interface="vethx"}"#] == nil)
        let ids = Set(batch.series.compactMap { $0["id"] })
        #expect(ids == ["/", "/system.slice", "/system.slice/docker-\(Self.id).scope", "/system.slice/shop.service"])
        #expect(batch.series.contains { $0[Labels.metricName] == "machine_memory_bytes" })
    }

    @Test("a container that goes ends with markers; one that is renamed goes on under its new name")
    func changes() throws {
        let tree = try Self.tree()
        let source = Self.source(tree)
        _ = source.measureNow(at: 1, containers: [Self.id: Self.container])
        #expect(source.measureNow(at: 2, containers: nil).addedCount == 0, "a daemon that does not answer changes nothing")
        var renamed = Self.container
        renamed.name = "orders-2"
        var batch = source.measureNow(at: 3, containers: [Self.id: renamed]).batch
        func names(stale: Bool) -> Set<String> {
            var names: Set<String> = []
            for index in 0..<batch.sampleCount where Staleness.isMarker(batch.values[index]) == stale {
                if let name = batch.series[Int(batch.sampleSeries[index])]["name"] { names.insert(name) }
            }
            return names
        }
        #expect(names(stale: true) == ["orders"])
        #expect(names(stale: false) == ["orders-2"])
        try tree.remove("cgroup/system.slice/docker-\(Self.id).scope")
        batch = source.measureNow(at: 4, containers: [:]).batch
        #expect(names(stale: true) == ["orders-2"])
        #expect(names(stale: false).isEmpty)
    }

    @Test("no hierarchy is a failure that says where it was looked for")
    func absent() throws {
        let tree = try FileTree(["x": ""])
        let failure = try #require(Self.source(tree).measureNow(at: 1, containers: [:]).failure)
        #expect(failure.contains("no cgroup v2 hierarchy at \(tree.path)/cgroup"))
    }

    @Test(
        "a runtime's id is found in the last part of a path",
        arguments: [
            ("docker-\(id).scope", true), (id, true), ("libpod-\(id).scope", true), ("cri-containerd-\(id).scope", true), ("crio-\(id)", true),
            ("shop.service", false), ("x\(id)", false), ("docker-\(id.uppercased()).scope", false),
        ])
    func ids(name: String, isContainer: Bool) {
        #expect(Cgroup.containerID(in: name) == (isContainer ? Self.id : nil))
    }

    @Test("names and start times come from Docker's socket; a daemon that answers nonsense, and none at all, change nothing")
    func docker() async throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/docker.sock"
        let server = try await FakeDocker(
            path: path,
            answers: [
                "/containers/json": """
                [{"Id":"\(Self.id)","Names":["/orders"],"Image":"shop/orders:1.2","Labels":{"a.b":"c"},"State":"running"}]
                """,
                "/containers/\(Self.id)/json": #"{"State":{"StartedAt":"2026-11-28T12:00:00.5Z"}}"#,
            ])
        let tree = try Self.tree()
        let source = Self.source(tree, docker: path)
        let first = await source.measure(at: 1).batch
        let rows = Self.rows(first, id: "/system.slice/docker-\(Self.id).scope")
        #expect(rows[#"container_start_time_seconds{container_label_a_b="c", image="shop/orders:1.2", name="orders"}"#] == 1_795_867_200)
        try await server.stop()
        let second = await source.measure(at: 2).batch
        let changed = Set(second.series).symmetricDifference(first.series)
        #expect(changed.isEmpty, "\(changed.sorted().prefix(3))")
        let other = Self.source(tree, docker: folder.path + "/none.sock")
        let measurement = await other.measure(at: 1)
        #expect(measurement.failure == nil && measurement.sampleCount > 50)
        #expect(DockerContainer.list(Array("{}".utf8)) == nil)
        #expect(DockerContainer.list(Array(#"[{"Names":[]},{"Id":"1"}]"#.utf8))?.map(\.id) == ["1"])
    }

    @Test("container_metrics is true, false or a mapping; a mistake is told with its place")
    func settings() throws {
        func load(_ text: String) throws(ConfigurationError) -> ContainerMetricsConfiguration? {
            let root = try ConfigurationNode.parse(text, file: "apus.yaml").mapping(BuiltInConfiguration.keys)
            return try BuiltInConfiguration(root, file: "apus.yaml").containers
        }
        #expect(try load("container_metrics: true")?.labels["job"] == "cadvisor")
        #expect(try load("container_metrics: false") == nil)
        let configuration = try #require(try load("container_metrics: {root: /host, docker: false, container_labels: [app], exclude: ''}"))
        #expect(configuration.cgroupRoot == "/host/sys/fs/cgroup" && configuration.procfs == "/host/proc")
        #expect(configuration.dockerSocket == nil && configuration.labelNames == ["app"] && configuration.exclude == nil)
        #expect(try load("container_metrics: {docker: 'unix:///run/podman.sock'}")?.dockerSocket == "/run/podman.sock")
        #expect(throws: ConfigurationError.self) { try load("container_metrics: {docker: tcp}") }
    }
}

/// A daemon on a socket that answers each path with one text.
final class FakeDocker: Sendable {
    private let channel: any Channel

    init(path: String, answers: [String: String]) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Responder(answers: answers))
                }
            }
            .bind(unixDomainSocketPath: path).get()
    }

    func stop() async throws { try await channel.close() }

    private final class Responder: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let answers: [String: String]

        init(answers: [String: String]) { self.answers = answers }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let answer = answers[head.uri]
            var headers = HTTPHeaders()
            headers.add(name: "Content-Length", value: String(answer?.utf8.count ?? 0))
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer == nil ? .notFound : .ok, headers: headers))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer ?? "")))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
