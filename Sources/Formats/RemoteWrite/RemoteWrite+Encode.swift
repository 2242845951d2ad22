package import Telemetry
import Codecs

extension RemoteWrite {
    /// Encodes a batch as an uncompressed `WriteRequest`: one time series for each series of the batch, histograms as
    /// floating-point ones.
    package static func encode(_ batch: MetricBatch) -> [UInt8] {
        let rows = SeriesRows.of(batch)
        var writer = ProtobufWriter()
        for (series, rows) in zip(batch.series, rows) {
            writer.message(1) { writer in
                write(series, 1, &writer)
                for row in rows.samples {
                    writer.message(2) { writer in
                        writer.double(1, batch.values[row])
                        writer.int64(2, batch.timestamps[row])
                    }
                }
                for row in rows.exemplars {
                    let exemplar = batch.exemplars[row].exemplar
                    writer.message(3) { writer in
                        write(exemplar.labels, 1, &writer)
                        writer.double(2, exemplar.value)
                        writer.int64(3, exemplar.timestamp)
                    }
                }
                for row in rows.histograms {
                    let (_, timestamp, histogram) = batch.histograms[row]
                    writer.message(4) { write(histogram, timestamp, &$0) }
                }
            }
        }
        for metadata in batch.metadata {
            writer.message(3) { writer in
                writer.uint64(1, UInt64(kinds.firstIndex(of: metadata.kind) ?? 0))
                writer.string(2, metadata.family)
                writer.string(4, metadata.help)
                writer.string(5, metadata.unit)
            }
        }
        return writer.bytes
    }

    /// The rows of one series, as indexes into the batch's columns.
    struct SeriesRows {
        var samples: [Int] = []
        var histograms: [Int] = []
        var exemplars: [Int] = []

        /// By series.
        static func of(_ batch: MetricBatch) -> [SeriesRows] {
            var rows = [SeriesRows](repeating: SeriesRows(), count: batch.series.count)
            for (row, series) in batch.sampleSeries.enumerated() { rows[Int(series)].samples.append(row) }
            for (row, histogram) in batch.histograms.enumerated() { rows[Int(histogram.series)].histograms.append(row) }
            for (row, exemplar) in batch.exemplars.enumerated() { rows[Int(exemplar.series)].exemplars.append(row) }
            return rows
        }
    }

    private static func write(_ labels: Labels, _ number: Int, _ writer: inout ProtobufWriter) {
        for label in labels.pairs {
            writer.message(number) { writer in
                writer.string(1, label.name)
                writer.string(2, label.value)
            }
        }
    }

    /// The fields of a `Histogram` that both versions have.
    static func write(_ histogram: NativeHistogram, _ timestamp: Int64, _ writer: inout ProtobufWriter) {
        writer.double(2, histogram.count, always: true)
        writer.double(3, histogram.sum)
        writer.sint32(4, histogram.schema)
        writer.double(5, histogram.zeroThreshold)
        writer.double(7, histogram.zeroCount, always: true)
        write(histogram.negativeRuns, 8, &writer)
        writer.packedDoubles(10, histogram.negativeCounts)
        write(histogram.positiveRuns, 11, &writer)
        writer.packedDoubles(13, histogram.positiveCounts)
        writer.uint64(14, UInt64(histogram.resetHint.rawValue))
        writer.int64(15, timestamp)
        writer.packedDoubles(16, histogram.customBounds)
    }

    private static func write(_ runs: [NativeHistogram.Run], _ number: Int, _ writer: inout ProtobufWriter) {
        for run in runs {
            writer.message(number) { writer in
                writer.sint32(1, run.offset)
                writer.uint32(2, run.length)
            }
        }
    }
}
