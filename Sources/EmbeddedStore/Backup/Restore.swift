import Codecs
package import Telemetry

/// Makes a data folder of a backup. Nothing stands under its name before every checksum was right.
package struct Restore {
    private let fileSystem: any FileSystem
    private let folder: String
    /// Where the files are until all of them are right.
    private let unfinished: String
    /// Bytes that came and were not used yet.
    private var buffer: [UInt8] = []
    private let source: () throws -> [UInt8]
    /// How many bytes of the archive were used.
    private var offset = 0
    /// Of each file its checksum and size.
    private var written: [String: (checksum: UInt32, byteCount: Int)] = [:]

    /// - Parameters:
    ///   - folder: must not exist or be empty.
    ///   - source: the archive's next bytes; none at its end.
    private init(_ folder: String, _ fileSystem: any FileSystem, _ source: @escaping () throws -> [UInt8]) {
        self.folder = folder
        self.fileSystem = fileSystem
        self.source = source
        unfinished = folder + ".restore"
    }

    /// Restores an archive into `folder`.
    ///
    /// - Parameters:
    ///   - keepsDamage: restore a store that was damaged already when the backup was made.
    ///   - report: hears of every damaged place in the restored store.
    package static func run(
        into folder: String, keepsDamage: Bool = false, fileSystem: any FileSystem = PosixFileSystem(),
        source: @escaping () throws -> [UInt8], report: (StoreDamage) -> Void
    ) throws -> Backup.Summary {
        let isThere = try fileSystem.isFolder(folder)
        guard try fileSystem.list(folder).isEmpty else {
            throw StoreError(.rejected, "the folder \(folder) is not empty", remedy: "Name one that is empty or does not exist.")
        }
        var restore = Restore(folder, fileSystem, source)
        if try fileSystem.isFolder(restore.unfinished) { try fileSystem.removeTree(restore.unfinished) }
        do {
            let summary = try restore.unpack()
            let damages = try DataCheck.run(folder: restore.unfinished, fileSystem: fileSystem).damages
            damages.forEach(report)
            guard damages.isEmpty || keepsDamage else {
                throw StoreError(
                    .corrupted, "the store was damaged in \(damages.count) places already when the backup was made",
                    remedy: "Take another backup, or restore with --keep-damage what can be read of this one.")
            }
            if isThere { try fileSystem.removeFolder(folder) }
            try fileSystem.rename(restore.unfinished, to: folder)
            try fileSystem.syncFolder(EmbeddedStore.parent(of: folder))
            return summary
        } catch {
            try? fileSystem.removeTree(restore.unfinished)
            throw error
        }
    }

    private mutating func unpack() throws -> Backup.Summary {
        guard let title = try TarHeader.decode(try take(TarHeader.byteCount), at: 0), title.path == Backup.titleName, title.size < 1_000,
            String(decoding: try file(title.size), as: UTF8.self) == Backup.title
        else { throw StoreError(.corrupted, "this is no backup of Apus, or of another version") }
        try fileSystem.createFolder(unfinished)
        var folders: Set<String> = [unfinished]
        while true {
            let start = offset
            guard let header = try TarHeader.decode(try take(TarHeader.byteCount), at: start) else {
                throw StoreError(.corrupted, "the archive ends at byte \(start) without its checksums: it was cut short")
            }
            if header.path == Backup.checksumsName {
                guard header.size <= 256 << 20 else { throw StoreError(.corrupted, "the archive is damaged at byte \(start): impossible size") }
                try compare(String(decoding: try file(header.size), as: UTF8.self))
                break
            }
            try unpack(header, at: start, &folders)
        }
        for folder in folders.sorted(by: >) { try fileSystem.syncFolder(folder) }
        return Backup.Summary(fileCount: written.count, byteCount: written.values.reduce(0) { $0 + $1.byteCount })
    }

    private mutating func unpack(_ header: TarHeader, at start: Int, _ folders: inout Set<String>) throws {
        let parts = header.path.split(separator: "/", omittingEmptySubsequences: false)
        guard !header.path.isEmpty, !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }), written[header.path] == nil else {
            throw StoreError(.corrupted, "the archive is damaged at byte \(start): a file of the name \(header.path)")
        }
        var path = unfinished
        for part in parts.dropLast() {
            path += "/" + part
            if folders.insert(path).inserted { try fileSystem.createFolder(path) }
        }
        let file = try fileSystem.open(unfinished + "/" + header.path, .create)
        var (done, checksum) = (0, UInt32(0))
        while done < header.size {
            let bytes = try take(min(Backup.chunkByteCount, header.size - done))
            checksum = CRC32C.checksum(bytes.span, continuing: checksum)
            try file.write(bytes, at: done)
            done += bytes.count
        }
        try file.sync()
        _ = try take(TarHeader.padding(header.size))
        written[header.path] = (checksum, header.size)
    }

    /// Holds what was written against the archive's last file.
    private func compare(_ checksums: String) throws {
        var missing = Set(written.keys)
        for line in checksums.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count == 3, let byteCount = Int(fields[1]) else {
                throw StoreError(.corrupted, "the archive's checksums are damaged: \(line)")
            }
            let path = String(fields[2])
            guard let found = written[path] else { throw StoreError(.corrupted, "the archive lacks the file \(path)") }
            guard found.byteCount == byteCount, hex(found.checksum) == fields[0] else {
                throw StoreError(
                    .corrupted,
                    "the archive is damaged in \(path): checksum \(hex(found.checksum)) of \(found.byteCount) bytes, expected \(fields[0]) of \(byteCount)")
            }
            missing.remove(path)
        }
        if let path = missing.sorted().first { throw StoreError(.corrupted, "the archive has no checksum of \(path)") }
    }

    /// A small file's bytes, and what pads them.
    private mutating func file(_ byteCount: Int) throws -> [UInt8] {
        let bytes = try take(byteCount)
        _ = try take(TarHeader.padding(byteCount))
        return bytes
    }

    /// The archive's next `count` bytes.
    private mutating func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            let more = try source()
            guard !more.isEmpty else {
                throw StoreError(.corrupted, "the archive ends at byte \(offset + buffer.count), in the middle of a file: it was cut short")
            }
            buffer += more
        }
        let bytes = Array(buffer[..<count])
        buffer.removeFirst(count)
        offset += count
        return bytes
    }
}
