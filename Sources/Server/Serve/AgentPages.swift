import Codecs
import Collectors
import Logging
import Settings
import Synchronization
import Telemetry

/// The pages of `apus agent`: `/ready`, `/metrics`, `/targets`, `/config`, and `POST /reload` where it is enabled.
final class AgentPages: Sendable {
    private let collection: LogCollection
    private let configuration: Mutex<PromtailConfiguration>
    /// Reads the file again.
    private let reread: @Sendable () throws(ServeError) -> PromtailConfiguration
    private let logger: Logger

    init(
        _ configuration: PromtailConfiguration, collection: LogCollection, logger: Logger,
        reread: @escaping @Sendable () throws(ServeError) -> PromtailConfiguration
    ) {
        self.configuration = Mutex(configuration)
        self.collection = collection
        self.logger = logger
        self.reread = reread
    }

    /// Reads the file again and takes its jobs; `clients` and `server` keep the old configuration until a restart.
    ///
    /// - Throws: what is wrong with it; then nothing has changed.
    func reload() throws(ServeError) {
        do {
            let new = try reread()
            try collection.apply(new)
            for warning in new.warnings { logger.warning("\(warning.description)") }
            configuration.withLock { $0 = new }
            logger.info("configuration reloaded")
        } catch {
            logger.error("configuration not reloaded", metadata: ["error": "\(error)"])
            throw error as? ServeError ?? ServeError(.configuration, "\(error)")
        }
    }

    var routes: [Route] {
        let server = configuration.withLock { $0.server }
        let prefix = server.pathPrefix
        var routes: [Route] = [
            .get(prefix + "/ready", scope: nil, errors: .text) { _ in .text("Ready\n") },
            .get(prefix + "/metrics", scope: nil, errors: .text) { [self] _ in
                Answer(contentType: "text/plain; version=0.0.4; charset=utf-8", body: metrics)
            },
            .get(prefix + "/targets", scope: nil, errors: .apus) { [self] _ in .json(targets) },
            .get(prefix + "/config", scope: nil, errors: .text) { [self] _ in
                Answer(contentType: "text/yaml; charset=utf-8", body: Array(configuration.withLock { $0.text }.utf8))
            },
        ]
        if server.isReloadEnabled {
            routes.append(
                .post(prefix + "/reload", scope: nil, errors: .text) { [self] _ in
                    do throws(ServeError) {
                        try reload()
                    } catch {
                        throw APIError(.internal, "failed to reload config: \(error.description)")
                    }
                    return .text("")
                })
        }
        return routes
    }

    private var metrics: [UInt8] {
        var text = MetricsText()
        text.family("apus_build_info", "gauge", "Version of this binary; always 1.")
        text.sample("apus_build_info", [("version", Version.number)], 1)
        text.sources([collection.metrics])
        return text.bytes + Array(collection.stageMetrics.exposition(now: TimeSource.system.nanoseconds).utf8)
    }

    /// The jobs, and the files that are followed.
    private var targets: [UInt8] {
        let names = configuration.withLock { $0.jobs.map(\.name) }
        var json = JSONWriter()
        json.object { json in
            json.field("jobs", names)
            json.key("files")
            json.array { json in
                for file in collection.files() {
                    json.object { json in
                        json.field("job", file.configuration)
                        json.field("path", file.path)
                        json.field("offset", file.offset)
                        json.field("size", file.size)
                    }
                }
            }
        }
        return json.bytes
    }
}
