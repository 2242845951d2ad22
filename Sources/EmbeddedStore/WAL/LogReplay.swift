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
    struct Outcome {
        /// The segments and their sizes.
        var segments: [UInt64: Int] = [:]
        var recordCount = 0
    }

    /// Replays all segments, oldest first. Damage is reported, skipped and counted; only the operating system stops it.
    func run() throws(StoreError) -> Outcome {
        var outcome = Outcome()
        let numbers = try fileSystem.list(folder).compactMap(LogSegment.number).sorted()
        for number in numbers {
            let path = folder + "/" + LogSegment.name(number)
            let bytes = try fileSystem.contents(of: path)
            outcome.segments[number] = bytes.count
            guard bytes.count >= LogSegment.headerByteCount, Array(bytes[..<LogSegment.headerByteCount]) == LogSegment.header(number) else {
                // A crash before the first sync leaves a segment without its head, and nothing in it was acknowledged.
                let isUnfinished = bytes.allSatisfy { $0 == 0 } || bytes.count < LogSegment.headerByteCount
                if isUnfinished && number == numbers.last {
                    reporter.info("\(path) is empty: the last process ended as it began it")
                    try fileSystem.remove(path)
                    outcome.segments[number] = 0
                    continue
                }
                reporter.quarantine("\(path) does not begin as a segment of the log: its head is damaged")
                replay(bytes, number, path, isLast: false, &outcome)
                continue
            }
            if let end = replay(bytes, number, path, isLast: number == numbers.last, &outcome) {
                let file = try fileSystem.open(path, .update)
                try file.truncate(to: end)
                try file.sync()
                outcome.segments[number] = end
            }
        }
        return outcome
    }

    /// - Returns: where to cut a torn tail.
    @discardableResult
    private func replay(_ bytes: [UInt8], _ number: UInt64, _ path: String, isLast: Bool, _ outcome: inout Outcome) -> Int? {
        let walk = RecordWalk(bytes, from: LogSegment.headerByteCount, file: number)
        var cut: Int?
        for damage in walk.damages {
            if damage.isTail, isLast {
                reporter.info("\(path) ends in \(damage.range.count) bytes of an unfinished record at byte \(damage.range.lowerBound): cut")
                cut = damage.range.lowerBound
            } else {
                reporter.quarantine("\(path) is damaged at bytes \(damage.range.lowerBound)..<\(damage.range.upperBound): skipped")
            }
        }
        var slots: [[UInt32: UInt32]] = Signal.allCases.map { _ in [:] }
        for payload in walk.payloads {
            do {
                try replay(ByteReader(bytes, payload), &slots)
                outcome.recordCount += 1
            } catch {
                reporter.quarantine("\(path) has a record at byte \(payload.lowerBound) that does not decode: \(error)")
            }
        }
        return cut
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
