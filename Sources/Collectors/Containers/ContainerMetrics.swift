import Glibc
import Logging
import NIOPosix
import Settings
import Synchronization
import Telemetry

/// Measures every control group of the machine under cAdvisor's names: containers, units of systemd, slices.
final class ContainerMetrics: BuiltInSource {
    private static let scrapeError = MetricFamily(
        "container_scrape_error", .gauge, "1 if there was an error while getting container metrics, 0 otherwise")
    private static let cores = MetricFamily("machine_cpu_cores", .gauge, "Number of logical CPU cores.")
    private static let memory = MetricFamily("machine_memory_bytes", .gauge, "Amount of memory installed on the machine.")

    private struct State {
        var round: ContainerRound
        var collectors = ContainerCollectorTable.make()
        /// By id; with what it was made of.
        var owners: [String: (container: DockerContainer?, owner: MetricOwner)] = [:]
    }

    let target: BuiltInTarget
    private let configuration: ContainerMetricsConfiguration
    private let time: TimeSource
    private let logger: Logger
    private let docker: DockerSocket?
    private let state: Mutex<State>
    /// Whether Docker answered last time: said when it changes.
    private let hasDockerFailed = Mutex(false)

    init(configuration: ContainerMetricsConfiguration, time: TimeSource, logger: Logger) {
        self.configuration = configuration
        self.time = time
        self.logger = logger
        docker = configuration.dockerSocket.map { DockerSocket(path: $0) }
        target = BuiltInTarget(
            pool: configuration.labels["job"] ?? ContainerMetricsConfiguration.job, url: "apus://containers", labels: configuration.labels,
            interval: configuration.interval, timeout: configuration.interval)
        let recorder = MetricRecorder(targetLabels: configuration.labels)
        state = Mutex(State(round: ContainerRound(procfs: configuration.procfs, sysfs: configuration.sysfs, recorder: recorder)))
    }

    func measure(at timestamp: Int64) async -> BuiltInMeasurement {
        var containers: [String: DockerContainer]? = [:]
        do {
            containers = try await docker?.containers() ?? [:]
            hasDockerFailed.withLock { $0 = false }
        } catch {
            // Names and labels are kept as they were: containers do not change them often.
            containers = nil
            let isNews = hasDockerFailed.withLock { hasFailed in
                defer { hasFailed = true }
                return !hasFailed
            }
            if isNews {
                logger.warning("Docker does not tell of its containers", metadata: ["error": "\(error)"])
            }
        }
        let found = containers
        let measured = try? await NIOThreadPool.singleton.runIfActive { self.measureNow(at: timestamp, containers: found) }
        return measured ?? BuiltInMeasurement(failure: "no thread to read files on: the process ends", batch: MetricBatch())
    }

    func end(at timestamp: Int64) -> MetricBatch {
        state.withLock { $0.round.recorder.end(at: timestamp) }
    }

    /// One round over all groups.
    ///
    /// - Parameter containers: what Docker says; nil where it did not answer.
    func measureNow(at timestamp: Int64, containers: [String: DockerContainer]?) -> BuiltInMeasurement {
        let root = configuration.cgroupRoot ?? CgroupTree.standardRoot ?? "/sys/fs/cgroup"
        let tree = CgroupTree(root: root, exclude: configuration.exclude?.pattern)
        guard let groups = tree.groups() else {
            return BuiltInMeasurement(
                failure: "no cgroup v2 hierarchy at \(root): name where it is mounted with container_metrics.cgroup_root", batch: end(at: timestamp))
        }
        return state.withLock { state in
            state.round.now = time.nanoseconds
            var owners: [String: (container: DockerContainer?, owner: MetricOwner)] = [:]
            for group in groups {
                let before = state.owners[group.id]
                let container = containers == nil ? before?.container : group.containerID.flatMap { containers?[$0] }
                let isKnown = before != nil && before?.container == container
                let entry = isKnown ? before ?? (container, owner(group, container)) : (container, owner(group, container))
                owners[group.id] = entry
                state.round.recorder.owner = entry.1
                state.round.container = container
                state.round.processes = group.processes
                for index in state.collectors.indices { state.collectors[index].collect(group, &state.round) }
            }
            state.owners = owners
            state.round.recorder.owner = nil
            machine(&state.round)
            return BuiltInMeasurement(&state.round.recorder, at: timestamp)
        }
    }

    /// cAdvisor's labels: `id`, and of a container `name`, `image` and `container_label_*`.
    private func owner(_ group: Cgroup, _ container: DockerContainer?) -> MetricOwner {
        var labels = [Label("id", group.id)]
        if let container {
            labels.append(Label("name", container.name))
            labels.append(Label("image", container.image))
            for (name, value) in container.labels.sorted(by: { $0.key < $1.key }) where configuration.labelNames?.contains(name) ?? true {
                labels.append(Label("container_label_" + Self.sanitized(name), value))
            }
        }
        return MetricOwner(labels)
    }

    private func machine(_ round: inout ContainerRound) {
        round.recorder.add(Self.scrapeError, 0)
        round.recorder.add(Self.cores, Double(sysconf(CInt(_SC_NPROCESSORS_ONLN))))
        guard let bytes = try? SystemFile.read(configuration.procfs + "/meminfo") else { return }
        var text = TextCursor(bytes)
        if text.nextLine(), text.upTo(":") != nil, let kibibytes = text.number() { round.recorder.add(Self.memory, kibibytes * 1_024) }
    }

    private static func sanitized(_ name: String) -> String {
        String(name.unicodeScalars.map { ("_" + String($0)).isLabelIdentifier ? Character($0) : "_" })
    }
}
