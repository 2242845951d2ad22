import Telemetry

/// What the path of a pod's log file says: `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log` (kubernetes.io, "Logging
/// Architecture").
struct PodPath: Equatable {
    var namespace: String
    var pod: String
    var uid: String
    var container: String

    /// nil where it is no such path.
    init?(_ path: String) {
        let parts = path.split(separator: "/")
        guard parts.count >= 3, parts.contains("pods") else { return nil }
        // A namespace and a pod's name hold no underscore.
        let names = parts[parts.count - 3].split(separator: "_", maxSplits: 2)
        guard names.count == 3 else { return nil }
        (namespace, pod, uid) = (String(names[0]), String(names[1]), String(names[2]))
        container = String(parts[parts.count - 2])
    }

    /// As labels under Kubernetes' usual names.
    var labels: [Label] { [Label("container", container), Label("namespace", namespace), Label("pod", pod)] }
}
