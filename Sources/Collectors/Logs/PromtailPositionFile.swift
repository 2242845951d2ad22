import CIntrinsics
import Glibc
import Logging
import Settings
import Telemetry

/// The file in which Promtail kept how far it had read (`positions.filename`): Apus goes on from there.
///
/// It is read once, at the first start with that name. What it says is kept under keys of its own, by device and inode, until a job wants
/// the file: a file that is new at an old path is read from its start.
package enum PromtailPositionFile {
    private static let prefix = "promtail/"

    /// The key of a file's position as Promtail left it.
    static func key(_ identity: FileIdentity) -> String {
        TailPosition(identity: identity, path: "").key(configuration: String(prefix.dropLast()))
    }

    static func isKey(_ key: String) -> Bool { key.hasPrefix(prefix) }

    /// Takes over the positions of files and the cursors of journals, unless that has been done.
    ///
    /// Files that have become shorter since, and those made after Promtail wrote the file, are read from their start. A file of positions
    /// that cannot be read is named in a warning.
    static func takeOver(_ configuration: PromtailConfiguration, into state: any StateStore, logger: Logger) {
        let path = configuration.positions.filename
        var written = stat()
        guard stat(path, &written) == 0 else { return }
        let marker = prefix + "file:" + path
        do {
            guard try state.value(marker, in: TailPosition.namespace) == nil else { return }
            let saved = try read(path)
            var changes = [StateChange(TailPosition.namespace, marker, Array("1".utf8))]
            let writtenAt = Int64(written.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(written.st_mtim.tv_nsec)
            for (file, offset) in saved.files {
                guard let position = position(of: file, offset: offset, notMadeAfter: writtenAt) else { continue }
                changes.append(StateChange(TailPosition.namespace, key(position.identity), position.encoded))
            }
            changes += try journals(saved.cursors, configuration, state)
            try state.apply(changes)
            logger.info("Going on where Promtail stopped", metadata: ["positions": .string(path), "positions_taken": "\(changes.count - 1)"])
        } catch {
            logger.warning("Promtail's positions cannot be read: files are read from their start", metadata: ["error": "\(error)"])
        }
    }

    /// The cursors of journals that are not read yet.
    private static func journals(
        _ cursors: [String: String], _ configuration: PromtailConfiguration, _ state: any StateStore
    ) throws(StoreError) -> [StateChange] {
        let known = try state.values(in: SourcePump.namespace)
        var changes: [StateChange] = []
        for job in configuration.jobs where job.journal != nil {
            let key = JournalSource.positionKey(job: job.name)
            guard known[key] == nil, let cursor = cursors["cursor-" + job.name] ?? cursors["journal-" + job.name] else { continue }
            changes.append(StateChange(SourcePump.namespace, key, SavedPosition(position: Array(cursor.utf8), checkpoint: []).encoded))
        }
        return changes
    }

    /// nil where the file is not the one that Promtail read.
    private static func position(of path: String, offset: Int64, notMadeAfter time: Int64) -> TailPosition? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, Int64(status.st_size) >= offset else { return nil }
        let birth = apus_file_birth(descriptor)
        guard birth <= time else { return nil }
        var position = TailPosition(identity: FileIdentity(status), birth: birth, path: path)
        position.offset = offset
        let byteCount = Int(min(offset, Int64(FileFingerprint.byteCountMax)))
        position.head = FileFingerprint(descriptor: descriptor, byteCount: byteCount, before: Int64(byteCount)) ?? .none
        position.tail = FileFingerprint(descriptor: descriptor, byteCount: byteCount, before: offset) ?? .none
        return position
    }

    /// Paths and offsets, and cursors by their keys (`cursor-JOB`).
    static func read(_ path: String) throws(ConfigurationError) -> (files: [(path: String, offset: Int64)], cursors: [String: String]) {
        let root = try ConfigurationNode.load(path: path).mapping(["positions"])
        var (files, cursors) = ([(path: String, offset: Int64)](), [String: String]())
        for (name, value) in try root["positions"]?.stringPairs ?? [] {
            if let offset = Int64(value), name.hasPrefix("/") {
                if offset > 0 { files.append((name, offset)) }
            } else {
                cursors[name] = value
            }
        }
        return (files, cursors)
    }
}
