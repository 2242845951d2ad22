import Codecs
import Synchronization
import Telemetry

/// Log rows of a memtable's stream that are not added to any more. Readers find them as a block of a part is found: the first one
/// that comes takes the lines apart, and those after it profit.
final class MemtableLogs: Sendable {
    /// In the order in which they came.
    let times: [Int64]
    let columns: LogColumns
    private let block = Mutex<Block?>(nil)

    /// The rows in the order of time, encoded.
    struct Block: Sendable {
        var outline: LogBlockOutline
        var bytes: [UInt8]
        var range: TimeRange

        var reader: LogBlockReader { LogBlockReader(outline, LogSectionSource(bytes, at: 0)) }
    }

    /// Rows that come one by one are gathered until so many are there.
    static let rowCountMax = 2048
    static let byteCountMax = 1 << 20
    /// Fewer are read as they are.
    static let rowCountMin = 16

    init(times: [Int64], columns: LogColumns) {
        self.times = times
        self.columns = columns
    }

    /// The rows in the order of time, without duplicates.
    var run: Run { Run(timestamps: times, rows: .logs(columns)).ordered() }

    /// Encodes them, or finds that done. nil where that cannot be.
    func encoded() -> Block? {
        block.withLock { block in
            if let block { return block }
            let run = run
            guard case .logs(let columns) = run.rows, let first = run.timestamps.first, let last = run.timestamps.last else { return nil }
            var bytes: [UInt8] = []
            LogBlock.encode(columns, timestamps: run.timestamps, to: &bytes)
            guard let outline = try? LogBlockOutline(bytes, 0..<bytes.count, byteCount: bytes.count, rowCount: run.count) else { return nil }
            let made = Block(outline: outline, bytes: bytes, range: TimeRange(first, last))
            block = made
            return made
        }
    }
}

extension Memtable.Stream {
    /// Closes the rows that came last: readers keep them, and appends go on without copying them.
    mutating func sealLogs() {
        var (times, columns) = (self.times, logs)
        // Readers that come often would leave many small pieces.
        while let last = sealedLogs.last, last.times.count + times.count <= MemtableLogs.rowCountMax / 2 || last.times.count < times.count,
            last.times.count + times.count <= MemtableLogs.rowCountMax
        {
            sealedLogs.removeLast()
            times = last.times + times
            var joined = last.columns
            joined.append(columns)
            columns = joined
        }
        sealedLogs.append(MemtableLogs(times: times, columns: columns))
        self.times = []
        logs = LogColumns()
    }

    /// All log rows, in the order in which they came.
    var logRun: Run {
        guard let first = sealedLogs.first else { return Run(timestamps: times, rows: .logs(logs)) }
        var (times, columns) = (first.times, first.columns)
        columns.bytes.reserveCapacity(sealedLogs.reduce(logs.bytes.count) { $0 + $1.columns.bytes.count })
        for piece in sealedLogs.dropFirst() {
            times += piece.times
            columns.append(piece.columns)
        }
        times += self.times
        columns.append(logs)
        return Run(timestamps: times, rows: .logs(columns))
    }
}
