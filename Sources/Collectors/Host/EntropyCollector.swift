import Telemetry

/// `node_entropy_*`: the kernel's pool of random bits.
struct EntropyCollector: HostCollector {
    private static let available = MetricFamily("node_entropy_available_bits", .gauge, "Bits of available entropy.")
    private static let size = MetricFamily("node_entropy_pool_size_bits", .gauge, "Bits of entropy pool.")

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.procfs + "/sys/kernel/random/"
        guard let available = SystemFile.number(folder + "entropy_avail"), let size = SystemFile.number(folder + "poolsize") else {
            throw .noData
        }
        round.recorder.add(Self.available, available)
        round.recorder.add(Self.size, size)
    }
}
