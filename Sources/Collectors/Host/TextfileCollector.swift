import Formats
import Glibc
import Settings
import Telemetry

/// Metrics that scripts leave as `*.prom` files in folders (node exporter's `--collector.textfile.directory`).
struct TextfileCollector: HostCollector {
    private static let error = MetricFamily(
        "node_textfile_scrape_error", .gauge, "1 if there was an error opening or reading a file, 0 otherwise")
    private static let modified = MetricFamily(
        "node_textfile_mtime_seconds", .gauge, "Unixtime mtime of textfiles successfully read.", ["file"])

    /// A script that makes up names must not fill the memory.
    private static let familyCountMax = 10_000

    private let folders: [String]
    /// By sample name and label names.
    private var families: [[String]: MetricFamily] = [:]

    /// - Parameter folders: folders, or globs of folders.
    init(folders: [String]) {
        self.folders = folders
    }

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var hasFailed = false
        for folder in folders {
            var paths = FileGlob.files(folder + "/*.prom")
            paths.sort { $0.utf8Precedes($1) }
            for path in paths where !file(path, &round) { hasFailed = true }
        }
        round.recorder.add(Self.error, hasFailed ? 1 : 0)
    }

    /// - Returns: whether the file was read; one that has timestamps is not, as in node exporter.
    private mutating func file(_ path: String, _ round: inout HostRound) -> Bool {
        var status = stat()
        guard let bytes = try? SystemFile.read(path), stat(path, &status) == 0 else { return false }
        guard let result = try? Exposition.parse(bytes, contentType: nil, defaultTimestamp: 0, honorTimestamps: true) else { return false }
        guard !result.series.contains(where: \.hasOwnTimestamp) else { return false }
        for metadata in result.metadata { round.recorder.describe(metadata) }
        for sample in result.series {
            let pairs = sample.labels.pairs.filter { $0.name != Labels.metricName }
            let key = [sample.labels[Labels.metricName] ?? ""] + pairs.map(\.name)
            if families[key] == nil {
                guard families.count < Self.familyCountMax else { return false }
                families[key] = MetricFamily(bare: key[0], Array(key.dropFirst()))
            }
            if let family = families[key] { round.recorder.add(family, pairs.map(\.value), sample.value) }
        }
        round.recorder.add(Self.modified, path, Double(status.st_mtim.tv_sec))
        return true
    }
}
