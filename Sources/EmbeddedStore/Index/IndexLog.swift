import Codecs
import Telemetry

/// The file of a day's streams that only grows: a record for each flush that brought new ones. Byte for byte: docs/format/index.md,
/// "The log".
struct IndexLog: Sendable {
    /// One stream.
    struct Entry: Sendable {
        /// How far the day's id is from the hash of the labels: 0, but where another stream of the day has that hash.
        var displacement: UInt64
        var labels: Labels
        var resource: Resource
    }

    /// What the file holds.
    struct Content {
        var records: [[Entry]] = []
        /// Where the next record goes.
        var byteCount = 0
    }

    let path: String
    private let folder: String
    private let fileSystem: any FileSystem
    private let reporter: StoreReporter
    private let signal: Signal
    /// What the file's records are bound to (``RecordFraming``).
    private let number: UInt64

    static let name = "index"
    private static let version: UInt8 = 2

    init(signal: Signal, day: Int64, folder: String, fileSystem: any FileSystem, reporter: StoreReporter) {
        self.folder = folder
        self.fileSystem = fileSystem
        self.reporter = reporter
        self.signal = signal
        path = folder + "/" + Self.name
        number = UInt64(bitPattern: day) << 2 | UInt64(signal.rawValue)
    }

    /// Appends streams and syncs the file.
    ///
    /// - Returns: where the next record goes.
    func append(_ entries: [Entry], at offset: Int) throws(StoreError) -> Int {
        let file = try fileSystem.open(path, .update)
        // What a failed attempt left behind.
        if try file.byteCount() > offset { try file.truncate(to: offset) }
        let bytes = records(entries, at: offset)
        try file.write(bytes, at: offset)
        try file.sync()
        if offset == 0 { try fileSystem.syncFolder(folder) }
        return offset + bytes.count
    }

    /// Makes these streams all that the file has, at once.
    ///
    /// - Returns: where the next record goes.
    func replace(with entries: [Entry]) throws(StoreError) -> Int {
        let bytes = records(entries, at: 0)
        try fileSystem.replace(path, with: bytes, in: folder)
        return bytes.count
    }

    /// Removes the file.
    func remove() throws(StoreError) {
        try fileSystem.remove(path)
        try fileSystem.syncFolder(folder)
    }

    /// Reads the file. What is damaged is reported and left out: the rest keeps serving.
    ///
    /// - Returns: nil where it cannot be read at all.
    func read() -> Content? {
        var content = Content()
        let bytes: [UInt8]
        do {
            guard try fileSystem.list(folder).contains(Self.name) else { return content }
            bytes = try fileSystem.contents(of: path)
        } catch {
            reporter.quarantine("the stream index \(path) cannot be read, its streams are not found until it can: \(error)", .index, signal, path: path)
            return nil
        }
        let walk = RecordWalk(bytes, from: 0, file: number)
        for damage in walk.damages {
            if damage.isTail {
                // What a crash leaves: no part has appeared that needs it, and the write-ahead log still has its streams.
                reporter.warning("the stream index \(path) ends in \(damage.range.count) bytes of an unfinished record")
            } else {
                let found = RecordFraming.explain(bytes, at: damage.range.lowerBound, file: number)
                reporter.quarantine(
                    "the stream index \(path) is damaged at bytes \(damage.range) (\(found)): the streams there are not found", .index, signal,
                    path: path, offset: damage.range.lowerBound)
            }
        }
        for payload in walk.payloads {
            do {
                content.records.append(try Self.decode(bytes, payload))
            } catch {
                reporter.quarantine(
                    "the stream index \(path) has a record at byte \(payload.lowerBound) that does not decode: \(error)", .index, signal,
                    path: path, offset: payload.lowerBound)
            }
        }
        content.byteCount = walk.end
        return content
    }

    private func records(_ entries: [Entry], at offset: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var start = 0
        while start < entries.count {
            let end = min(start + Limits.indexRecordStreamCountMax, entries.count)
            RecordFraming.append(Self.encode(entries[start..<end]), to: &bytes, offset: offset + bytes.count, file: number)
            start = end
        }
        return bytes
    }

    private static func encode(_ entries: ArraySlice<Entry>) -> [UInt8] {
        var writer = TextTableWriter()
        writer.body.append(count: entries.count)
        for entry in entries {
            writer.body.append(varint: entry.displacement)
            writer.append(entry.labels)
            writer.append(entry.resource)
        }
        let plain = writer.bytes
        var payload = [version]
        payload.append(count: plain.count)
        return payload + Compression.zstd.compress(plain.span)
    }

    private static func decode(_ bytes: [UInt8], _ range: Range<Int>) throws -> [Entry] {
        var header = ByteReader(bytes, range)
        let version = try header.byte("version")
        guard version == Self.version else {
            throw DecodeError(offset: range.lowerBound, field: "version", "\(version), expected \(Self.version)")
        }
        let byteCount = try header.count("content", byteCountMin: 0)
        let plain = try Compression.zstd.decompress(bytes.span.extracting(header.offset..<range.upperBound), byteCountMax: byteCount)
        var reader = try TextTableReader(ByteReader(plain))
        let count = try reader.body.count("streams", byteCountMin: 3)
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            entries.append(
                Entry(displacement: try reader.body.varint("displacement"), labels: try reader.labels(), resource: try reader.resource()))
        }
        return entries
    }
}
