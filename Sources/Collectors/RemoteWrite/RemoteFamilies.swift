import Synchronization
import Telemetry

/// What the store knows of metric families, looked up now and then: remote write 2.0 repeats it in every request.
actor RemoteFamilies {
    private static let lifetime = Duration.seconds(15)

    private let store: any TelemetryStore
    private var families: [String: MetricMetadata] = [:]
    private var readAt: ContinuousClock.Instant?

    init(store: any TelemetryStore) {
        self.store = store
    }

    var current: [String: MetricMetadata] {
        get async {
            if let readAt, ContinuousClock.now - readAt < Self.lifetime { return families }
            readAt = .now
            // What was known before serves where the store fails.
            if let read = try? await store.metadata(family: nil) {
                families = Dictionary(read.map { ($0.family, $0) }, uniquingKeysWith: { $1 })
            }
            return families
        }
    }
}
