import Codecs
import Synchronization
import Telemetry

/// A sealed index: the streams of a day, or of a part of a busy day, in a file that does not change.
///
/// In memory stands where its blocks lie, while it is in use; everything else is read when it is asked for. What is damaged is
/// reported once, with its place, and left out.
final class IndexSegment: Sendable {
    let path: String
    /// Its file's name counts up within the day.
    let number: UInt64
    let footer: IndexFooter
    let fileByteCount: Int
    /// Held open: who has begun to read goes on reading when the file is replaced.
    private let file: any StoreFile
    private let reporter: StoreReporter
    private let cache = Mutex(Cache())

    private struct Cache: Sendable {
        var directory: IndexDirectory?
        /// Offsets of what was damaged.
        var reported: Set<Int> = []
    }

    /// Opens a file: reads and checks its footer.
    init(path: String, number: UInt64, fileSystem: any FileSystem, reporter: StoreReporter) throws(StoreError) {
        self.path = path
        self.number = number
        self.reporter = reporter
        file = try fileSystem.open(path, .read)
        fileByteCount = try file.byteCount()
        guard try file.read(at: 0, count: IndexDirectory.magic.count) == IndexDirectory.magic else {
            throw StoreError(.corrupted, "the stream index \(path) is damaged at byte 0: it does not begin as an index does")
        }
        let tail = try file.read(at: max(0, fileByteCount - IndexFooter.byteCount), count: IndexFooter.byteCount)
        do {
            footer = try IndexFooter(tail, fileByteCount: fileByteCount)
        } catch {
            throw StoreError(.corrupted, "the stream index \(path) is damaged: \(error)", remedy: "Restore this file from a backup.")
        }
    }

    /// `00000003.index`
    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".index"
    }

    static func number(named name: String) -> UInt64? {
        name.hasSuffix(".index") ? UInt64(name.dropLast(6)) : nil
    }

    /// Reads the file for one question; nil where it cannot be read.
    func reader() -> IndexSegmentReader? {
        do {
            if let directory = cache.withLock({ $0.directory }) { return IndexSegmentReader(self, directory) }
            let place = IndexDirectory.Place(
                offset: footer.directoryOffset, byteCount: footer.directoryByteCount, checksum: footer.directoryChecksum)
            guard let bytes = read(place, "directory") else { return nil }
            let directory = try IndexDirectory(bytes, end: footer.directoryOffset)
            cache.withLock { $0.directory = directory }
            return IndexSegmentReader(self, directory)
        } catch {
            quarantine(footer.directoryOffset, "directory", "\(error)")
            return nil
        }
    }

    /// Gives up what can be read again.
    func dropCache() {
        cache.withLock { $0.directory = nil }
    }

    /// The bytes of a stretch of the file; nil where they are damaged.
    func read(_ place: IndexDirectory.Place, _ what: String) -> [UInt8]? {
        do throws(StoreError) {
            let bytes = try file.read(at: place.offset, count: place.byteCount)
            let found = CRC32C.checksum(bytes.span)
            if bytes.count == place.byteCount, found == place.checksum { return bytes }
            quarantine(place.offset, what, "checksum \(hex(found)), expected \(hex(place.checksum))")
        } catch {
            quarantine(place.offset, what, error.description)
        }
        return nil
    }

    /// Reports damage once.
    func quarantine(_ offset: Int, _ what: String, _ message: String) {
        guard cache.withLock({ $0.reported.insert(offset).inserted }) else { return }
        reporter.quarantine(
            "the stream index \(path) is damaged at byte \(offset) (\(what)): \(message). The streams there are not found; restore this file from a backup.",
            .index, footer.signal, path: path, offset: offset)
    }
}
