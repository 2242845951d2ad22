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
        case state = 8
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
        if !batch.floatSlots.isEmpty { append(.floats, FloatRowCodec.encode(batch), to: &bytes) }
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
        if !batch.logs.isEmpty { append(.logs, LogRowCodec.encode(batch.logs), to: &bytes) }
        append(.spans, batch.spans, to: &bytes) { row, writer in writer.append(row) }
        append(.profiles, batch.profiles, to: &bytes) { row, writer in writer.append(row) }
        if !batch.state.isEmpty { append(.state, batch.state, to: &bytes) { change, writer in writer.append(change) } }
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
            case .floats: try FloatRowCodec.decode(body, into: &batch)
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
            case .logs: batch.logs += try LogRowCodec.decode(body)
            case .spans: batch.spans += try decodeGroups(body) { table throws(DecodeError) in try table.span() }
            case .profiles: batch.profiles += try decodeGroups(body) { table throws(DecodeError) in try table.profile() }
            case .state: try decode(body) { table throws(DecodeError) in batch.state.append(try table.stateChange()) }
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
}
