import Telemetry

extension FileSystem {
    private var chunkByteCount: Int { 1 << 20 }

    /// Copies a file and syncs the copy.
    func copy(_ path: String, to target: String) throws(StoreError) {
        let (source, copy) = (try open(path, .read), try open(target, .create))
        let byteCount = try source.byteCount()
        var offset = 0
        while offset < byteCount {
            let bytes = try source.read(at: offset, count: min(chunkByteCount, byteCount - offset))
            guard !bytes.isEmpty else { throw StoreError(.corrupted, "\(path) ends at byte \(offset) of \(byteCount)") }
            try copy.write(bytes, at: offset)
            offset += bytes.count
        }
        try copy.sync()
    }

    /// Links a file, or copies it where the file system has no hard links.
    func linkOrCopy(_ path: String, to target: String) throws(StoreError) {
        do throws(StoreError) { try link(path, to: target) } catch {
            guard error.code == .system else { throw error }
            try copy(path, to: target)
        }
    }

    /// Every file below a folder, by its path from there, sorted.
    func files(below folder: String) throws(StoreError) -> [String] {
        var found: [String] = []
        for name in try list(folder) {
            if try isFolder(folder + "/" + name) {
                found += try files(below: folder + "/" + name).map { name + "/" + $0 }
            } else {
                found.append(name)
            }
        }
        return found
    }

    /// Removes a folder and everything in it.
    func removeTree(_ folder: String) throws(StoreError) {
        for name in try list(folder) {
            let path = folder + "/" + name
            if try isFolder(path) { try removeTree(path) } else { try remove(path) }
        }
        try removeFolder(folder)
    }
}
