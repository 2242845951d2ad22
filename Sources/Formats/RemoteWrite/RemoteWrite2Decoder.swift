import Codecs
import Telemetry

/// Decodes one `io.prometheus.write.v2.Request`: a pass over the request for symbols, one over the series that takes samples and the keys
/// of the label sets, and one over those series that the directory does not know, which decodes their labels.
///
/// A series' key is the hash of its symbols' hashes, in their order: it does not depend on the numbers that this request gave them.
struct RemoteWrite2Decoder {
    private let directory: (any SeriesDirectory)?
    private let seed: SeriesKey.Seed?
    private let cache: RemoteWriteMetadataCache?
    private var symbols = SymbolTable()
    private var rows = RemoteWriteRows()
    /// The label references of all series, one after the other, and where each series' end.
    private var references: [UInt32] = []
    private var referenceEnds: [Int] = []
    private var keys: [SeriesKey] = []
    private var metadata = SeriesMetadata()
    private var rejections = Rejections()
    /// The words of one key.
    private var words: [UInt64] = []

    init(directory: (any SeriesDirectory)?, metadata cache: RemoteWriteMetadataCache?) {
        self.directory = directory
        self.cache = cache
        seed = directory?.seed ?? cache?.seed
    }

    mutating func decode(_ bytes: Span<UInt8>) throws(DecodeError) -> RemoteWrite2.Decoded {
        let messages = try survey(bytes)
        for message in messages { try series(message, bytes) }
        var decoded = RemoteWrite2.Decoded()
        (decoded.batch.metadata, decoded.metadataKeys) = metadata.families(&symbols, cache, bytes)
        resolve(&decoded.batch, bytes)
        decoded.rejected = rejections.count
        decoded.complaint = rejections.message
        return decoded
    }

