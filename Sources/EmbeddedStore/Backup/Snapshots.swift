package import Telemetry

/// The snapshots in a data folder: `snapshots/NAME`, each a data folder of its own.
package struct Snapshots: Sendable {
    /// A file of a snapshot, by its path from there.
    package struct File: Sendable, Hashable {
        package var path: String
        package var byteCount: Int

        package init(path: String, byteCount: Int) {
            self.path = path
            self.byteCount = byteCount
        }
    }

    private let store: EmbeddedStore
    private var files: any FileSystem { store.options.fileSystem }
    private var folder: String { store.options.dataFolder + "/snapshots" }

    package init(store: EmbeddedStore) {
        self.store = store
    }

    /// Takes a snapshot of everything, the catalogue included.
    ///
    /// - Parameter skipsMemory: leave out what no flush has written yet.
    /// - Returns: its name, as Prometheus names them: the time and a random number.
    package func take(skipsMemory: Bool = false) async throws(StoreError) -> String {
        try files.createFolder(folder)
        let name = Self.name(store.options.time.nanoseconds, .random(in: .min ... .max))
        try await store.snapshot(to: folder + "/" + name, skipsMemory: skipsMemory)
        return name
    }

    /// The names, oldest first.
    package func names() throws(StoreError) -> [String] {
        try files.list(folder).filter(Self.isName)
    }

    /// Every file of a snapshot.
    package func files(of name: String) throws(StoreError) -> [File] {
        let path = try path(name)
        var found: [File] = []
        for file in try files.files(below: path) {
            found.append(File(path: file, byteCount: try files.open(path + "/" + file, .read).byteCount()))
        }
        return found
    }

    /// Up to `count` bytes of a file of a snapshot.
    package func read(_ name: String, _ file: String, at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        let path = try path(name)
        // No path that a client writes is opened unless the snapshot has it.
        guard offset >= 0, count >= 0, try files.files(below: path).contains(file) else {
            throw StoreError(.rejected, "the snapshot \(name) has no such file")
        }
        return try files.open(path + "/" + file, .read).read(at: offset, count: count)
    }

    /// Removes a snapshot; what it alone still held of the disk is free then.
    package func remove(_ name: String) throws(StoreError) {
        try files.removeTree(try path(name))
    }

    private func path(_ name: String) throws(StoreError) -> String {
        guard Self.isName(name), try names().contains(name) else { throw StoreError(.rejected, "there is no snapshot of that name") }
        return folder + "/" + name
    }

    /// `20261122T120000Z-2be650b6d019eb54`
    static func name(_ nanoseconds: Int64, _ random: UInt64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let day = seconds / 86_400
        func pad(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hour, minute, second) = (seconds % 86_400 / 3_600, seconds % 3_600 / 60, seconds % 60)
        let digits = String(random, radix: 16)
        return Days.name(day).filter { $0 != "-" } + "T" + pad(hour) + pad(minute) + pad(second) + "Z-"
            + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Whether a name has that shape.
    static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.count == 33 else { return false }
        for (index, byte) in bytes.enumerated() {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            let isRight =
                switch index {
                case 8: byte == UInt8(ascii: "T")
                case 15: byte == UInt8(ascii: "Z")
                case 16: byte == UInt8(ascii: "-")
                case 17...: isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                default: isDigit
                }
            if !isRight { return false }
        }
        return true
    }
}
