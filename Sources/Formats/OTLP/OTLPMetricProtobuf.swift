import Codecs
import Telemetry

/// metrics.proto on the wire.
enum OTLPMetricProtobuf {
    static func groups(_ bytes: Span<UInt8>) throws(DecodeError) -> [OTLPMetricGroup] {
        var groups: [OTLPMetricGroup] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.next(in: bytes) {
            guard field.number == 1 else { continue }
            groups.append(try group(try field.message("ExportMetricsServiceRequest.resource_metrics"), bytes))
        }
        return groups
    }

    private static func group(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPMetricGroup {
        var reader = message
        var group = OTLPMetricGroup()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: group.resource = try OTLPProtobuf.resource(try field.message("ResourceMetrics.resource"), bytes)
            case 2: group.scopes.append(try scope(try field.message("ResourceMetrics.scope_metrics"), bytes))
            default: break
            }
        }
        return group
    }

    private static func scope(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPMetricGroup.Scope {
        var reader = message
        var scope = OTLPMetricGroup.Scope()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: scope.scope = try OTLPProtobuf.scope(try field.message("ScopeMetrics.scope"), bytes)
            case 2: scope.metrics.append(try metric(try field.message("ScopeMetrics.metrics"), bytes))
            case 3: scope.schemaURL = try field.string("ScopeMetrics.schema_url", in: bytes)
            default: break
            }
        }
        return scope
    }

    private static func metric(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPMetric {
        var reader = message
        var metric = OTLPMetric()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: metric.name = try field.string("Metric.name", in: bytes)
            case 2: metric.description = try field.string("Metric.description", in: bytes)
            case 3: metric.unit = try field.string("Metric.unit", in: bytes)
            case 5: metric.data = .gauge(try series(try field.message("Metric.gauge"), bytes, numberPoint).points)
            case 7:
                let sum = try series(try field.message("Metric.sum"), bytes, numberPoint)
                metric.data = .sum(sum.points, sum.temporality, isMonotonic: sum.isMonotonic)
            case 9:
                let histogram = try series(try field.message("Metric.histogram"), bytes, histogramPoint)
                metric.data = .histogram(histogram.points, histogram.temporality)
            case 10:
                let histogram = try series(try field.message("Metric.exponential_histogram"), bytes, exponentialPoint)
                metric.data = .exponentialHistogram(histogram.points, histogram.temporality)
            case 11: metric.data = .summary(try series(try field.message("Metric.summary"), bytes, summaryPoint).points)
            default: break
            }
        }
        return metric
    }

    /// `Gauge`, `Sum`, `Histogram`, `ExponentialHistogram` and `Summary` have the same fields under the same numbers.
    private static func series<Point>(
        _ message: ProtobufReader, _ bytes: Span<UInt8>,
        _ point: (ProtobufReader, Span<UInt8>) throws(DecodeError) -> Point
    ) throws(DecodeError) -> (points: [Point], temporality: OTLPMetric.Temporality, isMonotonic: Bool) {
        var reader = message
        var points: [Point] = []
        var temporality = OTLPMetric.Temporality.unspecified
        var isMonotonic = false
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: points.append(try point(try field.message("Metric.data_points"), bytes))
            case 2:
                let number = try field.int32("Metric.aggregation_temporality")
                temporality = OTLPMetric.Temporality(rawValue: Int(number)) ?? .unspecified
            case 3: isMonotonic = try field.bool("Sum.is_monotonic")
            default: break
            }
        }
        return (points, temporality, isMonotonic)
    }

    private static func numberPoint(
        _ message: ProtobufReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.NumberPoint {
        var reader = message
        var point = OTLPMetric.NumberPoint()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 2: point.head.start = try OTLPProtobuf.time(field, "NumberDataPoint.start_time_unix_nano")
            case 3: point.head.time = try OTLPProtobuf.time(field, "NumberDataPoint.time_unix_nano")
            case 4: point.value = try field.double("NumberDataPoint.as_double")
            case 5: point.exemplars.append(try exemplar(try field.message("NumberDataPoint.exemplars"), bytes))
            case 6: point.value = Double(Int64(bitPattern: try field.fixed64("NumberDataPoint.as_int")))
            case 7: point.head.attributes.append(try attribute(field, bytes))
            case 8: point.head.flags = try field.uint32("NumberDataPoint.flags")
            default: break
            }
        }
        return point
    }

    private static func histogramPoint(
        _ message: ProtobufReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.HistogramPoint {
        var reader = message
        var point = OTLPMetric.HistogramPoint()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 2: point.head.start = try OTLPProtobuf.time(field, "HistogramDataPoint.start_time_unix_nano")
            case 3: point.head.time = try OTLPProtobuf.time(field, "HistogramDataPoint.time_unix_nano")
            case 4: point.count = try field.fixed64("HistogramDataPoint.count")
            case 5: point.sum = try field.double("HistogramDataPoint.sum")
            case 6: try field.appendFixed64s("HistogramDataPoint.bucket_counts", in: bytes, to: &point.bucketCounts)
            case 7: try field.appendDoubles("HistogramDataPoint.explicit_bounds", in: bytes, to: &point.bounds)
            case 8: point.exemplars.append(try exemplar(try field.message("HistogramDataPoint.exemplars"), bytes))
            case 9: point.head.attributes.append(try attribute(field, bytes))
            case 10: point.head.flags = try field.uint32("HistogramDataPoint.flags")
            default: break
            }
        }
        return point
    }

    private static func exponentialPoint(
        _ message: ProtobufReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.ExponentialHistogramPoint {
        var reader = message
        var point = OTLPMetric.ExponentialHistogramPoint()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: point.head.attributes.append(try attribute(field, bytes))
            case 2: point.head.start = try OTLPProtobuf.time(field, "ExponentialHistogramDataPoint.start_time_unix_nano")
            case 3: point.head.time = try OTLPProtobuf.time(field, "ExponentialHistogramDataPoint.time_unix_nano")
            case 4: point.count = try field.fixed64("ExponentialHistogramDataPoint.count")
            case 5: point.sum = try field.double("ExponentialHistogramDataPoint.sum")
            case 6: point.scale = try field.sint32("ExponentialHistogramDataPoint.scale")
            case 7: point.zeroCount = try field.fixed64("ExponentialHistogramDataPoint.zero_count")
            case 8: point.positive = try buckets(try field.message("ExponentialHistogramDataPoint.positive"), bytes)
            case 9: point.negative = try buckets(try field.message("ExponentialHistogramDataPoint.negative"), bytes)
            case 10: point.head.flags = try field.uint32("ExponentialHistogramDataPoint.flags")
            case 11: point.exemplars.append(try exemplar(try field.message("ExponentialHistogramDataPoint.exemplars"), bytes))
            case 14: point.zeroThreshold = try field.double("ExponentialHistogramDataPoint.zero_threshold")
            default: break
            }
        }
        return point
    }

    private static func buckets(
        _ message: ProtobufReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.ExponentialHistogramPoint.Buckets {
        var reader = message
        var buckets = OTLPMetric.ExponentialHistogramPoint.Buckets()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: buckets.offset = try field.sint32("Buckets.offset")
            case 2: try field.appendUInt64s("Buckets.bucket_counts", in: bytes, to: &buckets.counts)
            default: break
            }
        }
        return buckets
    }

    private static func summaryPoint(
        _ message: ProtobufReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.SummaryPoint {
        var reader = message
        var point = OTLPMetric.SummaryPoint()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 2: point.head.start = try OTLPProtobuf.time(field, "SummaryDataPoint.start_time_unix_nano")
            case 3: point.head.time = try OTLPProtobuf.time(field, "SummaryDataPoint.time_unix_nano")
            case 4: point.count = try field.fixed64("SummaryDataPoint.count")
            case 5: point.sum = try field.double("SummaryDataPoint.sum")
            case 6:
                var quantile = try field.message("SummaryDataPoint.quantile_values")
                var pair = (quantile: 0.0, value: 0.0)
                while let field = try quantile.next(in: bytes) {
                    switch field.number {
                    case 1: pair.quantile = try field.double("ValueAtQuantile.quantile")
                    case 2: pair.value = try field.double("ValueAtQuantile.value")
                    default: break
                    }
                }
                point.quantiles.append(pair)
            case 7: point.head.attributes.append(try attribute(field, bytes))
            case 8: point.head.flags = try field.uint32("SummaryDataPoint.flags")
            default: break
            }
        }
        return point
    }

    private static func exemplar(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPMetric.Exemplar {
        var reader = message
        var exemplar = OTLPMetric.Exemplar()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 2: exemplar.time = try OTLPProtobuf.time(field, "Exemplar.time_unix_nano")
            case 3: exemplar.value = try field.double("Exemplar.as_double")
            case 4: exemplar.spanID = try OTLPProtobuf.spanID(field, "Exemplar.span_id", bytes) ?? .none
            case 5: exemplar.traceID = try OTLPProtobuf.traceID(field, "Exemplar.trace_id", bytes) ?? .none
            case 6: exemplar.value = Double(Int64(bitPattern: try field.fixed64("Exemplar.as_int")))
            case 7: exemplar.attributes.append(try attribute(field, bytes))
            default: break
            }
        }
        return exemplar
    }

    private static func attribute(_ field: ProtobufField, _ bytes: Span<UInt8>) throws(DecodeError) -> Attribute {
        try OTLPProtobuf.attribute(try field.message("DataPoint.attributes"), bytes)
    }
}
