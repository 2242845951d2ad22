import Codecs
import Telemetry

/// What a record of the write-ahead log says. Byte for byte: docs/format/wal.md, "Payloads".
enum LogRecord {
    /// Streams, before the first record of the segment that names their slots.
    static let streamsType: UInt8 = 1
    /// The rows of one append.
    static let rowsType: UInt8 = 2

    private enum Section: UInt8 {
        case floats = 1
        case histograms = 2
        case exemplars = 3
        case metadata = 4
        case logs = 5
        case spans = 6
        case profiles = 7
    }

    // MARK: Streams

    static func encode(_ signal: Signal, _ streams: [(slot: UInt32, stream: TelemetryStream)]) -> [UInt8] {
        var writer = TextTableWriter()
        writer.body.append(count: streams.count)
        for (slot, stream) in streams {
            writer.body.append(varint: UInt64(slot))
            writer.append(stream.labels)
            writer.append(stream.resource)
        }
        return [streamsType, signal.rawValue] + writer.bytes
    }

    static func decodeStreams(
        _ reader: ByteReader
    ) throws(DecodeError) -> (signal: Signal, streams: [(slot: UInt32, labels: Labels, resource: Resource)]) {
        var reader = reader
        guard let signal = Signal(rawValue: try reader.byte("signal")) else {
            throw DecodeError(offset: reader.offset, field: "signal", "unknown")
        }
        var table = try TextTableReader(reader)
        let count = try table.body.count("streams", byteCountMin: 3)
        var streams: [(slot: UInt32, labels: Labels, resource: Resource)] = []
        streams.reserveCapacity(count)
        for _ in 0..<count {
            streams.append((try table.body.uint32("slot"), try table.labels(), try table.resource()))
        }
        return (signal, streams)
    }

    // MARK: Rows

    static func encode(_ batch: PreparedBatch) -> [UInt8] {
        var bytes: [UInt8] = [rowsType]
        if !batch.floatSlots.isEmpty { append(.floats, encodeFloats(batch), to: &bytes) }
        if !batch.histograms.isEmpty {
            append(.histograms, batch.histograms, to: &bytes) { row, writer in
                writer.body.append(varint: UInt64(row.slot))
                writer.body.append(signed: row.timestamp)
                writer.append(row.histogram)
            }
        }
        if !batch.exemplars.isEmpty {
            append(.exemplars, batch.exemplars, to: &bytes) { row, writer in
                writer.body.append(varint: UInt64(row.slot))
                writer.append(row.exemplar)
            }
        }
        if !batch.metadata.isEmpty { append(.metadata, batch.metadata, to: &bytes) { row, writer in writer.append(row) } }
        append(.logs, batch.logs, to: &bytes) { row, writer in writer.append(row) }
        append(.spans, batch.spans, to: &bytes) { row, writer in writer.append(row) }
        append(.profiles, batch.profiles, to: &bytes) { row, writer in writer.append(row) }
        return bytes
    }

    /// Rows as they stood in the record: with the slots of the process that wrote it.
    static func decodeRows(_ reader: ByteReader) throws(DecodeError) -> PreparedBatch {
        var reader = reader
        var batch = PreparedBatch()
        while !reader.isAtEnd {
            let type = try reader.byte("section")
            guard let section = Section(rawValue: type) else {
                throw DecodeError(offset: reader.offset, field: "section", "type \(type) is unknown")
            }
            let body = ByteReader(reader.bytes, try reader.take(try reader.count("section"), "section"))
            switch section {
            case .floats: try decodeFloats(body, into: &batch)
            case .histograms:
                try decode(body) { table throws(DecodeError) in
                    let slot = try table.body.uint32("slot")
                    batch.histograms.append((slot, try table.body.signed("timestamp"), try table.histogram()))
                    batch.metricSlots.append(slot)
                }
            case .exemplars:
                try decode(body) { table throws(DecodeError) in
                    let slot = try table.body.uint32("slot")
                    batch.exemplars.append((slot, try table.exemplar()))
                    batch.metricSlots.append(slot)
                }
            case .metadata: try decode(body) { table throws(DecodeError) in batch.metadata.append(try table.metadata()) }
            case .logs: batch.logs += try decodeGroups(body) { table throws(DecodeError) in try table.logEntry() }
            case .spans: batch.spans += try decodeGroups(body) { table throws(DecodeError) in try table.span() }
            case .profiles: batch.profiles += try decodeGroups(body) { table throws(DecodeError) in try table.profile() }
            }
        }
        return batch
    }

