import Codecs
package import Telemetry

/// Prometheus' remote write 1.0 (prometheus.io/docs/specs/prw/remote_write_spec, message `prometheus.WriteRequest`).
package enum RemoteWrite {
    static let format = "remote write"

    /// Decodes an uncompressed `WriteRequest`: samples, native histograms, exemplars and metadata.
    ///
    /// - Parameter directory: finds series that the store knows; only the labels of others are decoded. nil: all are.
    /// - Throws: ``FormatError``, also for labels that are no UTF-8 and histograms whose parts contradict each other.
    package static func decode(_ bytes: Span<UInt8>, directory: (any SeriesDirectory)? = nil) throws(FormatError) -> TelemetryBatch {
        var decoder = RemoteWriteDecoder(directory: directory)
        do throws(DecodeError) {
            return try decoder.decode(bytes)
        } catch {
            throw FormatError(format, error)
        }
    }

    static func label(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Label {
        var reader = message
        var label = Label("", "")
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: label.name = try field.validString("Label.name", in: bytes)
            case 2: label.value = try field.validString("Label.value", in: bytes)
            default: break
            }
        }
        guard !label.name.isEmpty else {
            throw DecodeError(offset: message.offset, field: "Label.name", "a label has no name")
        }
        return label
    }

    static func exemplar(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Exemplar {
        var reader = message
        var labels: [Label] = []
        var exemplar = Exemplar(labels: .empty, value: 0, timestamp: 0)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: labels.append(try label(try field.message("Exemplar.labels"), bytes))
            case 2: exemplar.value = try field.double("Exemplar.value")
            case 3: exemplar.timestamp = try field.int64("Exemplar.timestamp")
            default: break
            }
        }
        exemplar.labels = Labels(labels)
        return exemplar
    }

    /// The kinds in the order of the enum `MetricMetadata.MetricType`.
    static let kinds: [MetricMetadata.Kind] = [
        .unknown, .counter, .gauge, .histogram, .gaugeHistogram, .summary, .info, .stateset,
    ]

    static func metadata(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> MetricMetadata {
        var reader = message
        var metadata = MetricMetadata(family: "", kind: .unknown)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1:
                let number = try field.uint64("MetricMetadata.type")
                if number < UInt64(kinds.count) { metadata.kind = kinds[Int(number)] }
            case 2: metadata.family = try field.validString("MetricMetadata.metric_family_name", in: bytes)
            case 4: metadata.help = try field.string("MetricMetadata.help", in: bytes)
            case 5: metadata.unit = try field.string("MetricMetadata.unit", in: bytes)
            default: break
            }
        }
        return metadata
    }
}
