import Codecs
import Synchronization
import Telemetry

/// The streams of one signal on one UTC day: in memory while in use, and in the day's `index` file, which only grows.
///
/// A stream is in the file before a part that holds its rows appears; until then the write-ahead log has it.
final class DayIndex: Sendable {
    let signal: Signal
    /// Days since the Unix epoch.
    let day: Int64
    private let folder: String
    private let fileSystem: any FileSystem
    private let reporter: StoreReporter
    /// Taken last: nothing else is locked while it is held.
    private let state = Mutex(State())

    private struct State {
        /// nil: not read from the disk yet.
        var table: StreamTable?
        /// How many of its streams the file has.
        var persistedCount = 0
        /// Where the next record goes.
        var fileByteCount = 0
        /// The file could not be read: nothing may be written to it.
        var isUnreadable = false
        /// When it was last used, by the store's clock.
        var lastUse: Int64 = 0
    }

    init(signal: Signal, day: Int64, folder: String, fileSystem: any FileSystem, reporter: StoreReporter, isNew: Bool) {
        self.signal = signal
        self.day = day
        self.folder = folder
        self.fileSystem = fileSystem
        self.reporter = reporter
        if isNew { state.withLock { $0.table = StreamTable(signal: signal) } }
    }

    private var path: String { folder + "/index" }
    /// What the file's records are bound to (``RecordFraming``).
    private var fileNumber: UInt64 { UInt64(bitPattern: day) << 2 | UInt64(signal.rawValue) }

    /// Makes sure that the day has these streams.
    ///
    /// - Returns: the day's ids of them.
    func add(_ streams: [TelemetryStream]) -> [UInt64] {
        withTable { table in streams.map { table.add($0) } }
    }

    func add(_ stream: TelemetryStream) {
        withTable { table in _ = table.add(stream) }
    }

    /// The day's ids of streams, nil for those that the day does not have.
    func ids(of streams: [TelemetryStream]) -> [UInt64?] {
        withTable { table in streams.map { table.id(of: $0) } }
    }

    /// The streams that satisfy all matchers.
    func streams(_ matchers: [CompiledMatcher]) -> [TelemetryStream] {
        withTable { table in table.matching(matchers).values.map { table.streams[Int($0)] } }
    }

    func labelNames(_ matchers: [CompiledMatcher]) -> Set<String> {
        withTable { table in
            var names: Set<String> = []
            table.labelNames(matchers, into: &names)
            return names
        }
    }

    func labelValues(_ name: String, _ matchers: [CompiledMatcher]) -> Set<String> {
        withTable { table in
            var values: Set<String> = []
            table.labelValues(name, matchers, into: &values)
            return values
        }
    }

    /// Appends the streams that the file does not have yet, and syncs it. One thread at a time: the flush.
    func persist() throws(StoreError) {
        let missing = state.withLock { state -> (streams: [TelemetryStream], offset: Int)? in
            if state.isUnreadable {
                // Perhaps the disk has recovered.
                let known = state.table?.streams ?? []
                state.table = nil
                load(&state)
                for stream in known { _ = state.table?.add(stream) }
            }
            load(&state)
            guard let table = state.table, state.persistedCount < table.count else { return nil }
            return (Array(table.streams[state.persistedCount...]), state.isUnreadable ? -1 : state.fileByteCount)
        }
        guard let missing else { return }
        guard missing.offset >= 0 else {
            throw StoreError(.system, "the stream index \(path) cannot be read", remedy: "Mend the disk, or restore the file from a backup.")
        }
        let file = try fileSystem.open(path, .update)
        // What a failed attempt left behind.
        if try file.byteCount() > missing.offset { try file.truncate(to: missing.offset) }
        var bytes: [UInt8] = []
        var start = 0
        while start < missing.streams.count {
            let end = min(start + Limits.indexRecordStreamCountMax, missing.streams.count)
            let payload = Self.encode(missing.streams[start..<end])
            RecordFraming.append(payload, to: &bytes, offset: missing.offset + bytes.count, file: fileNumber)
            start = end
        }
        try file.write(bytes, at: missing.offset)
        try file.sync()
        if missing.offset == 0 { try fileSystem.syncFolder(folder) }
        let (byteCount, streamCount) = (bytes.count, missing.streams.count)
        state.withLock { state in
            state.fileByteCount = missing.offset + byteCount
            state.persistedCount += streamCount
        }
    }

