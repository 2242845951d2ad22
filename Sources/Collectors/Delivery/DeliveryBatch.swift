package import Telemetry

/// Lines on their way from a source to where they are kept, by stream, and the positions that move with them.
package struct DeliveryBatch: Sendable {
    package struct Stream: Sendable {
        package var labels: Labels
        /// For whom its lines are (`X-Scope-OrgID`); empty: nobody in particular.
        package var tenant: String
        package var entries = LogRows()
    }

    private struct Key: Sendable, Hashable {
        var labels: Labels
        var tenant: String
    }

    package private(set) var streams: [Stream] = []
    private var indexes: [Key: Int] = [:]
    /// Changes of small state that become durable exactly if the lines do.
    package var positions: [StateChange] = []
    /// Of all lines, in bytes.
    package private(set) var lineByteCount = 0
    package private(set) var entryCount = 0

    package init() {}

    package var isEmpty: Bool { entryCount == 0 && positions.isEmpty }

    /// Adds a line.
    package mutating func append(_ entry: LogEntry, labels: Labels, tenant: String = "") {
        let key = Key(labels: labels, tenant: tenant)
        let index: Int
        if let known = indexes[key] {
            index = known
        } else {
            index = streams.count
            streams.append(Stream(labels: labels, tenant: tenant))
            indexes[key] = index
        }
        streams[index].entries.append(entry)
        lineByteCount += entry.line.utf8.count
        entryCount += 1
    }

    /// Adds all of another one; of a position in both the other's counts.
    package mutating func append(_ other: DeliveryBatch) {
        for stream in other.streams {
            for entry in stream.entries { append(entry, labels: stream.labels, tenant: stream.tenant) }
        }
        positions += other.positions
    }

    /// As a batch of Loki's push API for one tenant, or for all of them.
    package func logs(tenant: String? = nil) -> LogBatch {
        var batch = LogBatch()
        for stream in streams where tenant == nil || stream.tenant == tenant {
            var copy = LogBatch.Stream(labels: stream.labels)
            copy.entries = stream.entries
            batch.streams.append(copy)
        }
        return batch
    }

    /// Every tenant that has lines, sorted.
    package var tenants: [String] { Set(streams.map(\.tenant)).sorted() }
}
