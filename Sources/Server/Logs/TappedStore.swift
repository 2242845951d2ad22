import Telemetry

/// A store whose log lines are told to ``LiveLogs`` once they are stored, whoever writes them.
struct TappedStore: StoreDecorator {
    let base: any TelemetryStore
    let live: LiveLogs

    func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        guard !batch.logs.streams.isEmpty, !live.isQuiet else { return try await base.append(batch) }
        let logs = batch.logs
        try await base.append(batch)
        live.publish(logs)
    }
}
