import Codecs
import Telemetry

/// Decodes one `WriteRequest` in two passes: the first walks all series, takes the samples and the keys of the label sets; the second
/// decodes the labels of those series that the directory does not know.
///
/// Senders repeat the same label sets request after request, so that the second pass is usually empty.
struct RemoteWriteDecoder {
    private let directory: (any SeriesDirectory)?
    /// The directory's: nil where there is none.
    private let seed: SeriesKey.Seed?
    private var batch = TelemetryBatch()
    /// One row a sample, as ``MetricBatch`` has them.
    private var sampleSeries: [UInt32] = []
    private var timestamps: [Int64] = []
    private var values: [Double] = []
    /// By series: where its label fields lie, one after the other; empty where they do not lie together.
    private var labelRanges: [Range<Int>] = []
    /// By series: where its message lies.
    private var messages: [Range<Int>] = []
    private var keys: [SeriesKey] = []

    init(directory: (any SeriesDirectory)?) {
        self.directory = directory
        seed = directory?.seed
    }

    mutating func decode(_ bytes: Span<UInt8>) throws(DecodeError) -> TelemetryBatch {
        reserve(bytes.count)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: try series(try field.range("WriteRequest.timeseries"), bytes)
            case 3: batch.metrics.metadata.append(try RemoteWrite.metadata(try field.message("WriteRequest.metadata"), bytes))
            default: break
            }
        }
        batch.metrics.setSamples(series: sampleSeries, timestamps: timestamps, values: values)
        try resolve(bytes)
        return batch
    }

    /// Room for as many series as a request of this size usually has.
    private mutating func reserve(_ byteCount: Int) {
        let count = byteCount / 128
        messages.reserveCapacity(count)
        labelRanges.reserveCapacity(count)
        sampleSeries.reserveCapacity(count)
        timestamps.reserveCapacity(count)
        values.reserveCapacity(count)
        if seed != nil { keys.reserveCapacity(count) }
    }

    // MARK: First pass

    /// Takes the samples of one series, and the place and key of its labels.
    private mutating func series(_ message: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeError) {
        let index = UInt32(truncatingIfNeeded: messages.count)
        messages.append(message)
        let walk = SeriesWalk(message, bytes)
        var labels = walk.labels
        if let sample = walk.onlySample {
            append(index, sample)
        } else {
            var reader = ProtobufReader(walk.labels.upperBound..<message.upperBound)
            while let field = try reader.next(in: bytes) {
                switch field.number {
                // Labels behind other fields: protobuf promises no order.
                case 1: labels = message.lowerBound..<message.lowerBound
                case 2:
                    append(index, try Self.sample(try field.message("TimeSeries.samples"), bytes))
                case 3:
                    batch.metrics.exemplars.append((index, try RemoteWrite.exemplar(try field.message("TimeSeries.exemplars"), bytes)))
                case 4:
                    let (timestamp, histogram) = try RemoteWrite.histogram(field, bytes)
                    batch.metrics.histograms.append((index, timestamp, histogram))
                default: break
                }
            }
        }
        labelRanges.append(labels)
        if let seed { keys.append(SeriesKey(labels, in: bytes, seed: seed)) }
    }

    @inline(__always)
    private mutating func append(_ series: UInt32, _ sample: (timestamp: Int64, value: Double)) {
        sampleSeries.append(series)
        timestamps.append(sample.timestamp)
        values.append(sample.value)
    }

    private static func sample(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> (timestamp: Int64, value: Double) {
        var reader = message
        var (timestamp, value) = (Int64(0), 0.0)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: value = try field.double("Sample.value")
            case 2: timestamp = try field.int64("Sample.timestamp")
            default: break
            }
        }
        return (timestamp, value)
    }

    // MARK: Second pass

    private mutating func resolve(_ bytes: Span<UInt8>) throws(DecodeError) {
        guard let directory else {
            batch.metrics.series.reserveCapacity(messages.count)
            for index in messages.indices { batch.metrics.series.append(try labels(index, bytes)) }
            return
        }
        var handles = directory.find(keys)
        // Labels that do not lie together share the key of no bytes at all.
        for index in handles.indices where labelRanges[index].isEmpty { handles[index] = SeriesHandle(.max) }
        if handles.allSatisfy({ $0.value != .max }) {
            batch.metrics.setSeries(known: handles)
            return
        }
        var labels: [Labels] = []
        var newKeys: [SeriesKey?] = []
        labels.reserveCapacity(messages.count)
        newKeys.reserveCapacity(messages.count)
        for index in messages.indices {
            let isKnown = handles[index].value != .max
            labels.append(isKnown ? .empty : try self.labels(index, bytes))
            newKeys.append(isKnown || labelRanges[index].isEmpty ? nil : keys[index])
        }
        batch.metrics.setSeries(labels, handles: handles, keys: newKeys)
    }

    private func labels(_ index: Int, _ bytes: Span<UInt8>) throws(DecodeError) -> Labels {
        var reader = ProtobufReader(messages[index])
        var labels: [Label] = []
        labels.reserveCapacity(12)
        while let field = try reader.next(in: bytes) {
            if field.number == 1 { labels.append(try RemoteWrite.label(try field.message("TimeSeries.labels"), bytes)) }
        }
        guard !labels.isEmpty else {
            throw DecodeError(offset: messages[index].lowerBound, field: "TimeSeries.labels", "the series has no labels")
        }
        return Labels(labels)
    }
}

