import Formats
import Synchronization
import Telemetry

/// What the store knows of metric families: remote write 2.0 repeats it in every request.
///
/// All of it is read now and then; a family that came since is looked up when its first samples are sent, which may be its only ones.
actor RemoteFamilies {
    private let lifetime: Duration
    private let store: any TelemetryStore
    private var families: [String: MetricMetadata] = [:]
    /// Names that had no family when they were looked up; forgotten when all are read again.
    private var absent: Set<String> = []
    private var readAt: ContinuousClock.Instant?

    /// - Parameter lifetime: until all families are read again, which shows what changed.
    init(store: any TelemetryStore, lifetime: Duration = .seconds(15)) {
        self.store = store
        self.lifetime = lifetime
    }

    /// The families by name, among them those of a batch's series.
    func families(of batch: MetricBatch) async -> [String: MetricMetadata] {
        await readAll()
        var seen: Set<String> = []
        for series in batch.series {
            guard let name = series[Labels.metricName], seen.insert(name).inserted else { continue }
            await find(name)
        }
        return families
    }

    private func readAll() async {
        if let readAt, ContinuousClock.now - readAt < lifetime { return }
        readAt = .now
        // What was known before serves where the store fails.
        guard let read = try? await store.metadata(family: nil) else { return }
        families = Dictionary(read.map { ($0.family, $0) }, uniquingKeysWith: { $1 })
        absent = []
    }

    private func find(_ metric: String) async {
        let names = RemoteWrite2.families(of: metric)
        if absent.contains(metric) || names.contains(where: { families[$0] != nil }) { return }
        for name in names {
            guard let found = try? await store.metadata(family: name).first else { continue }
            families[name] = found
            return
        }
        absent.insert(metric)
    }
}
