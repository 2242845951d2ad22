import Telemetry

/// The segment being written: what has been synced, what waits, and which streams it has introduced.
///
/// A segment stands for itself: it introduces every stream before the first rows of it, so that any set of segments can be
/// replayed, whatever became of those before.
struct LogWriter: Sendable {
    private let folder: String
    private let fileSystem: any FileSystem
    private var number: UInt64
    /// nil: the segment `number` is not there yet.
    private var file: (any StoreFile)?
    /// Where the synced records end.
    private var syncedByteCount = 0
    /// Where the last acknowledged record ends, in this segment or one before.
    private var lastSynced: LogSegment.Position
    /// What the next commit writes.
    private var pending: [UInt8] = []
    /// By signal and slot: the segment that introduced the stream last.
    private var introducedIn: [[UInt64]] = Signal.allCases.map { _ in [] }

    init(folder: String, fileSystem: any FileSystem, nextNumber: UInt64, lastSynced: LogSegment.Position) {
        self.folder = folder
        self.fileSystem = fileSystem
        number = nextNumber
        self.lastSynced = lastSynced
    }

    /// Of `slots`, those whose streams the segment has not introduced; it is taken that the caller does so now.
    mutating func undefined(_ signal: Signal, _ slots: [UInt32]) -> [UInt32] {
        let index = Int(signal.rawValue)
        var unknown: [UInt32] = []
        for slot in slots {
            let slot = Int(slot)
            if slot >= introducedIn[index].count {
                let wanted = max(slot + 1, introducedIn[index].count * 2)
                introducedIn[index].append(contentsOf: repeatElement(0, count: wanted - introducedIn[index].count))
            }
            if introducedIn[index][slot] != number {
                introducedIn[index][slot] = number
                unknown.append(UInt32(slot))
            }
        }
        return unknown
    }

    /// Adds a record to the next commit.
    mutating func add(_ payload: [UInt8]) {
        let start = file == nil ? LogSegment.headerByteCount : syncedByteCount
        RecordFraming.append(payload, to: &pending, offset: start + pending.count, file: number)
    }

    /// Writes and syncs what was added.
    ///
    /// - Returns: the segment and its size.
    mutating func commit() throws(StoreError) -> (number: UInt64, byteCount: Int) {
        if file == nil {
            let made = try fileSystem.open(folder + "/" + LogSegment.name(number), .create)
            file = made
            syncedByteCount = 0
            try made.write(LogSegment(number: number, previous: lastSynced).header + pending, at: 0)
            try made.sync()
            try fileSystem.syncFolder(folder)
            syncedByteCount = LogSegment.headerByteCount + pending.count
        } else {
            try file?.write(pending, at: syncedByteCount)
            try file?.sync()
            syncedByteCount += pending.count
        }
        let committed = (number, syncedByteCount)
        lastSynced = LogSegment.Position(number: number, byteCount: syncedByteCount)
        pending.removeAll(keepingCapacity: pending.count <= 1 << 20)
        if syncedByteCount >= Limits.segmentByteCountMax { next() }
        return committed
    }

    /// Gives up what was added after a failed commit: nobody may depend on what a failed write or sync left in the file.
    ///
    /// - Returns: the number of the segment, whose file may still be there.
    mutating func abandon(_ reporter: StoreReporter) -> UInt64 {
        let abandoned = number
        pending = []
        do throws(StoreError) {
            if syncedByteCount == 0 {
                // Nothing of the segment was ever acknowledged.
                file = nil
                try fileSystem.remove(folder + "/" + LogSegment.name(number))
            } else {
                try file?.truncate(to: syncedByteCount)
                try file?.sync()
            }
        } catch {
            // The next segment's head says where this one's acknowledged records end.
            reporter.info("the end of \(LogSegment.name(number)) holds records that were refused: \(error)")
        }
        next()
        return abandoned
    }

    /// Makes the next record the first of a new segment, unless it is that already.
    ///
    /// - Returns: the number of the segment that the next record goes to.
    mutating func startNext() -> UInt64 {
        if file != nil { next() }
        return number
    }

    private mutating func next() {
        file = nil
        syncedByteCount = 0
        number += 1
    }
}
