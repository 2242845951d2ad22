import Telemetry

/// `node_filefd_allocated`, `node_filefd_maximum` (`/proc/sys/fs/file-nr`).
struct FileDescriptorCollector: HostCollector {
    private static let allocated = MetricFamily("node_filefd_allocated", .gauge, "File descriptor statistics: allocated.")
    private static let maximum = MetricFamily("node_filefd_maximum", .gauge, "File descriptor statistics: maximum.")

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.proc("sys/fs/file-nr")
        guard text.nextLine(), let allocated = text.number(), text.number() != nil, let maximum = text.number() else {
            throw .failed("\(round.paths.procfs)/sys/fs/file-nr does not hold three numbers")
        }
        round.recorder.add(Self.allocated, allocated)
        round.recorder.add(Self.maximum, maximum)
    }
}
