import EmbeddedStore
import Telemetry

/// What an operator may do with the embedded store.
struct EmbeddedAdministration: StoreAdministration {
    let store: EmbeddedStore
    let folder: Snapshots

    func takeSnapshot(skipsMemory: Bool) async throws -> String { try await folder.take(skipsMemory: skipsMemory) }

    func snapshots() throws -> [String] { try folder.names() }

    func files(ofSnapshot name: String) throws -> [(path: String, byteCount: Int)] {
        try folder.files(of: name).map { ($0.path, $0.byteCount) }
    }

    func read(_ file: String, ofSnapshot name: String, at offset: Int, count: Int) throws -> [UInt8] {
        try folder.read(name, file, at: offset, count: count)
    }

    func removeSnapshot(_ name: String) throws { try folder.remove(name) }

    func cleanTombstones() async throws { try await store.cleanTombstones() }
}
