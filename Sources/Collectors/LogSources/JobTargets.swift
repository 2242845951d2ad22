import Logging
import ServiceLifecycle
import Synchronization
import Telemetry

/// The files of all jobs: those that `static_configs` name, and those of the targets that discoveries find, whenever these change.
final class JobTargets: Service {
    /// A job, and where its lines go.
    struct Job: Sendable {
        var job: PromtailJob
        var environment: StageEnvironment
    }

    private let jobs = Mutex<[Job]>([])
    private let tailer: LogTailer
    private let discovery: DiscoveryManager
    private let hostname: String
    private let logger: Logger

    init(tailer: LogTailer, context: DiscoveryContext, logger: Logger) {
        self.tailer = tailer
        self.logger = logger
        discovery = DiscoveryManager(context: context)
        hostname = FileTargets.hostname(environment: context.environment)
    }

    /// Takes new jobs. Discoveries, and files, that they do not change go on undisturbed.
    ///
    /// - Throws: ``EncodingError``; then nothing has changed.
    func apply(_ new: [Job]) throws(EncodingError) {
        for job in new { _ = try files(of: job, []) }
        jobs.withLock { $0 = new }
        discovery.apply(
            Dictionary(new.map { ($0.job.name, $0.job.discoveries.map { $0.onNode(hostname) }) }) { first, second in first + second })
        update()
    }

    /// How the discoveries do.
    func statuses() -> [DiscoveryManager.Status] { discovery.statuses() }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.discovery.run() }
                for await _ in self.discovery.changes { self.update() }
                group.cancelAll()
            }
        }
    }

    private func update() {
        let jobs = jobs.withLock { $0 }
        var files: [TailJob] = []
        for job in jobs {
            // Encodings were looked at when the jobs came.
            files += (try? self.files(of: job, discovery.found(job.job.name).groups)) ?? []
        }
        tailer.apply(files)
    }

    private func files(of job: Job, _ groups: [TargetGroup]) throws(EncodingError) -> [TailJob] {
        try FileTargets.jobs(
            of: job.job, groups: job.job.staticTargets + groups, environment: job.environment, hostname: hostname, logger: logger)
    }
}

extension PromtailJob {
    /// ``staticGroups``; one without targets is one of this machine, as in Promtail.
    var staticTargets: [TargetGroup] {
        staticGroups.map { group in
            group.targets.isEmpty ? TargetGroup(source: group.source, addresses: ["localhost"], labels: group.labels) : group
        }
    }
}

extension DiscoveryEntry {
    /// Of pods, those of this node alone are asked for: the files of others lie elsewhere (Promtail does the same).
    func onNode(_ hostname: String) -> DiscoveryEntry {
        guard var kubernetes = configuration as? KubernetesDiscovery, kubernetes.role == .pod else { return self }
        let wanted = "spec.nodeName=" + hostname
        var selector = kubernetes.selectors[.pod] ?? KubernetesDiscovery.Selector()
        if selector.field.isEmpty {
            selector.field = wanted
        } else if !selector.field.contains(wanted) {
            selector.field += "," + wanted
        }
        kubernetes.selectors[.pod] = selector
        return DiscoveryEntry(kubernetes)
    }
}
