import Codecs
package import Telemetry

/// A backup: a tar archive of a data folder's files, between a first file that says what it is and a last one with the checksum of
/// every other. Byte for byte: docs/format/backup.md.
package enum Backup {
    /// The archive's first file, and what it says.
    static let titleName = "BACKUP"
    static let title = "apus backup 1\n"
    /// The archive's last file: a line `CRC32C SIZE PATH` for every file before it but the title.
    static let checksumsName = "CHECKSUMS"
    /// What is read and written at once.
    package static let chunkByteCount = 4 << 20

    /// What an archive holds.
    package struct Summary: Sendable, Hashable {
        package var fileCount = 0
        package var byteCount = 0
    }

    /// Writes an archive.
    ///
    /// - Parameters:
    ///   - files: what goes in, in this order.
    ///   - read: up to so many bytes of a file at an offset; no bytes only at its end.
    ///   - sink: takes the archive's bytes, in order.
    package static func write(
        _ files: [Snapshots.File], read: (_ path: String, _ offset: Int, _ count: Int) async throws -> [UInt8],
        to sink: ([UInt8]) throws -> Void
    ) async throws -> Summary {
        try sink(try TarHeader(path: titleName, size: title.utf8.count).encode() + padded(Array(title.utf8)))
        var (summary, checksums) = (Summary(), "")
        for file in files {
            try sink(try TarHeader(path: file.path, size: file.byteCount).encode())
            var (offset, checksum) = (0, UInt32(0))
            while offset < file.byteCount {
                let bytes = try await read(file.path, offset, min(chunkByteCount, file.byteCount - offset))
                guard !bytes.isEmpty, bytes.count <= file.byteCount - offset else {
                    throw StoreError(.corrupted, "\(file.path) ends at byte \(offset) of \(file.byteCount): it changed during the backup")
                }
                checksum = CRC32C.checksum(bytes.span, continuing: checksum)
                offset += bytes.count
                try sink(bytes)
            }
            try sink([UInt8](repeating: 0, count: TarHeader.padding(file.byteCount)))
            checksums += "\(hex(checksum)) \(file.byteCount) \(file.path)\n"
            summary.fileCount += 1
            summary.byteCount += file.byteCount
        }
        try sink(try TarHeader(path: checksumsName, size: checksums.utf8.count).encode() + padded(Array(checksums.utf8)))
        try sink([UInt8](repeating: 0, count: 2 * TarHeader.byteCount))
        return summary
    }

    /// The files of a data folder that no process has open: what a backup of it takes.
    ///
    /// - Throws: ``StoreError`` with `.inUse` where a process has it.
    package static func files(of folder: String, _ fileSystem: any FileSystem = PosixFileSystem()) throws(StoreError) -> [Snapshots.File] {
        guard try fileSystem.isFolder(folder) else { throw StoreError(.rejected, "there is no folder \(folder)") }
        guard try !fileSystem.isLocked(folder + "/LOCK") else {
            throw StoreError(
                .inUse, "the data folder \(folder) is in use by a server",
                remedy: "Take the backup from that server (--url), or of one of its snapshots.")
        }
        var found: [Snapshots.File] = []
        for path in try fileSystem.files(below: folder) {
            // What a process keeps for itself, what it was writing when it ended, and older snapshots.
            if path == "LOCK" || path.hasPrefix("snapshots/") || path.hasSuffix(".tmp") || path.hasSuffix("-shm") { continue }
            found.append(Snapshots.File(path: path, byteCount: try fileSystem.open(folder + "/" + path, .read).byteCount()))
        }
        return found
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: TarHeader.padding(bytes.count))
    }
}
