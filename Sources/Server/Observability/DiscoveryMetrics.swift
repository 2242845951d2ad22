import Collectors

/// How discoveries do, under Prometheus' names (discovery/metrics.go).
struct DiscoveryMetrics {
    let statuses: [DiscoveryManager.Status]

    func write(to text: inout MetricsText) {
        guard !statuses.isEmpty else { return }
        let kinds = Set(statuses.map(\.name)).sorted()
        func sum(_ kind: String, _ value: (DiscoveryManager.Status) -> Int) -> Double {
            Double(statuses.filter { $0.name == kind }.reduce(0) { $0 + value($1) })
        }
        text.family("prometheus_sd_discovered_targets", "gauge", "Targets discovered, by kind of discovery and job.")
        let pools = Set(statuses.flatMap(\.pools)).sorted()
        for kind in kinds {
            for pool in pools {
                let own = statuses.filter { $0.name == kind && $0.pools.contains(pool) }
                guard !own.isEmpty else { continue }
                text.sample(
                    "prometheus_sd_discovered_targets", [("name", kind), ("config", pool)],
                    Double(own.reduce(0) { $0 + $1.targetCount }))
            }
        }
        text.family("prometheus_sd_updates_total", "counter", "Lookups of targets that succeeded, by kind of discovery.")
        for kind in kinds { text.sample("prometheus_sd_updates_total", [("name", kind)], sum(kind) { $0.updateCount }) }
        text.family("prometheus_sd_refresh_failures_total", "counter", "Lookups of targets that failed, by kind of discovery.")
        for kind in kinds { text.sample("prometheus_sd_refresh_failures_total", [("mechanism", kind)], sum(kind) { $0.failureCount }) }
        text.family("prometheus_sd_failed_configs", "gauge", "Discoveries whose last lookup failed, by kind.")
        for kind in kinds { text.sample("prometheus_sd_failed_configs", [("name", kind)], sum(kind) { $0.lastError == nil ? 0 : 1 }) }
    }
}
