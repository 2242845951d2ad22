import Logging
import Synchronization
import Telemetry

/// Follows the output of the containers of a Docker daemon, from behind the last line of each that was kept.
final class DockerSource: LogSource {
    private let settings: PromtailDockerDiscovery
    private let context: SourceContext
    /// The containers that are followed.
    private let followed = Mutex<Set<String>>([])
    private static let lineByteCountMax = 256 << 10

    var title: String { "Docker of job \(context.job) at \(settings.host)" }

    init(_ settings: PromtailDockerDiscovery, context: SourceContext) {
        self.settings = settings
        self.context = context
    }

    /// The sources of a job's `docker_sd_configs`.
    static func make(_ job: PromtailJob, _ context: SourceContext) -> [(key: String, source: any LogSource)] {
        job.dockerDiscoveries.enumerated().map { ("docker\($0.offset)", DockerSource($0.element, context: context)) }
    }

    func run() async throws {
        let client = DockerClient(host: settings.host)
        followed.withLock { $0 = [] }
        do {
            try await run(client)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }

    private func run(_ client: DockerClient) async throws {
        let wake = WakeUp()
        // Containers that have started: they are read even if they have ended before anybody looked.
        let started = Guarded<Set<String>>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    // Without events, looking now and then goes on.
                    try? await client.starts { id in
                        started.withLock { _ = $0.insert(id) }
                        wake.send()
                    }
                    try? await Task.sleep(for: .seconds(5))
                }
            }
            while !Task.isCancelled {
                let filters = settings.filters.map { (name: $0.name, values: $0.values) }
                let recent = started.withLock { started in
                    defer { started = [] }
                    return started
                }
                for container in try await client.containers(filters: filters) where container.isRunning || recent.contains(container.id) {
                    guard followed.withLock({ $0.insert(container.id).inserted }) else { continue }
                    group.addTask {
                        await self.follow(container, client)
                        self.followed.withLock { _ = $0.remove(container.id) }
                    }
                }
                await wake.wait(atMost: settings.refreshInterval)
            }
            group.cancelAll()
        }
    }

    /// Follows a container until it ends.
    private func follow(_ container: DockerClient.Container, _ client: DockerClient) async {
        guard let labels = labels(container) else { return }
        let pump = context.pump(positionKey: "docker/\(container.id)")
        context.logger.info("Following a container", metadata: ["job": .string(context.job), "container": .string(container.name)])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pump.flushUntilCancelled() }
            var failureCount = 0
            while !Task.isCancelled {
                do {
                    let state = try await client.inspect(container.id)
                    try await read(container, hasTerminal: state.hasTerminal, follows: state.isRunning, labels, pump, client)
                    failureCount = 0
                    if try await !client.inspect(container.id).isRunning { break }
                } catch {
                    if Task.isCancelled { break }
                    // It was removed.
                    if "\(error)".contains("status 404") { break }
                    failureCount += 1
                    context.logger.warning(
                        "A container's log cannot be read: trying again", metadata: ["container": .string(container.name), "error": "\(error)"])
                }
                try? await Task.sleep(for: failureCount == 0 ? .milliseconds(100) : Backoff.pause(failureCount))
            }
            if !Task.isCancelled { await pump.finish() }
            group.cancelAll()
        }
    }

    private func read(
        _ container: DockerClient.Container, hasTerminal: Bool, follows: Bool, _ labels: [String: Labels], _ pump: SourcePump,
        _ client: DockerClient
    ) async throws {
        var position = try pump.restore().flatMap { DockerPosition($0) } ?? DockerPosition()
        var filter = DockerPosition.Filter(position)
        var frames = DockerFrames(hasTerminal: hasTerminal, byteCountMax: Self.lineByteCountMax)
        try await client.logs(container.id, since: position.since, follows: follows) { bytes in
            var lines: [DockerFrames.Line] = []
            let isUnderstood = frames.feed(bytes, into: &lines)
            var records: [LogRecord] = []
            for line in lines {
                guard let timestamp = line.timestamp else {
                    context.metrics.add("promtail_docker_target_parsing_errors_total")
                    continue
                }
                guard filter.isNew(timestamp) else { continue }
                position.pass(timestamp)
                guard let labels = labels[line.stream] else { continue }
                let text = LineCutter.Line(bytes: line.text, originalByteCount: line.originalByteCount)
                records.append(LogRecord(text, labels: labels, timestamp: timestamp))
            }
            context.metrics.add("promtail_docker_target_entries_total", Double(records.count))
            if !lines.isEmpty, await !pump.push(records, position: position.encoded) { return false }
            if !isUnderstood { throw SourceError("the log of the container \(container.name) holds what is no frame") }
            return true
        }
    }

    /// The labels of each stream; nil where a rule drops both.
    private func labels(_ container: DockerClient.Container) -> [String: Labels]? {
        var labels: [String: Labels] = [:]
        for stream in ["stdout", "stderr"] {
            var discovered = [
                Label("__meta_docker_container_id", container.id), Label("__meta_docker_container_name", container.name),
                Label("__meta_docker_container_network_mode", container.networkMode), Label("__meta_docker_container_log_stream", stream),
            ]
            for label in container.labels {
                discovered.append(Label("__meta_docker_container_label_" + Self.sanitized(label.name), label.value))
            }
            if let own = context.labels(.empty, discovered), !own.isEmpty { labels[stream] = own }
        }
        if labels.isEmpty {
            context.logger.info(
                "A container is left out: its lines would have no labels", metadata: ["job": .string(context.job), "container": .string(container.name)])
        }
        return labels.isEmpty ? nil : labels
    }

    /// As Prometheus makes a label's name of any text.
    private static func sanitized(_ name: String) -> String {
        String(name.unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil) || scalar == "_" ? Character(scalar) : "_"
        })
    }
}
