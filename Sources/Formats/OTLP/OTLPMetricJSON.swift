import Codecs
import Telemetry

/// metrics.proto in JSON.
enum OTLPMetricJSON {
    private static let temporalityNames = [
        "AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE",
    ]

    static func groups(_ bytes: Span<UInt8>) throws(DecodeError) -> [OTLPMetricGroup] {
        var groups: [OTLPMetricGroup] = []
        var reader = JSONReader(bytes)
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            guard name == "resourceMetrics" else {
                try reader.skip(in: bytes)
                continue
            }
            try reader.beginArray(in: bytes)
            while try reader.nextElement(in: bytes) { groups.append(try group(&reader, bytes)) }
        }
        try reader.finish(in: bytes)
        return groups
    }

    private static func group(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPMetricGroup {
        var group = OTLPMetricGroup()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "resource": group.resource = try OTLPJSON.resource(&reader, bytes)
            case "scopeMetrics":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { group.scopes.append(try scope(&reader, bytes)) }
            default: try reader.skip(in: bytes)
            }
        }
        return group
    }

    private static func scope(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPMetricGroup.Scope {
        var scope = OTLPMetricGroup.Scope()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "scope": scope.scope = try OTLPJSON.scope(&reader, bytes)
            case "schemaUrl": scope.schemaURL = try reader.string(in: bytes)
            case "metrics":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { scope.metrics.append(try metric(&reader, bytes)) }
            default: try reader.skip(in: bytes)
            }
        }
        return scope
    }

    private static func metric(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPMetric {
        var metric = OTLPMetric()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "name": metric.name = try reader.string(in: bytes)
            case "description": metric.description = try reader.string(in: bytes)
            case "unit": metric.unit = try reader.string(in: bytes)
            case "gauge": metric.data = .gauge(try series(&reader, bytes, numberPoint).points)
            case "sum":
                let sum = try series(&reader, bytes, numberPoint)
                metric.data = .sum(sum.points, sum.temporality, isMonotonic: sum.isMonotonic)
            case "histogram":
                let histogram = try series(&reader, bytes, histogramPoint)
                metric.data = .histogram(histogram.points, histogram.temporality)
            case "exponentialHistogram":
                let histogram = try series(&reader, bytes, exponentialPoint)
                metric.data = .exponentialHistogram(histogram.points, histogram.temporality)
            case "summary": metric.data = .summary(try series(&reader, bytes, summaryPoint).points)
            default: try reader.skip(in: bytes)
            }
        }
        return metric
    }

    private static func series<Point>(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>,
        _ point: (inout JSONReader, Span<UInt8>) throws(DecodeError) -> Point
    ) throws(DecodeError) -> (points: [Point], temporality: OTLPMetric.Temporality, isMonotonic: Bool) {
        var points: [Point] = []
        var temporality = OTLPMetric.Temporality.unspecified
        var isMonotonic = false
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "dataPoints":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { points.append(try point(&reader, bytes)) }
            case "aggregationTemporality":
                let number = try reader.enumeration("Metric.aggregationTemporality", temporalityNames, in: bytes)
                temporality = OTLPMetric.Temporality(rawValue: number) ?? .unspecified
            case "isMonotonic": isMonotonic = try reader.bool(in: bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return (points, temporality, isMonotonic)
    }

    /// Reads a field that every kind of point has; false where `name` is another.
    private static func head(
        _ name: String, _ head: inout OTLPMetric.PointHead, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> Bool {
        switch name {
        case "attributes": head.attributes = try OTLPJSON.attributes(&reader, bytes)
        case "startTimeUnixNano": head.start = try reader.time("DataPoint.startTimeUnixNano", in: bytes)
        case "timeUnixNano": head.time = try reader.time("DataPoint.timeUnixNano", in: bytes)
        case "flags": head.flags = try reader.uint32("DataPoint.flags", in: bytes)
        default: return false
        }
        return true
    }

    private static func numberPoint(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.NumberPoint {
        var point = OTLPMetric.NumberPoint()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "asDouble": point.value = try reader.double("NumberDataPoint.asDouble", in: bytes)
            case "asInt": point.value = Double(try reader.int64("NumberDataPoint.asInt", in: bytes))
            case "exemplars": point.exemplars = try exemplars(&reader, bytes)
            default: if try !head(name, &point.head, &reader, bytes) { try reader.skip(in: bytes) }
            }
        }
        return point
    }

    private static func histogramPoint(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.HistogramPoint {
        var point = OTLPMetric.HistogramPoint()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "count": point.count = try reader.uint64("HistogramDataPoint.count", in: bytes)
            case "sum": point.sum = try reader.double("HistogramDataPoint.sum", in: bytes)
            case "bucketCounts": point.bucketCounts = try counts(&reader, bytes)
            case "explicitBounds":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) {
                    point.bounds.append(try reader.double("HistogramDataPoint.explicitBounds", in: bytes))
                }
            case "exemplars": point.exemplars = try exemplars(&reader, bytes)
            default: if try !head(name, &point.head, &reader, bytes) { try reader.skip(in: bytes) }
            }
        }
        return point
    }

    private static func exponentialPoint(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.ExponentialHistogramPoint {
        var point = OTLPMetric.ExponentialHistogramPoint()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "count": point.count = try reader.uint64("ExponentialHistogramDataPoint.count", in: bytes)
            case "sum": point.sum = try reader.double("ExponentialHistogramDataPoint.sum", in: bytes)
            case "scale": point.scale = try reader.int32("ExponentialHistogramDataPoint.scale", in: bytes)
            case "zeroCount": point.zeroCount = try reader.uint64("ExponentialHistogramDataPoint.zeroCount", in: bytes)
            case "zeroThreshold":
                point.zeroThreshold = try reader.double("ExponentialHistogramDataPoint.zeroThreshold", in: bytes)
            case "positive": point.positive = try buckets(&reader, bytes)
            case "negative": point.negative = try buckets(&reader, bytes)
            case "exemplars": point.exemplars = try exemplars(&reader, bytes)
            default: if try !head(name, &point.head, &reader, bytes) { try reader.skip(in: bytes) }
            }
        }
        return point
    }

    private static func buckets(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.ExponentialHistogramPoint.Buckets {
        var buckets = OTLPMetric.ExponentialHistogramPoint.Buckets()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "offset": buckets.offset = try reader.int32("Buckets.offset", in: bytes)
            case "bucketCounts": buckets.counts = try counts(&reader, bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return buckets
    }

    private static func summaryPoint(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> OTLPMetric.SummaryPoint {
        var point = OTLPMetric.SummaryPoint()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "count": point.count = try reader.uint64("SummaryDataPoint.count", in: bytes)
            case "sum": point.sum = try reader.double("SummaryDataPoint.sum", in: bytes)
            case "quantileValues":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { point.quantiles.append(try quantile(&reader, bytes)) }
            default: if try !head(name, &point.head, &reader, bytes) { try reader.skip(in: bytes) }
            }
        }
        return point
    }

    private static func quantile(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> (quantile: Double, value: Double) {
        var pair = (quantile: 0.0, value: 0.0)
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "quantile": pair.quantile = try reader.double("ValueAtQuantile.quantile", in: bytes)
            case "value": pair.value = try reader.double("ValueAtQuantile.value", in: bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return pair
    }

    private static func counts(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> [UInt64] {
        var counts: [UInt64] = []
        try reader.beginArray(in: bytes)
        while try reader.nextElement(in: bytes) { counts.append(try reader.uint64("bucketCounts", in: bytes)) }
        return counts
    }

    private static func exemplars(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> [OTLPMetric.Exemplar] {
        var exemplars: [OTLPMetric.Exemplar] = []
        try reader.beginArray(in: bytes)
        while try reader.nextElement(in: bytes) {
            var exemplar = OTLPMetric.Exemplar()
            try reader.beginObject(in: bytes)
            while let name = try reader.nextField(in: bytes) {
                switch name {
                case "filteredAttributes": exemplar.attributes = try OTLPJSON.attributes(&reader, bytes)
                case "timeUnixNano": exemplar.time = try reader.time("Exemplar.timeUnixNano", in: bytes)
                case "asDouble": exemplar.value = try reader.double("Exemplar.asDouble", in: bytes)
                case "asInt": exemplar.value = Double(try reader.int64("Exemplar.asInt", in: bytes))
                case "traceId": exemplar.traceID = try reader.traceID(in: bytes) ?? .none
                case "spanId": exemplar.spanID = try reader.spanID(in: bytes) ?? .none
                default: try reader.skip(in: bytes)
                }
            }
            exemplars.append(exemplar)
        }
        return exemplars
    }
}
