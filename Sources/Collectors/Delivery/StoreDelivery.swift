import Formats
package import Telemetry

/// Keeps lines in a store of our own: in one append with their positions.
package struct StoreDelivery: LogDelivery {
    private let store: any TelemetryStore

    package init(store: any TelemetryStore) {
        self.store = store
    }

    package func deliver(_ batch: DeliveryBatch) async throws(StoreError) -> Int {
        var telemetry = TelemetryBatch()
        telemetry.logs = Self.enriched(batch)
        telemetry.state = batch.positions
        do throws(StoreError) {
            try await store.append(telemetry)
            return 0
        } catch {
            // The others are kept, and the positions have moved.
            if error.refusedRowCount > 0 { return error.refusedRowCount }
            throw error
        }
    }

    /// The lines with what they say of themselves: level, trace and span, where no stage has set them.
    private static func enriched(_ batch: DeliveryBatch) -> LogBatch {
        var logs = LogBatch()
        for stream in batch.streams {
            var copy = LogBatch.Stream(labels: stream.labels)
            copy.entries.reserve(lineByteCount: stream.entries.bytes.count)
            for entry in stream.entries {
                var entry = entry
                entry.adoptTraceContext()
                if entry.traceID.isNone, entry.metadata["detected_level"] == nil {
                    let fields = LineFields.read(Array(entry.line.utf8))
                    if let level = fields.level { entry.metadata["detected_level"] = level }
                    (entry.traceID, entry.spanID) = (fields.traceID, fields.spanID)
                }
                copy.entries.append(entry)
            }
            logs.streams.append(copy)
        }
        return logs
    }
}
