/// What an operator may do with a store beside writing and reading.
package protocol StoreAdministration: Sendable {
    /// Takes a snapshot of everything.
    ///
    /// - Parameter skipsMemory: leave out what is not in a part yet.
    /// - Returns: its name.
    func takeSnapshot(skipsMemory: Bool) async throws -> String
    /// The names of the snapshots there are, oldest first.
    func snapshots() throws -> [String]
    /// The files of a snapshot, by their path from there, and their sizes.
    func files(ofSnapshot name: String) throws -> [(path: String, byteCount: Int)]
    /// Up to `count` bytes of a file of a snapshot.
    func read(_ file: String, ofSnapshot name: String, at offset: Int, count: Int) throws -> [UInt8]
    func removeSnapshot(_ name: String) throws
    /// Rewrites what holds deleted rows, so that their bytes are gone.
    func cleanTombstones() async throws
}
