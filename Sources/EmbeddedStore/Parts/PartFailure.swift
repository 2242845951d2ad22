import Telemetry

/// Why a place of a part could not be read: it is damaged (`error.code == .corrupted`), or the disk failed.
struct PartFailure: Error {
    /// Where in the file.
    var offset: Int
    var error: StoreError

    var isDamage: Bool { error.code == .corrupted }
}
