package import Telemetry

/// Finds out whose lines a stream holds, as Loki does for streams without a `service_name` (its `discover_service_name` list).
package enum ServiceName {
    package static let label = "service_name"
    static let unknown = "unknown_service"

    /// The labels that may name the service, by rank.
    package static let labels = [
        "service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container", "container_name", "k8s_container_name",
        "component", "workload", "job", "k8s_job_name",
    ]

    /// The labels with a `service_name`.
    package static func discover(_ stream: Labels) -> Labels {
        guard stream[label] == nil else { return stream }
        var named = stream
        named[label] = labels.lazy.compactMap { stream[$0] }.first ?? unknown
        return named
    }
}
