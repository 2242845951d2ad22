import Glibc
import Logging
import Settings
import Telemetry

/// The file in which Promtail kept how far it had read (`positions.filename`): Apus goes on from there.
package enum PromtailPositionFile {
    /// Takes over the positions of files that Apus has none of yet.
    ///
    /// Damaged files, and files that have become shorter since, are read from their start, as by Promtail.
    ///
    /// - Parameter jobs: what is tailed.
    static func takeOver(_ configuration: PromtailConfiguration, jobs: [TailJob], into state: any StateStore, logger: Logger) {
        let path = configuration.positions.filename
        guard access(path, R_OK) == 0 else { return }
        do {
            let known = try state.values(in: TailPosition.namespace)
            var values: [String: [UInt8]?] = [:]
            for (file, offset) in try read(path) {
                var status = stat()
                guard stat(file, &status) == 0, Int64(status.st_size) >= offset else { continue }
                for job in jobs where job.wants(file) {
                    var position = TailPosition(identity: FileIdentity(status), path: file)
                    position.offset = offset
                    let key = position.key(configuration: job.name)
                    if known[key] == nil { values[key] = position.encoded }
                }
            }
            guard !values.isEmpty else { return }
            try state.set(values, in: TailPosition.namespace)
            logger.info("Going on where Promtail stopped", metadata: ["positions": .string(path), "files": "\(values.count)"])
        } catch {
            logger.warning("Promtail's positions cannot be read: files are read from their start", metadata: ["error": "\(error)"])
        }
    }

    /// Paths and offsets; other entries (cursors of journals) are left out.
    static func read(_ path: String) throws(ConfigurationError) -> [(path: String, offset: Int64)] {
        let root = try ConfigurationNode.load(path: path).mapping(["positions"])
        return try (root["positions"]?.stringPairs ?? []).compactMap { name, value in
            guard name.hasPrefix("/"), let offset = Int64(value), offset > 0 else { return nil }
            return (name, offset)
        }
    }
}
