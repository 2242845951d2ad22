import Codecs
package import Telemetry

extension RemoteWrite2 {
    /// Encodes a batch, whose series all have labels, as an uncompressed `Request`: one time series for each series of the batch,
    /// histograms as floating-point ones, and beside each series what is known of its family.
    ///
    /// Metadata of families that no series of the batch belongs to is left out: the message has no place for it.
    ///
    /// - Parameter families: by name; nil: those of ``MetricBatch/metadata``.
    package static func encode(_ batch: MetricBatch, families: [String: MetricMetadata]? = nil) -> [UInt8] {
        var encoder = RemoteWrite2Encoder(batch, families)
        return encoder.encode()
    }

    /// The names that the family of a metric may have, the likeliest first: series of histograms, summaries and OpenMetrics' counters and
    /// infos have suffixes that their families have not.
    package static func families(of metric: String) -> [String] {
        for suffix in ["_total", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_info"] where metric.hasSuffix(suffix) {
            return [metric, String(metric.dropLast(suffix.count))]
        }
        return [metric]
    }
}

/// Writes one request; symbols are numbered as they are met.
private struct RemoteWrite2Encoder {
    private let batch: MetricBatch
    private var symbols: [String: UInt32] = ["": 0]
    private var symbolList = [""]
    private let families: [String: MetricMetadata]
    /// By series and timestamp.
    private var starts: [StartKey: Int64] = [:]

    private struct StartKey: Hashable {
        var series: UInt32
        var timestamp: Int64
    }

    init(_ batch: MetricBatch, _ families: [String: MetricMetadata]?) {
        self.batch = batch
        self.families = families ?? Dictionary(batch.metadata.map { ($0.family, $0) }, uniquingKeysWith: { $1 })
        for row in batch.startTimes { starts[StartKey(series: row.series, timestamp: row.timestamp)] = row.start }
    }

    mutating func encode() -> [UInt8] {
        var body = ProtobufWriter()
        let rows = RemoteWrite.SeriesRows.of(batch)
        for (index, series) in batch.series.enumerated() {
            body.message(5) { write(series, UInt32(truncatingIfNeeded: index), rows[index], &$0) }
        }
        var writer = ProtobufWriter()
        for symbol in symbolList { writer.string(4, symbol, always: true) }
        return writer.bytes + body.bytes
    }

    private mutating func write(_ series: Labels, _ index: UInt32, _ rows: RemoteWrite.SeriesRows, _ writer: inout ProtobufWriter) {
        writer.packedUInt64s(1, references(series))
        for row in rows.samples {
            let timestamp = batch.timestamps[row]
            writer.message(2) { writer in
                writer.double(1, batch.values[row])
                writer.int64(2, timestamp)
                writer.int64(3, starts[StartKey(series: index, timestamp: timestamp)] ?? 0)
            }
        }
        for row in rows.histograms {
            let (_, timestamp, histogram) = batch.histograms[row]
            writer.message(3) { writer in
                RemoteWrite.write(histogram, timestamp, &writer)
                writer.int64(17, starts[StartKey(series: index, timestamp: timestamp)] ?? 0)
            }
        }
        for row in rows.exemplars {
            let exemplar = batch.exemplars[row].exemplar
            let labels = references(exemplar.labels)
            writer.message(4) { writer in
                writer.packedUInt64s(1, labels)
                writer.double(2, exemplar.value)
                writer.int64(3, exemplar.timestamp)
            }
        }
        if let metadata = metadata(series) {
            let (help, unit) = (symbol(metadata.help), symbol(metadata.unit))
            writer.message(5) { writer in
                writer.uint64(1, UInt64(RemoteWrite.kinds.firstIndex(of: metadata.kind) ?? 0))
                writer.uint64(3, help)
                writer.uint64(4, unit)
            }
        }
    }

    /// What is known of a series' family.
    private func metadata(_ series: Labels) -> MetricMetadata? {
        if families.isEmpty { return nil }
        guard let name = series[Labels.metricName] else { return nil }
        for family in RemoteWrite2.families(of: name) {
            if let metadata = families[family] { return metadata }
        }
        return nil
    }

    private mutating func references(_ labels: Labels) -> [UInt64] {
        var references: [UInt64] = []
        references.reserveCapacity(labels.count * 2)
        for label in labels.pairs {
            references.append(symbol(label.name))
            references.append(symbol(label.value))
        }
        return references
    }

    private mutating func symbol(_ text: String) -> UInt64 {
        if let number = symbols[text] { return UInt64(number) }
        let number = UInt32(truncatingIfNeeded: symbolList.count)
        symbols[text] = number
        symbolList.append(text)
        return UInt64(number)
    }
}
