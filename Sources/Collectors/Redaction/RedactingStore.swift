package import Telemetry

/// A store that writes through a ``Redactor``: every way in passes it, whatever protocol the lines came by.
package struct RedactingStore: StoreDecorator {
    package let base: any TelemetryStore
    private let redactor: Redactor

    package init(_ base: any TelemetryStore, redactor: Redactor) {
        self.base = base
        self.redactor = redactor
    }

    package func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        var batch = batch
        if !batch.logs.streams.isEmpty { batch.logs = redactor.redact(batch.logs) }
        try await base.append(batch)
    }
}