    // MARK: Sections

    private static func append(_ section: Section, _ body: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(section.rawValue)
        bytes.append(count: body.count)
        bytes += body
    }

    private static func append<Row>(
        _ section: Section, _ rows: [Row], to bytes: inout [UInt8], _ write: (Row, inout TextTableWriter) -> Void
    ) {
        var writer = TextTableWriter()
        writer.body.append(count: rows.count)
        for row in rows { write(row, &writer) }
        append(section, writer.bytes, to: &bytes)
    }

    private static func append<Row>(
        _ section: Section, _ groups: [PreparedBatch.Group<Row>], to bytes: inout [UInt8], _ write: (Row, inout TextTableWriter) -> Void
    ) {
        guard !groups.isEmpty else { return }
        var writer = TextTableWriter()
        writer.body.append(count: groups.count)
        for group in groups {
            writer.body.append(varint: UInt64(group.slot))
            writer.body.append(count: group.rows.count)
            for row in group.rows { write(row, &writer) }
        }
        append(section, writer.bytes, to: &bytes)
    }

    private static func decode(
        _ body: ByteReader, _ read: (inout TextTableReader) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        var table = try TextTableReader(body)
        for _ in 0..<(try table.body.count("rows")) { try read(&table) }
    }

    private static func decodeGroups<Row>(
        _ body: ByteReader, _ read: (inout TextTableReader) throws(DecodeError) -> Row
    ) throws(DecodeError) -> [PreparedBatch.Group<Row>] {
        var table = try TextTableReader(body)
        var groups: [PreparedBatch.Group<Row>] = []
        for _ in 0..<(try table.body.count("streams", byteCountMin: 2)) {
            var group = PreparedBatch.Group<Row>(slot: try table.body.uint32("slot"), rows: [])
            let count = try table.body.count("rows")
            group.rows.reserveCapacity(count)
            for _ in 0..<count { group.rows.append(try read(&table)) }
            groups.append(group)
        }
        return groups
    }

    /// A row: how far its slot is from the one before, whether the value is an integer; how far its time is; the value.
    private static func encodeFloats(_ batch: PreparedBatch) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(batch.floatSlots.count * 8 + 16)
        bytes.append(count: batch.floatSlots.count)
        var (slot, time) = (Int64(0), Int64(0))
        for row in batch.floatSlots.indices {
            let value = batch.floatValues[row]
            // Integers below 2^53 are exact; -0 is no integer here, for it would come back as 0.
            let integer = abs(value) < 9_007_199_254_740_992 ? Int64(value) : 0
            let isInteger = Double(integer).bitPattern == value.bitPattern
            let nextSlot = Int64(batch.floatSlots[row])
            Varint.append(Varint.zigzag(nextSlot - slot) << 1 | (isInteger ? 1 : 0), to: &bytes)
            Varint.appendSigned(batch.floatTimes[row] &- time, to: &bytes)
            if isInteger { Varint.appendSigned(integer, to: &bytes) } else { bytes.append(double: value) }
            (slot, time) = (nextSlot, batch.floatTimes[row])
        }
        return bytes
    }

    private static func decodeFloats(_ body: ByteReader, into batch: inout PreparedBatch) throws(DecodeError) {
        var body = body
        let count = try body.count("rows", byteCountMin: 3)
        batch.floatSlots.reserveCapacity(count)
        batch.floatTimes.reserveCapacity(count)
        batch.floatValues.reserveCapacity(count)
        var (slot, time) = (Int64(0), Int64(0))
        for _ in 0..<count {
            let head = try body.varint("slot")
            slot = slot &+ Varint.unzigzag(head >> 1)
            guard let exact = UInt32(exactly: slot) else { throw DecodeError(offset: body.offset, field: "slot", "beyond 32 bits") }
            time = time &+ (try body.signed("timestamp"))
            batch.floatSlots.append(exact)
            batch.floatTimes.append(time)
            batch.floatValues.append(head & 1 == 1 ? Double(try body.signed("value")) : try body.double("value"))
        }
        batch.metricSlots += batch.floatSlots
    }
}
