import LogQL
import Telemetry

/// Everything that Loki answers besides what is sent to it.
struct LokiAPI {
    let store: any TelemetryStore
    let state: any StateStore
    let runner: QueryRunner
    let live: LiveLogs
    let settings: ServerSettings
    /// Whether data may be deleted.
    let isAdminEnabled: Bool
    let time: TimeSource

    var routes: [Route] {
        let engine = LogQLEngine(store: store)
        let settings = settings
        var routes = LokiQueryRoutes(engine: engine, runner: runner, time: time).routes
        routes += LokiMetadataRoutes(store: store, time: time).routes
        routes += LokiVolumeRoutes(store: store, time: time).routes
        routes += LokiDetectionRoutes(engine: engine, store: store, patterns: patterns, runner: runner, time: time).routes
        routes += LokiTailRoutes(engine: engine, runner: runner, live: live, time: time).routes
        routes += LokiDeleteRoutes(engine: engine, runner: runner, store: store, state: state, time: time, isEnabled: isAdminEnabled).routes
        routes += LokiStatusRoutes(settings: { settings }).routes
        routes += LogPageRoutes(engine: engine, runner: runner, time: time).routes
        routes += LogTailRoutes(live: live).routes
        return routes
    }

    /// The store's own patterns where it gathers them; else they are found by reading lines.
    private var patterns: any PatternSource {
        store.patternSource ?? ScannedPatterns(store: store)
    }
}
