import Synchronization
package import Telemetry

/// What collection of logs counts, under Promtail's names. Updated once a batch, never once a line.
package final class SourceMetrics: Sendable {
    package struct Family: Sendable {
        package var isCounter: Bool
        package var values: [Labels: Double] = [:]

        package init(isCounter: Bool) {
            self.isCounter = isCounter
        }
    }

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// Everything, by name.
    package var all: [(name: String, family: Family)] {
        families.withLock { $0.sorted { $0.key < $1.key } }.map { ($0.key, $0.value) }
    }

    package func value(_ name: String, _ labels: Labels = .empty) -> Double {
        families.withLock { $0[name]?.values[labels] ?? 0 }
    }

    /// Adds to a counter.
    func add(_ name: String, _ labels: Labels = .empty, _ value: Double = 1) {
        families.withLock { $0[name, default: Family(isCounter: true)].values[labels, default: 0] += value }
    }

    func add(_ name: String, _ value: Double) { add(name, .empty, value) }

    /// Sets a gauge.
    func set(_ name: String, _ labels: Labels = .empty, _ value: Double) {
        families.withLock { $0[name, default: Family(isCounter: false)].values[labels] = value }
    }

    func set(_ name: String, _ value: Double) { set(name, .empty, value) }

    /// Counts lines that nobody keeps.
    func dropped(_ count: Int, reason: String, _ labels: Labels = .empty) {
        var labels = labels
        labels["reason"] = reason
        add("promtail_dropped_entries_total", labels, Double(count))
    }

    /// Takes away what was counted under a label: its file is gone.
    func forget(label: String, _ value: String) {
        families.withLock { families in
            for (name, family) in families {
                families[name]?.values = family.values.filter { $0.key[label] != value }
            }
        }
    }
}
