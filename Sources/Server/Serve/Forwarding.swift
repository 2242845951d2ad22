import Collectors
import Formats
import Logging
import Telemetry

extension ApusServer.Backend {
    /// Puts `remote_write` between the server and its store.
    ///
    /// - Returns: the backend whose store keeps a copy for the remotes, and who sends it to them; nil where there is no queue.
    func forwarding(_ settings: ServerSettings, time: TimeSource, logger: Logger) -> (ApusServer.Backend, RemoteWriteManager?) {
        guard let queue else { return (self, nil) }
        var backend = self
        let store = ForwardingStore(store, queue: queue)
        backend.store = store
        let manager = RemoteWriteManager(
            configuration: settings.prometheus, queue: queue, store: store, positions: state, time: time, logger: logger)
        return (backend, manager)
    }
}

extension ServeOptions {
    /// The flag by which Prometheus stores deltas as they are.
    private static let deltaFeature = "otlp-native-delta-ingestion"

    /// What `--enable-feature` knows beside PromQL's parts.
    package static let otherFeatureNames: Set<String> = [deltaFeature, "otlp-deltatocumulative"]

    /// How OTLP metrics are translated.
    func otlp(_ settings: ServerSettings) -> OTLPMetricOptions {
        var options = settings.prometheus.otlp
        options.keepsDeltas = featureNames.contains(Self.deltaFeature)
        return options
    }
}