    /// Takes the symbols, and finds the series: protobuf promises no order, and a series may stand before its symbols.
    private mutating func survey(_ bytes: Span<UInt8>) throws(DecodeError) -> [Range<Int>] {
        var messages: [Range<Int>] = []
        messages.reserveCapacity(bytes.count / 48)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 4: symbols.append(try field.range("Request.symbols"), in: bytes, seed: seed)
            case 5: messages.append(try field.range("Request.timeseries"))
            default: break
            }
        }
        symbols.seal()
        rows.reserve(messages.count)
        references.reserveCapacity(messages.count * 16)
        referenceEnds.reserveCapacity(messages.count)
        if seed != nil { keys.reserveCapacity(messages.count) }
        return messages
    }

    // MARK: Series

    private mutating func series(_ message: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeError) {
        let index = UInt32(truncatingIfNeeded: referenceEnds.count)
        let start = references.count
        let before = rows.count
        var metadata: ProtobufReader?
        var reader = ProtobufReader(message)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: try append(field, "TimeSeries.labels_refs", bytes)
            case 2: try sample(index, try field.message("TimeSeries.samples"), bytes)
            case 3: try histogram(index, field, bytes)
            case 4: try exemplar(index, try field.message("TimeSeries.exemplars"), bytes)
            case 5: metadata = try field.message("TimeSeries.metadata")
            default: break
            }
        }
        referenceEnds.append(references.count)
        if seed != nil { keys.append(key(references[start...])) }
        if let metadata, let reading = try SeriesMetadata.Reading(metadata, bytes) {
            self.metadata.add(reading, references[start...], symbols)
        }
        if rows.count == before { rejections.note("the series at byte \(message.lowerBound) has neither samples nor histograms") }
    }

    private mutating func append(_ field: ProtobufField, _ name: StaticString, _ bytes: Span<UInt8>) throws(DecodeError) {
        if field.wireType == .varint {
            references.append(UInt32(clamping: field.rawValue))
            return
        }
        let range = try field.range(name)
        var offset = range.lowerBound
        while offset < range.upperBound {
            // Most tables have fewer than 128 symbols that many series share.
            let byte = bytes[offset]
            if byte < 0x80 {
                references.append(UInt32(byte))
                offset += 1
                continue
            }
            do throws(DecodeError) {
                references.append(UInt32(clamping: try Varint.read(bytes, at: &offset, end: range.upperBound)))
            } catch {
                throw DecodeError(offset: error.offset, field: "\(name)", error.message)
            }
        }
    }

    private mutating func sample(_ series: UInt32, _ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = message
        var (timestamp, value, start) = (Int64(0), 0.0, Int64(0))
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: value = try field.double("Sample.value")
            case 2: timestamp = try field.int64("Sample.timestamp")
            case 3: start = try field.int64("Sample.start_timestamp")
            default: break
            }
        }
        rows.append(series, timestamp, value)
        if start != 0 { rows.startTimes.append((series, timestamp, start)) }
    }

    private mutating func histogram(_ series: UInt32, _ field: ProtobufField, _ bytes: Span<UInt8>) throws(DecodeError) {
        let read = try RemoteWrite.wireHistogram(field, bytes)
        if let complaint = read.complaint {
            rejections.add(complaint.description)
            return
        }
        rows.histograms.append((series, read.timestamp, read.histogram))
        if read.startTimestamp != 0 { rows.startTimes.append((series, read.timestamp, read.startTimestamp)) }
    }

    private mutating func exemplar(_ series: UInt32, _ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = message
        var exemplar = Exemplar(labels: .empty, value: 0, timestamp: 0)
        let start = references.count
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: try append(field, "Exemplar.labels_refs", bytes)
            case 2: exemplar.value = try field.double("Exemplar.value")
            case 3: exemplar.timestamp = try field.int64("Exemplar.timestamp")
            default: break
            }
        }
        // A copy: a slice would make the next append copy all references.
        let own = Array(references[start...])
        references.removeSubrange(start...)
        do throws(LabelComplaint) {
            exemplar.labels = try symbols.labels(own[...], in: bytes)
            rows.exemplars.append((series, exemplar))
        } catch {
            rejections.add("the exemplar at byte \(message.offset): \(error.message)")
        }
    }

    /// The key of a series; the one of no labels where a reference leads nowhere.
    private mutating func key(_ references: ArraySlice<UInt32>) -> SeriesKey {
        guard let seed else { return SeriesKey(high: 0, low: 0) }
        words.removeAll(keepingCapacity: true)
        let count = symbols.count
        for reference in references {
            guard Int(reference) < count else { return SeriesKey(high: 0, low: 0) }
            let key = symbols.keys[Int(reference)]
            words.append(key.high)
            words.append(key.low)
        }
        return words.withUnsafeBytes { SeriesKey($0, seed: seed) }
    }

    // MARK: Labels

    private mutating func resolve(_ batch: inout MetricBatch, _ bytes: Span<UInt8>) {
        let count = referenceEnds.count
        var handles = directory?.find(keys) ?? []
        if !handles.isEmpty || count == 0, handles.allSatisfy({ $0 != .unknown }) {
            rows.move(to: &batch)
            batch.setSeries(known: handles)
            return
        }
        var labels: [Labels] = []
        labels.reserveCapacity(count)
        var isRejected: [Bool] = []
        var start = 0
        for index in 0..<count {
            let end = referenceEnds[index]
            defer { start = end }
            if index < handles.count, handles[index] != .unknown {
                labels.append(.empty)
                continue
            }
            do throws(LabelComplaint) {
                labels.append(try seriesLabels(references[start..<end], bytes))
            } catch {
                if isRejected.isEmpty { isRejected = [Bool](repeating: false, count: count) }
                isRejected[index] = true
                labels.append(.empty)
                rejections.add("series \(index): \(error.message)", count: max(1, rows.count(of: UInt32(index))))
            }
        }
        if !isRejected.isEmpty {
            rows.remove(isRejected)
            labels = zip(labels, isRejected).filter { !$0.1 }.map(\.0)
            handles = zip(handles, isRejected).filter { !$0.1 }.map(\.0)
            if seed != nil { keys = zip(keys, isRejected).filter { !$0.1 }.map(\.0) }
        }
        rows.move(to: &batch)
        if directory == nil {
            batch.series = labels
        } else {
            batch.setSeries(labels, handles: handles, keys: zip(handles, keys).map { $0.0 == .unknown ? $0.1 : nil })
        }
    }

    private mutating func seriesLabels(_ references: ArraySlice<UInt32>, _ bytes: Span<UInt8>) throws(LabelComplaint) -> Labels {
        let labels = try symbols.labels(references, in: bytes)
        guard labels[Labels.metricName] != nil else { throw LabelComplaint("it has no label __name__") }
        return labels
    }
}
