import Synchronization
import Telemetry

/// Refuses writes while the disk still has room for what must go on: flushes, merges, the index.
///
/// It asks the operating system at every append (`statvfs(2)`, about a microsecond a request), so that writes resume with the
/// first request after space was freed.
final class DiskGuard: Sendable {
    private let fileSystem: any FileSystem
    private let folder: String
    /// nil: ``standardReserve(_:)``.
    private let reserveByteCount: Int?
    private let reporter: StoreReporter
    private let isFull = Atomic<Bool>(false)

    init(folder: String, reserveByteCount: Int?, fileSystem: any FileSystem, reporter: StoreReporter) {
        self.folder = folder
        self.reserveByteCount = reserveByteCount
        self.fileSystem = fileSystem
        self.reporter = reporter
    }

    /// What is kept free unless the options say otherwise: 1 % of the disk, but at least 64 MiB (two flushes of full memtables),
    /// and at most 4 GiB.
    static func standardReserve(_ space: DiskSpace) -> Int {
        min(max(64 << 20, space.totalByteCount / 100), 4 << 30)
    }

    /// The bytes free and the bytes that must be; nil where the operating system does not say.
    func figures() -> (freeByteCount: Int, wantedByteCount: Int)? {
        do throws(StoreError) {
            let space = try fileSystem.space(folder)
            return (space.freeByteCount, reserveByteCount ?? Self.standardReserve(space))
        } catch {
            return nil
        }
    }

    /// - Throws: ``StoreError`` with `.diskFull`, the free and the wanted bytes.
    func admit() throws(StoreError) {
        // A disk that does not answer is left to say so at the write itself.
        guard let figures = figures() else { return }
        if figures.freeByteCount >= figures.wantedByteCount {
            if isFull.exchange(false, ordering: .relaxed) { reporter.info("the disk of \(folder) has room again: writes are taken") }
            return
        }
        let error = Self.error("the disk of \(folder) is full", figures)
        if !isFull.exchange(true, ordering: .relaxed) { reporter.error("writes are refused: \(error)") }
        throw error
    }

    /// Adds the free and wanted bytes to what a write on a full disk said.
    func explain(_ error: StoreError) -> StoreError {
        guard error.code == .diskFull, let figures = figures() else { return error }
        return Self.error(error.message, figures)
    }

    /// Whether a merge may write so much more before it can remove what it merged.
    func hasRoom(for byteCount: Int) -> Bool {
        guard let figures = figures() else { return true }
        // Half of the reserve stays for the log and the flushes that run meanwhile.
        return figures.freeByteCount - byteCount >= figures.wantedByteCount / 2
    }

    private static func error(_ message: String, _ figures: (freeByteCount: Int, wantedByteCount: Int)) -> StoreError {
        StoreError(
            .diskFull, "\(message): \(figures.freeByteCount) bytes are free, \(figures.wantedByteCount) are wanted",
            remedy: "Free space, shorten retention or set a disk budget: reads go on, and writes resume by themselves.")
    }
}
