import Telemetry

/// `node_nf_conntrack_*`: the table of tracked connections, and what became of packets (`/proc/net/stat/nf_conntrack`, a line a CPU).
struct ConntrackCollector: HostCollector {
    private static let entries = MetricFamily(
        "node_nf_conntrack_entries", .gauge, "Number of currently allocated flow entries for connection tracking.")
    private static let limit = MetricFamily(
        "node_nf_conntrack_entries_limit", .gauge, "Maximum size of connection tracking table.")
    /// By the column's heading.
    private static let columns = [
        "found": family("found", "Number of searched entries which were successful."),
        "invalid": family("invalid", "Number of packets seen which can not be tracked."),
        "ignore": family("ignore", "Number of packets seen which are already connected to a conntrack entry."),
        "insert": family("insert", "Number of entries inserted into the list."),
        "insert_failed": family("insert_failed", "Number of entries for which list insertion was attempted but failed."),
        "drop": family("drop", "Number of packets dropped due to conntrack failure."),
        "early_drop": family(
            "early_drop", "Number of dropped conntrack entries to make room for new ones, if maximum table size was reached."),
        "search_restart": family(
            "search_restart", "Number of conntrack table lookups which had to be restarted due to hashtable resizes."),
    ]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.procfs + "/sys/net/netfilter/"
        guard let count = SystemFile.number(folder + "nf_conntrack_count"), let limit = SystemFile.number(folder + "nf_conntrack_max")
        else { throw .noData }
        round.recorder.add(Self.entries, count)
        round.recorder.add(Self.limit, limit)
        var text = try round.net("stat/nf_conntrack")
        guard text.nextLine() else { throw .noData }
        var families: [MetricFamily?] = []
        while let name = text.text() { families.append(Self.columns[name]) }
        var sums = [Double](repeating: 0, count: families.count)
        while text.nextLine() {
            for column in sums.indices {
                guard let field = text.field() else { break }
                sums[column] += text.hexadecimal(field) ?? 0
            }
        }
        for (family, sum) in zip(families, sums) {
            if let family { round.recorder.add(family, sum) }
        }
    }

    private static func family(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily("node_nf_conntrack_stat_" + name, .gauge, help)
    }
}
