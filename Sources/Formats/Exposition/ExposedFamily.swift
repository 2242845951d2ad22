import Codecs
package import Telemetry

/// A family of metrics to be exposed to whoever scrapes.
package struct ExposedFamily: Sendable {
    package enum Kind: Sendable, Hashable {
        case untyped
        case histogram
        case gaugeHistogram
    }

    package enum Value: Sendable {
        case number(Double)
        case histogram(NativeHistogram)
    }

    package struct Metric: Sendable {
        /// Without the name.
        package var labels: [Label]
        /// Milliseconds since the Unix epoch.
        package var timestamp: Int64
        package var value: Value

        package init(labels: [Label], timestamp: Int64, value: Value) {
            self.labels = labels
            self.timestamp = timestamp
            self.value = value
        }
    }

    package var name: String
    package var kind: Kind
    package var metrics: [Metric] = []

    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// The buckets of a histogram with custom bounds as classic ones have them: each with all below it, without that of +Inf.
    package static func cumulativeBuckets(_ histogram: NativeHistogram) -> [(bound: Double, count: Double)] {
        var counts = [Double](repeating: 0, count: histogram.customBounds.count)
        var (index, position) = (0, 0)
        for run in histogram.positiveRuns {
            index += Int(run.offset)
            for _ in 0..<run.length {
                guard position < histogram.positiveCounts.count else { break }
                if counts.indices.contains(index) { counts[index] = histogram.positiveCounts[position] }
                index += 1
                position += 1
            }
        }
        var total = 0.0
        return zip(histogram.customBounds, counts).map { bound, count in
            total += count
            return (bound, total)
        }
    }
}

extension Exposition {
    /// Writes families as messages `io.prometheus.client.MetricFamily`, each with its length before it.
    package static func encodeProtobuf(_ families: [ExposedFamily]) -> [UInt8] {
        var bytes: [UInt8] = []
        for family in families {
            var writer = ProtobufWriter()
            writer.string(1, family.name)
            let kind: ProtobufExposition.Kind =
                switch family.kind {
                case .untyped: .untyped
                case .histogram: .histogram
                case .gaugeHistogram: .gaugeHistogram
                }
            writer.uint64(3, kind.rawValue, always: true)
            for metric in family.metrics { writer.message(4) { write(metric, &$0) } }
            Varint.append(UInt64(writer.bytes.count), to: &bytes)
            bytes += writer.bytes
        }
        return bytes
    }

    private static func write(_ metric: ExposedFamily.Metric, _ writer: inout ProtobufWriter) {
        for label in metric.labels {
            writer.message(1) { writer in
                writer.string(1, label.name)
                writer.string(2, label.value)
            }
        }
        writer.int64(6, metric.timestamp)
        switch metric.value {
        case .number(let value): writer.message(5) { $0.double(1, value, always: true) }
        case .histogram(let histogram): writer.message(7) { write(histogram, &$0) }
        }
    }

    private static func write(_ histogram: NativeHistogram, _ writer: inout ProtobufWriter) {
        writer.double(2, histogram.sum, always: true)
        if histogram.schema == NativeHistogram.customBoundsSchema {
            for bucket in ExposedFamily.cumulativeBuckets(histogram) {
                writer.message(3) { writer in
                    writer.double(2, bucket.bound, always: true)
                    writer.double(4, bucket.count, always: true)
                }
            }
            writer.double(4, histogram.count, always: true)
            return
        }
        writer.double(4, histogram.count, always: true)
        writer.sint32(5, histogram.schema, always: true)
        writer.double(6, histogram.zeroThreshold, always: true)
        writer.double(8, histogram.zeroCount, always: true)
        write(histogram.negativeRuns, 9, &writer)
        writer.packedDoubles(11, histogram.negativeCounts)
        write(histogram.positiveRuns, 12, &writer)
        writer.packedDoubles(14, histogram.positiveCounts)
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
