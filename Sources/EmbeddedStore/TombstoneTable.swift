import Codecs
import Synchronization
import Telemetry

/// A signal's deletions that are not carried out everywhere yet: in memory, and in one small file that is replaced as a whole.
/// Byte for byte: docs/format/tombstones.md.
final class TombstoneTable: Sendable {
    private let signal: Signal
    private let folder: String
    private let fileSystem: any FileSystem
    private let reporter: StoreReporter
    private let tombstones = Mutex<[Tombstone]>([])

    private static let magic: [UInt8] = Array("APUSDEL".utf8) + [1]

    init(signal: Signal, folder: String, fileSystem: any FileSystem, reporter: StoreReporter) {
        self.signal = signal
        self.folder = folder
        self.fileSystem = fileSystem
        self.reporter = reporter
    }

    private var path: String { folder + "/tombstones" }

    /// In the order of the deletions.
    var all: [Tombstone] { tombstones.withLock { $0 } }

    /// Makes a deletion durable, then visible. One thread at a time: the merge's.
    func add(_ tombstone: Tombstone) throws(StoreError) {
        try write(all + [tombstone])
        tombstones.withLock { $0.append(tombstone) }
    }

    /// Forgets deletions that nothing needs any more. One thread at a time: the merge's.
    func removeAll(where isSpent: (Tombstone) -> Bool) throws(StoreError) {
        let old = all
        let kept = old.filter { !isSpent($0) }
        if kept.count == old.count { return }
        try write(kept)
        tombstones.withLock { $0 = kept }
    }

    private func write(_ tombstones: [Tombstone]) throws(StoreError) {
        try fileSystem.replace(path, with: Self.encode(tombstones), in: folder)
    }

    /// Reads the file. Without it rows that were deleted are served again, which is reported.
    ///
    /// - Returns: the highest flush number that a deletion names; 0 where there is none.
    func load() throws(StoreError) -> UInt64 {
        guard try fileSystem.list(folder).contains("tombstones") else { return 0 }
        do {
            let read = try Self.decode(try fileSystem.contents(of: path))
            tombstones.withLock { $0 = read }
        } catch {
            reporter.quarantine(
                "the deletions of \(signal.name) in \(path) cannot be read: \(error): rows that were deleted and not cleaned yet are served again",
                .tombstones, signal, path: path)
        }
        return all.map(\.sequence).max() ?? 0
    }

    static func encode(_ tombstones: [Tombstone]) -> [UInt8] {
        var body: [UInt8] = []
        body.append(count: tombstones.count)
        for tombstone in tombstones {
            body.append(varint: tombstone.sequence)
            body.append(signed: tombstone.range.start)
            body.append(signed: tombstone.range.end)
            body.append(count: tombstone.streams.count)
            for (day, streams) in tombstone.streams.sorted(by: { $0.key < $1.key }) {
                body.append(signed: day)
                body.append(count: streams.count)
                var previous: UInt64 = 0
                for stream in streams.sorted() {
                    body.append(varint: stream &- previous)
                    previous = stream
                }
            }
        }
        var bytes = magic
        bytes.append(fixed32: CRC32C.checksum(body.span))
        return bytes + body
    }

    static func decode(_ bytes: [UInt8]) throws -> [Tombstone] {
        var reader = ByteReader(bytes)
        guard bytes.count >= 12, Array(bytes[try reader.take(8, "magic")]) == magic else {
            throw DecodeError(offset: 0, field: "magic", "no list of deletions")
        }
        let expected = try reader.fixed32("checksum")
        let found = CRC32C.checksum(bytes.span.extracting(12..<bytes.count))
        guard found == expected else { throw DecodeError(offset: 8, field: "checksum", "\(hex(found)), expected \(hex(expected))") }
        var tombstones: [Tombstone] = []
        for _ in 0..<(try reader.count("deletions", byteCountMin: 4)) {
            let sequence = try reader.varint("sequence")
            let range = TimeRange(try reader.signed("start"), try reader.signed("end"))
            var streams: [Int64: Set<UInt64>] = [:]
            for _ in 0..<(try reader.count("days", byteCountMin: 2)) {
                let day = try reader.signed("day")
                var (ids, previous) = (Set<UInt64>(), UInt64(0))
                for _ in 0..<(try reader.count("streams")) {
                    previous = previous &+ (try reader.varint("stream"))
                    ids.insert(previous)
                }
                streams[day] = ids
            }
            tombstones.append(Tombstone(range: range, sequence: sequence, streams: streams))
        }
        guard reader.isAtEnd else { throw DecodeError(offset: reader.offset, field: "deletions", "bytes behind the last one") }
        return tombstones
    }
}
