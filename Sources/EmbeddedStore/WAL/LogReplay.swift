import Codecs
import Telemetry

/// Reads the segments that the last process left and puts their rows into the memtables.
struct LogReplay {
    let folder: String
    let fileSystem: any FileSystem
    let registries: [StreamRegistry]
    let reporter: StoreReporter
    let apply: (PreparedBatch) -> Void

    /// What was found.
    struct Outcome: Sendable {
        /// The segments and their sizes.
        var segments: [UInt64: Int] = [:]
        var recordCount = 0
        /// The number of the next segment.
        var nextNumber: UInt64 = 1
        /// Where the last record ends.
        var lastSynced = LogSegment.Position()
    }

    /// What the segments' heads say.
    private struct Plan {
        /// Where a segment's acknowledged records end, where a later one says it.
        var ends: [UInt64: Int] = [:]
        /// Segments without anything acknowledged.
        var refused: Set<UInt64> = []
        /// The last segment whose head is whole: only there and behind it may a crash have torn a record.
        var last: UInt64 = 0
    }

    /// Replays all segments, oldest first. Damage is reported, skipped and counted; only the operating system stops it.
    func run() throws(StoreError) -> Outcome {
        var outcome = Outcome()
        let numbers = try fileSystem.list(folder).compactMap(LogSegment.number).sorted()
        let plan = try plan(numbers)
        for number in numbers {
            outcome.nextNumber = number + 1
            if plan.refused.contains(number) {
                try fileSystem.remove(path(number))
            } else {
                try replay(number, plan, &outcome)
            }
        }
        return outcome
    }

    private func path(_ number: UInt64) -> String { folder + "/" + LogSegment.name(number) }

    private func plan(_ numbers: [UInt64]) throws(StoreError) -> Plan {
        var plan = Plan()
        for number in numbers {
            let head = try fileSystem.open(path(number), .read).read(at: 0, count: LogSegment.headerByteCount)
            guard let segment = LogSegment(head, number: number) else { continue }
            plan.last = number
            plan.ends[segment.previous.number] = segment.previous.byteCount
            plan.refused.formUnion(numbers.filter { segment.previous.number < $0 && $0 < number })
        }
        return plan
    }

    private func replay(_ number: UInt64, _ plan: Plan, _ outcome: inout Outcome) throws(StoreError) {
        let path = path(number)
        var bytes = try fileSystem.contents(of: path)
        let fileByteCount = bytes.count
        if let end = plan.ends[number] {
            if end > bytes.count {
                reporter.quarantine("\(path) has \(bytes.count) bytes of \(end): its end is missing", .log, path: path, offset: bytes.count)
            }
            bytes.removeLast(max(0, bytes.count - end))
        }
        let mayBeTorn = number >= plan.last && plan.ends[number] == nil
        let walk = RecordWalk(bytes, from: min(LogSegment.headerByteCount, bytes.count), file: number)
        if LogSegment(bytes, number: number) == nil {
            if mayBeTorn, walk.payloads.isEmpty {
                reporter.info("\(path) was never finished, and nothing in it was acknowledged: removed")
                try fileSystem.remove(path)
                return
            }
            reporter.quarantine("\(path) is damaged at byte 0: it does not begin as a segment of the log", .log, path: path, offset: 0)
        }
        var end = bytes.count
        for damage in walk.damages {
            if damage.isTail, mayBeTorn {
                reporter.info("\(path) ends in \(damage.range.count) bytes of an unfinished record at byte \(damage.range.lowerBound): cut")
                end = damage.range.lowerBound
            } else {
                let found = RecordFraming.explain(bytes, at: damage.range.lowerBound, file: number)
                reporter.quarantine(
                    "\(path) is damaged at bytes \(damage.range) (\(found)): skipped", .log, path: path, offset: damage.range.lowerBound)
            }
        }
        var slots: [[UInt32: UInt32]] = Signal.allCases.map { _ in [:] }
        for payload in walk.payloads {
            do {
                try replay(ByteReader(bytes, payload), &slots)
                outcome.recordCount += 1
            } catch {
                reporter.quarantine(
                    "\(path) has a record at byte \(payload.lowerBound) that does not decode: \(error)", .log, path: path,
                    offset: payload.lowerBound)
            }
        }
        if end < fileByteCount {
            let file = try fileSystem.open(path, .update)
            try file.truncate(to: end)
            try file.sync()
        }
        outcome.segments[number] = end
        outcome.lastSynced = LogSegment.Position(number: number, byteCount: end)
    }

    /// - Parameter slots: by signal, the slots of this process by those of the one that wrote the segment.
    private func replay(_ reader: ByteReader, _ slots: inout [[UInt32: UInt32]]) throws(DecodeError) {
        var reader = reader
        let type = try reader.byte("type")
        switch type {
        case LogRecord.streamsType:
            let (signal, streams) = try LogRecord.decodeStreams(reader)
            let index = Int(signal.rawValue)
            let own = registries[index].slots(for: streams.map { ($0.labels, $0.resource) })
            for (stream, slot) in zip(streams, own) { slots[index][stream.slot] = slot }
        case LogRecord.rowsType: apply(try renumber(LogRecord.decodeRows(reader), slots))
        default: throw DecodeError(offset: reader.offset, field: "type", "\(type) is unknown")
        }
    }

    private func renumber(_ batch: PreparedBatch, _ slots: [[UInt32: UInt32]]) throws(DecodeError) -> PreparedBatch {
        var batch = batch
        func own(_ signal: Signal, _ slot: UInt32) throws(DecodeError) -> UInt32 {
            guard let own = slots[Int(signal.rawValue)][slot] else {
                throw DecodeError(offset: 0, field: "slot", "\(slot) of \(signal.name) was never introduced: the record that did so is lost")
            }
            return own
        }
        for row in batch.floatSlots.indices { batch.floatSlots[row] = try own(.metrics, batch.floatSlots[row]) }
        for row in batch.histograms.indices { batch.histograms[row].slot = try own(.metrics, batch.histograms[row].slot) }
        for row in batch.exemplars.indices { batch.exemplars[row].slot = try own(.metrics, batch.exemplars[row].slot) }
        for row in batch.logs.indices { batch.logs[row].slot = try own(.logs, batch.logs[row].slot) }
        for row in batch.spans.indices { batch.spans[row].slot = try own(.spans, batch.spans[row].slot) }
        for row in batch.profiles.indices { batch.profiles[row].slot = try own(.profiles, batch.profiles[row].slot) }
        batch.metricSlots = []
        return batch
    }
}