    /// Lets go of the table of a day that nobody has used since `time`, if the file has all of it.
    func unload(unusedSince time: Int64) {
        state.withLock { state in
            guard let table = state.table, state.persistedCount == table.count, state.lastUse < time else { return }
            state.table = nil
        }
    }

    /// Notes that the day is in use now.
    func touch(_ now: Int64) {
        state.withLock { $0.lastUse = now }
    }

    /// The number of streams, if the table is in memory.
    var loadedCount: Int { state.withLock { $0.table?.count ?? 0 } }
    var fileByteCount: Int { state.withLock { $0.fileByteCount } }

    private func withTable<Result: Sendable>(_ body: (inout StreamTable) -> Result) -> Result {
        state.withLock { state in
            load(&state)
            guard var table = state.table.take() else { preconditionFailure("loading leaves a table") }
            let result = body(&table)
            state.table = table
            return result
        }
    }

    /// Reads the file. What cannot be read is reported and left out: the rest keeps serving.
    private func load(_ state: inout State) {
        guard state.table == nil else { return }
        var table = StreamTable(signal: signal)
        defer { state.table = table }
        state.isUnreadable = false
        let bytes: [UInt8]
        do {
            guard try fileSystem.list(folder).contains("index") else {
                (state.persistedCount, state.fileByteCount) = (0, 0)
                return
            }
            bytes = try fileSystem.contents(of: path)
        } catch {
            state.isUnreadable = true
            reporter.quarantine("the stream index \(path) cannot be read, its streams are not found until it can: \(error)")
            return
        }
        let walk = RecordWalk(bytes, from: 0, file: fileNumber)
        for damage in walk.damages {
            if damage.isTail {
                // What a crash leaves: no part has appeared that needs it, and the log still has its streams.
                reporter.warning("the stream index \(path) ends in \(damage.range.count) bytes of an unfinished record")
            } else {
                reporter.quarantine("the stream index \(path) is damaged at bytes \(damage.range): the streams there are not found")
            }
        }
        for payload in walk.payloads {
            do {
                for stream in try Self.decode(bytes, payload) { _ = table.add(stream) }
            } catch {
                reporter.quarantine("the stream index \(path) has a record at byte \(payload.lowerBound) that does not decode: \(error)")
            }
        }
        state.persistedCount = table.count
        state.fileByteCount = walk.end
    }

    private static func encode(_ streams: ArraySlice<TelemetryStream>) -> [UInt8] {
        var writer = TextTableWriter()
        writer.body.append(count: streams.count)
        for stream in streams {
            writer.body.append(fixed64: stream.id.value)
            writer.append(stream.labels)
            writer.append(stream.resource)
        }
        let plain = writer.bytes
        var payload: [UInt8] = []
        payload.append(count: plain.count)
        return payload + Compression.zstd.compress(plain.span)
    }

    private static func decode(_ bytes: [UInt8], _ range: Range<Int>) throws -> [TelemetryStream] {
        var header = ByteReader(bytes, range)
        let byteCount = try header.count("content", byteCountMin: 0)
        let plain = try Compression.zstd.decompress(bytes.span.extracting(header.offset..<range.upperBound), byteCountMax: byteCount)
        var reader = try TextTableReader(ByteReader(plain))
        let count = try reader.body.count("streams", byteCountMin: 10)
        var streams: [TelemetryStream] = []
        streams.reserveCapacity(count)
        for _ in 0..<count {
            let id = StreamID(try reader.body.fixed64("id"))
            streams.append(TelemetryStream(id: id, labels: try reader.labels(), resource: try reader.resource()))
        }
        return streams
    }
}
