import Codecs
import Glibc
import Synchronization
import Telemetry

/// Lines that a remote server does not have yet, in files of a folder: written by one, read by another, bounded.
///
/// A record is written and synced first, and counts only once the commit that it belongs to has succeeded elsewhere: what lies
/// behind the last commit is cut off at the next start. Byte for byte: docs/format/spool.md. All of it blocks on the disk.
final class Spool: Sendable {
    /// Where a record stands.
    struct Position: Sendable, Hashable {
        var segment: UInt64
        var offset: Int
    }

    /// A record that the reader has in hands.
    struct Item: Sendable {
        var record: SpoolRecord
        /// Where the next one stands.
        var next: Position
    }

    /// What was dropped because the spool was full.
    struct Loss: Sendable, Hashable {
        var entryCount = 0
        var byteCount = 0
    }

    private struct Segment: Sendable {
        var number: UInt64
        var byteCount: Int
        var entryCount = 0
        var lineByteCount = 0
    }

    private struct State: Sendable {
        /// Oldest first; the last one is written to.
        var segments: [Segment] = []
        /// What is to be sent next.
        var head = Position(segment: 0, offset: 0)
        /// Bytes and contents of the record that is written and not committed yet.
        var pending: (byteCount: Int, entryCount: Int, lineByteCount: Int)?
        var file: SpoolFile?
    }

    private let folder: String
    private let byteCountMax: Int
    private let segmentByteCount: Int
    private let state: Mutex<State>
    /// Tells the reader that there is something to read.
    let signal = WakeUp()

    /// Opens the spool in a folder, which is made where it does not exist.
    ///
    /// - Parameter committed: the number of the last commit that succeeded: later records are cut off.
    init(folder: String, byteCountMax: Int, committed: UInt64) throws(StoreError) {
        self.folder = folder
        self.byteCountMax = byteCountMax
        segmentByteCount = min(8 << 20, max(byteCountMax / 4, 64 << 10))
        try SpoolFile.makeFolder(folder)
        var state = State()
        for name in try SpoolFile.list(folder) {
            guard let number = Self.number(name) else { continue }
            state.segments.append(try Self.scan(Self.path(folder, number), number, committed: committed))
        }
        state.segments.sort { $0.number < $1.number }
        let kept = Self.readHead(folder)
        let first = state.segments.first?.number ?? kept.segment + 1
        state.head = kept.segment >= first ? kept : Position(segment: first, offset: 0)
        if state.segments.isEmpty { state.segments = [Segment(number: max(first, kept.segment + 1), byteCount: 0)] }
        if state.head.segment > state.segments[state.segments.count - 1].number {
            state.head = Position(segment: state.segments[state.segments.count - 1].number, offset: 0)
        }
        self.state = Mutex(state)
    }

    // MARK: Writing

    /// Writes and syncs a record, over one that was written and not committed. It is not to be read before ``commit()``.
    ///
    /// - Returns: what had to be dropped to make room.
    func write(_ record: SpoolRecord) throws(StoreError) -> Loss {
        let payload = record.encoded
        return try state.withLock { state throws(StoreError) in
            let frameByteCount = payload.count + SpoolFrame.headerByteCount
            if let last = state.segments.last, last.byteCount > 0, last.byteCount + frameByteCount > segmentByteCount {
                state.file = nil
                state.segments.append(Segment(number: last.number + 1, byteCount: 0))
            }
            let loss = try makeRoom(frameByteCount, &state)
            guard let last = state.segments.last else { return loss }
            if state.file == nil {
                state.file = try SpoolFile(Self.path(folder, last.number), creates: true)
                try SpoolFile.syncFolder(folder)
            }
            guard let file = state.file else { return loss }
            try file.write(SpoolFrame.frame(payload, segment: last.number, offset: last.byteCount), at: last.byteCount)
            try file.truncate(to: last.byteCount + frameByteCount)
            try file.sync()
            state.pending = (frameByteCount, record.batch.entryCount, record.batch.lineByteCount)
            return loss
        }
    }

    /// The record written last counts from now on.
    func commit() {
        state.withLock { state in
            guard let pending = state.pending, let index = state.segments.indices.last else { return }
            state.segments[index].byteCount += pending.byteCount
            state.segments[index].entryCount += pending.entryCount
            state.segments[index].lineByteCount += pending.lineByteCount
            state.pending = nil
        }
        signal.send()
    }

