package import Telemetry

/// What the store needs of a disk. The real one is ``PosixFileSystem``; tests bring one that fails, tears and forgets.
package protocol FileSystem: Sendable {
    /// Makes a folder and those above it; nothing where it exists.
    func createFolder(_ path: String) throws(StoreError)
    /// The names in a folder, sorted; none where the folder does not exist.
    func list(_ path: String) throws(StoreError) -> [String]
    /// Whether there is a folder of that name.
    func isFolder(_ path: String) throws(StoreError) -> Bool
    func open(_ path: String, _ mode: FileMode) throws(StoreError) -> any StoreFile
    /// Replaces `target` at once: a crash leaves the one or the other.
    func rename(_ path: String, to target: String) throws(StoreError)
    func remove(_ path: String) throws(StoreError)
    /// Removes an empty folder.
    func removeFolder(_ path: String) throws(StoreError)
    /// Makes the names in a folder durable.
    func syncFolder(_ path: String) throws(StoreError)
    /// Gives a file a second name (a hard link): its bytes stay until both are gone.
    func link(_ path: String, to target: String) throws(StoreError)
    /// The room on the disk that holds `path`, which must exist.
    func space(_ path: String) throws(StoreError) -> DiskSpace
    /// Locks a file for this process until the answer goes away.
    ///
    /// - Throws: ``StoreError`` with `.inUse` where another process holds it.
    func lock(_ path: String) throws(StoreError) -> any Sendable
    /// Whether a process holds the lock. Changes nothing.
    func isLocked(_ path: String) throws(StoreError) -> Bool
}

/// The room on a disk.
package struct DiskSpace: Sendable, Hashable {
    /// What this process may still write.
    package var freeByteCount: Int
    package var totalByteCount: Int

    package init(freeByteCount: Int, totalByteCount: Int) {
        self.freeByteCount = freeByteCount
        self.totalByteCount = totalByteCount
    }
}

/// How a file is opened.
package enum FileMode: Sendable, Hashable {
    /// It must exist.
    case read
    /// It is made, or emptied.
    case create
    /// It is made where it does not exist; what is in it stays.
    case update
}

/// An open file; closed with its last reference.
package protocol StoreFile: AnyObject, Sendable {
    func byteCount() throws(StoreError) -> Int
    /// Up to `count` bytes at `offset`: fewer only at the file's end.
    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8]
    /// Writes all of `bytes`, or throws with any part of them written.
    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError)
    /// Makes the bytes durable (`fdatasync`).
    func sync() throws(StoreError)
    func truncate(to byteCount: Int) throws(StoreError)
}

extension FileSystem {
    /// All bytes of a file.
    func contents(of path: String) throws(StoreError) -> [UInt8] {
        let file = try open(path, .read)
        return try file.read(at: 0, count: try file.byteCount())
    }

    /// Makes `bytes` the content of `path`, durably and at once.
    func replace(_ path: String, with bytes: [UInt8], in folder: String) throws(StoreError) {
        let temporary = path + ".tmp"
        do {
            let file = try open(temporary, .create)
            try file.write(bytes, at: 0)
            try file.sync()
            try rename(temporary, to: path)
        } catch {
            // What is left of it is swept at the next start anyway.
            do { try remove(temporary) } catch {}
            throw error
        }
        try syncFolder(folder)
    }
}
