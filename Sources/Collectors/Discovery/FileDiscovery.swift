package import Settings
import Telemetry

/// `file_sd_configs`: files that name targets, read again when they change.
package struct FileDiscovery: DiscoveryConfiguration {
    package static let name = "file"

    /// Globs, absolute.
    package var files: [String]
    /// How often files are read even where nothing tells of a change.
    package var refreshInterval: Duration

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(["files", "refresh_interval"])
        refreshInterval = try fields.refreshInterval(default: .seconds(300))
        files = []
        for file in try fields.required("files").list {
            let path = try file.nonEmptyString
            guard [".json", ".yml", ".yaml"].contains(where: { path.hasSuffix($0) }) else {
                throw file.error("\(path.debugDescription) must end in .json, .yml or .yaml")
            }
            files.append(FileGlob.resolve(path, relativeToFile: node.file))
        }
        guard !files.isEmpty else { throw node.error("files is empty") }
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        WatchedFiles(files: files, refreshInterval: refreshInterval)
    }
}

/// Looks at files every two seconds: their stamps first, their contents where these have changed.
private struct WatchedFiles: Discovery {
    let files: [String]
    let refreshInterval: Duration

    private static let interval = Duration.seconds(2)

    func run(_ updates: DiscoveryUpdates) async {
        var reader = DiscoveredFiles()
        var readAgain = ContinuousClock.now + refreshInterval
        while !Task.isCancelled {
            if ContinuousClock.now >= readAgain {
                reader.forgetStamps()
                readAgain = .now + refreshInterval
            }
            let groups = reader.groups(of: files)
            updates.replace(groups, despite: reader.failure)
            guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
        }
    }
}

/// What the files of `file_sd_configs` said last.
struct DiscoveredFiles {
    private var groups: [String: [TargetGroup]] = [:]
    private var stamps: [String: FileStamp] = [:]
    private var failures: [String: DiscoveryError] = [:]

    /// Why a file cannot be used; nil where all can.
    var failure: DiscoveryError? { failures.min { $0.key < $1.key }?.value }

    mutating func forgetStamps() {
        stamps = [:]
    }

    /// The groups now. A file that cannot be read or is broken keeps what it said before, as in Prometheus.
    mutating func groups(of globs: [String]) -> [TargetGroup] {
        let paths = Set(globs.flatMap(FileGlob.files)).sorted()
        for path in groups.keys where !paths.contains(path) { groups[path] = nil }
        for path in failures.keys where !paths.contains(path) { failures[path] = nil }
        for path in paths {
            let stamp = FileStamp(path: path)
            guard stamps[path] != stamp else { continue }
            stamps[path] = stamp
            do throws(DiscoveryError) {
                groups[path] = try Self.read(path)
                failures[path] = nil
            } catch {
                failures[path] = error
            }
        }
        return paths.flatMap { groups[$0] ?? [] }
    }

    private static func read(_ path: String) throws(DiscoveryError) -> [TargetGroup] {
        let label = Label("__meta_filepath", path)
        do {
            guard !path.hasSuffix(".json") else {
                let text = try ConfigurationFile.text(path: path)
                return try TargetGroup.groups(json: Array(text.utf8), source: path, labels: [label])
            }
            var groups: [TargetGroup] = []
            for (index, node) in try ConfigurationNode.load(path: path).list.enumerated() {
                var group = try TargetGroup(node, source: "\(path):\(index)")
                group.labels[label.name] = label.value
                groups.append(group)
            }
            return groups
        } catch let error as DiscoveryError {
            throw DiscoveryError("\(path): \(error)")
        } catch {
            throw DiscoveryError("\(error)")
        }
    }
}