    /// Drops the oldest segments until so many bytes fit.
    private func makeRoom(_ byteCount: Int, _ state: inout State) throws(StoreError) -> Loss {
        var loss = Loss()
        while state.segments.count > 1, state.segments.reduce(0, { $0 + $1.byteCount }) + byteCount > byteCountMax {
            let oldest = state.segments[0]
            try SpoolFile.remove(Self.path(folder, oldest.number))
            state.segments.removeFirst()
            // What of it was sent already is not lost: how much that is, only its bytes say.
            let unsent =
                state.head.segment == oldest.number
                ? Double(max(0, oldest.byteCount - state.head.offset)) / Double(max(oldest.byteCount, 1))
                : state.head.segment > oldest.number ? 0 : 1
            loss.entryCount += Int((Double(oldest.entryCount) * unsent).rounded())
            loss.byteCount += Int((Double(oldest.lineByteCount) * unsent).rounded())
            if state.head.segment <= oldest.number { state.head = Position(segment: state.segments[0].number, offset: 0) }
        }
        return loss
    }

    // MARK: Reading

    /// Where the next record to be sent stands.
    var head: Position { state.withLock { $0.head } }

    /// Bytes on the disk that are not sent yet.
    var waitingByteCount: Int {
        state.withLock { state in
            state.segments.reduce(0) { sum, segment in
                sum + (segment.number < state.head.segment ? 0 : segment.byteCount - (segment.number == state.head.segment ? state.head.offset : 0))
            }
        }
    }

    /// The committed record at a position, or the first one behind it that is whole; nil where there is none yet.
    func read(at position: Position) throws(StoreError) -> Item? {
        var position = position
        while true {
            let segment = state.withLock { state -> (Segment, isLast: Bool)? in
                guard let index = state.segments.firstIndex(where: { $0.number >= position.segment }) else { return nil }
                return (state.segments[index], index == state.segments.count - 1)
            }
            guard let (found, isLast) = segment else { return nil }
            if found.number > position.segment { position = Position(segment: found.number, offset: 0) }
            if position.offset < found.byteCount {
                let file = try SpoolFile(Self.path(folder, found.number), creates: false)
                if let (payload, end) = try SpoolFrame.read(file, segment: found.number, offset: position.offset),
                    end <= found.byteCount, let record = try? SpoolRecord(payload)
                {
                    return Item(record: record, next: Position(segment: found.number, offset: end))
                }
                // Damaged: nothing behind it can be found in this segment.
            } else if isLast {
                return nil
            }
            if isLast { return nil }
            position = Position(segment: found.number + 1, offset: 0)
        }
    }

    /// Everything before a position has been sent: files without anything else are removed.
    func acknowledge(_ position: Position) throws(StoreError) {
        let finished = state.withLock { state -> [UInt64] in
            guard (position.segment, position.offset) > (state.head.segment, state.head.offset) else { return [] }
            state.head = position
            var finished: [UInt64] = []
            while state.segments.count > 1, state.segments[0].number < position.segment {
                finished.append(state.segments.removeFirst().number)
            }
            return finished
        }
        try Self.writeHead(head, folder)
        for number in finished { try SpoolFile.remove(Self.path(folder, number)) }
    }

    // MARK: Files

    private static func path(_ folder: String, _ number: UInt64) -> String { "\(folder)/\(name(number))" }

    private static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".spool"
    }

    private static func number(_ name: String) -> UInt64? {
        name.hasSuffix(".spool") ? UInt64(name.dropLast(6)) : nil
    }

    /// Finds the records of a segment; what belongs to no commit, or is damaged at the end, is cut off.
    private static func scan(_ path: String, _ number: UInt64, committed: UInt64) throws(StoreError) -> Segment {
        let file = try SpoolFile(path, creates: false)
        var segment = Segment(number: number, byteCount: 0)
        while let (payload, end) = try SpoolFrame.read(file, segment: number, offset: segment.byteCount) {
            guard let head = try? SpoolRecord.head(payload), head.sequence <= committed else { break }
            segment.byteCount = end
            segment.entryCount += head.entryCount
            segment.lineByteCount += head.lineByteCount
        }
        if try file.byteCount() > segment.byteCount { try file.truncate(to: segment.byteCount) }
        return segment
    }

    /// `segment offset checksum`, which is as good as not there where it is damaged: then lines are sent again.
    private static func readHead(_ folder: String) -> Position {
        guard let bytes = try? SpoolFile(folder + "/sent", creates: false).read(at: 0, count: 64) else { return Position(segment: 0, offset: 0) }
        let parts = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard parts.count == 3, let segment = UInt64(parts[0]), let offset = Int(parts[1]), offset >= 0,
            UInt32(parts[2]) == CRC32C.checksum(Array("\(segment) \(offset)".utf8).span)
        else { return Position(segment: 0, offset: 0) }
        return Position(segment: segment, offset: offset)
    }

    private static func writeHead(_ head: Position, _ folder: String) throws(StoreError) {
        let text = "\(head.segment) \(head.offset)"
        let line = "\(text) \(CRC32C.checksum(Array(text.utf8).span))"
        // Always as long: an overwritten longer text leaves nothing behind.
        let padded = line + String(repeating: " ", count: max(0, 63 - line.utf8.count)) + "\n"
        try SpoolFile(folder + "/sent", creates: true).write(Array(padded.utf8), at: 0)
    }
}