/// What a series looks like as every sender writes it: label fields, then one sample. Anything else is left to the caller's reader, which
/// also finds the words for what is broken.
private struct SeriesWalk {
    /// The label fields that the message begins with.
    private(set) var labels: Range<Int>
    /// Set where nothing but one sample follows them.
    private(set) var onlySample: (timestamp: Int64, value: Double)?

    @inline(__always)
    init(_ message: Range<Int>, _ bytes: Span<UInt8>) {
        // SAFETY: every read lies below `end`, which lies within the message and that within `bytes`.
        let (labelsEnd, sample) = bytes.withUnsafeBytes { raw -> (Int, (timestamp: Int64, value: Double)?) in
            let end = message.upperBound
            var offset = message.lowerBound
            while end &- offset >= 2, raw[offset] == 0x0a {
                let length = Int(raw[offset &+ 1])
                // A label of 128 bytes or more has a longer length: the slow path takes over from here.
                guard length < 0x80, length <= end &- offset &- 2 else { return (Self.longLabels(raw, offset, end), nil) }
                offset &+= 2 &+ length
            }
            return (offset, Self.sample(raw, offset, end))
        }
        labels = message.lowerBound..<labelsEnd
        onlySample = sample
    }

    /// Where the label fields from `offset` on end, some of which are long.
    private static func longLabels(_ raw: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int {
        var offset = start
        while end &- offset >= 2, raw[offset] == 0x0a {
            var (length, shift, next) = (0, 0, offset &+ 1)
            while next < end, shift < 35 {
                let byte = Int(raw[next])
                next &+= 1
                length |= (byte & 0x7f) &<< shift
                shift &+= 7
                if byte < 0x80 { break }
            }
            guard shift < 35, raw[next &- 1] < 0x80, length <= end &- next else { return offset }
            offset = next &+ length
        }
        return offset
    }

    /// The sample that is all of `offset..<end`: value, then timestamp, each once.
    @inline(__always)
    private static func sample(_ raw: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> (timestamp: Int64, value: Double)? {
        // Tag, length, tag and 8 bytes of the value, tag and at least one byte of the timestamp.
        guard end &- start >= 13, raw[start] == 0x12, Int(raw[start &+ 1]) == end &- start &- 2, raw[start &+ 2] == 0x09,
            raw[start &+ 11] == 0x10
        else { return nil }
        let value = Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start &+ 3, as: UInt64.self)))
        var (timestamp, shift, offset) = (UInt64(0), UInt64(0), start &+ 12)
        while offset < end {
            let byte = UInt64(raw[offset])
            offset &+= 1
            timestamp |= (byte & 0x7f) &<< shift
            shift &+= 7
            if byte < 0x80 { return offset == end ? (Int64(bitPattern: timestamp), value) : nil }
            if shift >= 63 { return nil }
        }
        return nil
    }
}
