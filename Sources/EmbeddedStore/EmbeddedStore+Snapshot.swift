import Synchronization
package import Telemetry

extension EmbeddedStore {
    /// Makes `folder` a copy of the store as of now: every row acknowledged before the call, and none half. Parts are hard links, so
    /// that it takes no space until they are merged; everything else is small and copied. It can be opened, checked and archived like
    /// any data folder, and nothing that the store does later changes it.
    ///
    /// - Parameters:
    ///   - folder: must not exist; on the same disk, or its parts are copied.
    ///   - skipsMemory: leave out what no flush has written yet.
    package func snapshot(to folder: String, skipsMemory: Bool = false) async throws(StoreError) {
        if !skipsMemory { try await flush() }
        try await whileQuiet { () throws(StoreError) in
            let files = self.options.fileSystem
            let unfinished = folder + ".tmp"
            do throws(StoreError) {
                if try files.isFolder(unfinished) { try files.removeTree(unfinished) }
                try self.fill(unfinished)
                try files.rename(unfinished, to: folder)
                try files.syncFolder(Self.parent(of: folder))
            } catch {
                do throws(StoreError) { try files.removeTree(unfinished) } catch {
                    self.reporter.warning("the unfinished snapshot \(unfinished) cannot be removed: \(error)")
                }
                throw error
            }
        }
    }

    private func fill(_ folder: String) throws(StoreError) {
        let files = options.fileSystem
        try files.createFolder(folder)
        for store in signals {
            let target = folder + "/" + store.signal.name
            try files.createFolder(target)
            for name in try files.list(store.folder) {
                guard try isKept(store.folder + "/" + name) else { continue }
                try files.copy(store.folder + "/" + name, to: target + "/" + name)
            }
            for (day, parts) in store.days {
                try fill(target + "/" + Days.name(day), from: store.dayFolder(day), parts)
            }
            try files.syncFolder(target)
        }
        // Between two flushes: it has the state that came with the rows in the parts, and no other.
        try stateTable.catalog?.backup(to: folder + "/catalog.sqlite")
        try files.syncFolder(folder)
    }

    private func fill(_ target: String, from folder: String, _ parts: [Part]) throws(StoreError) {
        let files = options.fileSystem
        try files.createFolder(target)
        // A part's file never changes; whatever else there is may grow.
        for part in parts { try files.linkOrCopy(part.path, to: target + part.path.dropFirst(folder.count)) }
        for name in try files.list(folder) where !name.hasSuffix(".part") {
            guard try isKept(folder + "/" + name) else { continue }
            try files.copy(folder + "/" + name, to: target + "/" + name)
        }
        try files.syncFolder(target)
    }

    /// Not folders, and not what is just being written.
    private func isKept(_ path: String) throws(StoreError) -> Bool {
        path.hasSuffix(".tmp") ? false : try !options.fileSystem.isFolder(path)
    }

    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
