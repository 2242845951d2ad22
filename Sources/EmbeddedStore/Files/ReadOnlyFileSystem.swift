package import Telemetry

/// Files that nobody may change: what would change them does nothing, writing is refused. So the engine's own readers can look at
/// a folder, and mend nothing.
package struct ReadOnlyFileSystem: FileSystem {
    private let files: any FileSystem

    package init(_ files: any FileSystem) {
        self.files = files
    }

    package func createFolder(_ path: String) throws(StoreError) {}
    package func list(_ path: String) throws(StoreError) -> [String] { try files.list(path) }

    package func isFolder(_ path: String) throws(StoreError) -> Bool { try files.isFolder(path) }

    package func open(_ path: String, _ mode: FileMode) throws(StoreError) -> any StoreFile {
        guard mode != .create else { throw Self.refusal(path) }
        return File(try files.open(path, .read), path)
    }

    package func rename(_ path: String, to target: String) throws(StoreError) {}
    package func remove(_ path: String) throws(StoreError) {}
    package func removeFolder(_ path: String) throws(StoreError) {}
    package func syncFolder(_ path: String) throws(StoreError) {}
    package func link(_ path: String, to target: String) throws(StoreError) { throw Self.refusal(target) }
    package func space(_ path: String) throws(StoreError) -> DiskSpace { try files.space(path) }
    package func lock(_ path: String) throws(StoreError) -> any Sendable { true }
    package func isLocked(_ path: String) throws(StoreError) -> Bool { try files.isLocked(path) }

    private static func refusal(_ path: String) -> StoreError {
        StoreError(.system, "\(path) is open for reading only")
    }

    private final class File: StoreFile {
        private let file: any StoreFile
        private let path: String

        init(_ file: any StoreFile, _ path: String) {
            self.file = file
            self.path = path
        }

        func byteCount() throws(StoreError) -> Int { try file.byteCount() }
        func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] { try file.read(at: offset, count: count) }
        func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) { throw ReadOnlyFileSystem.refusal(path) }
        func sync() throws(StoreError) {}
        func truncate(to byteCount: Int) throws(StoreError) {}
    }
}
