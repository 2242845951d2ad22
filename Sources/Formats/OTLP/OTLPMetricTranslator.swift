import Codecs
import Telemetry

/// Makes Prometheus' series of OTLP metrics (opentelemetry.io, "Prometheus and OpenMetrics Compatibility"), as Prometheus 3's
/// OTLP endpoint does.
struct OTLPMetricTranslator {
    let options: OTLPMetricOptions
    var batch = MetricBatch()
    var rejections = Rejections()
    /// The families whose metadata is in the batch.
    private var families: Set<String> = []
    /// What every series of the scope at hand gets: promoted attributes of the resource, which a point's own hide, and `job`, `instance` and
    /// what says which scope it is, which hide a point's own.
    private var promotedLabels: [Label] = []
    private var identityLabels: [Label] = []
    /// The range of its points' times, in milliseconds, for `target_info`.
    private var range: ClosedRange<Int64>?
    /// How many labels all series of the batch have.
    private var labelCount = 0

    init(options: OTLPMetricOptions) {
        self.options = options
    }

    mutating func add(_ group: OTLPMetricGroup) {
        let target = PrometheusTarget(group.resource, options)
        promotedLabels = target.promoted
        range = nil
        for scope in group.scopes {
            identityLabels = target.identity + PrometheusTarget.labels(scope, options)
            for metric in scope.metrics { add(metric) }
        }
        if let range { addTargetInfo(target, range) }
    }

    private mutating func add(_ metric: OTLPMetric) {
        guard !metric.name.isEmpty else {
            rejections.add("a metric has no name", count: metric.pointCount)
            return
        }
        switch metric.data {
        case .none: break
        case .gauge(let points):
            let name = family(metric, .gauge, .gauge)
            for point in points { addNumber(point, name, .asItIs) }
        case .sum(let points, let temporality, let isMonotonic):
            guard let treatment = treatment(temporality, metric) else { return }
            // Prometheus has no type for a counter's increments.
            let kind: MetricMetadata.Kind = treatment == .keptDelta ? .unknown : isMonotonic ? .counter : .gauge
            let name = family(metric, isMonotonic ? .monotonicSum : .other, kind)
            for point in points { addNumber(point, name, treatment) }
        case .histogram(let points, let temporality):
            guard let treatment = treatment(temporality, metric) else { return }
            let name = family(metric, .other, treatment == .keptDelta ? .unknown : .histogram)
            for point in points { addHistogram(point, name, treatment) }
        case .exponentialHistogram(let points, let temporality):
            guard let treatment = treatment(temporality, metric) else { return }
            let name = family(metric, .other, treatment == .keptDelta ? .unknown : .histogram)
            for point in points { addExponential(point, name, treatment) }
        case .summary(let points):
            let name = family(metric, .other, .summary)
            for point in points { addSummary(point, name) }
        }
    }

    /// What becomes of a metric's points.
    private enum Treatment {
        case asItIs
        /// Deltas that become totals.
        case addedUp
        /// Deltas that stay deltas.
        case keptDelta
    }

    /// nil, and rejected, where the points have no place.
    private mutating func treatment(_ temporality: OTLPMetric.Temporality, _ metric: OTLPMetric) -> Treatment? {
        switch temporality {
        case .cumulative: return .asItIs
        case .delta where options.keepsDeltas: return .keptDelta
        case .delta where options.deltas != nil: return .addedUp
        case .delta:
            rejections.add(Self.notCumulative("metric", metric), count: metric.pointCount)
        case .unspecified:
            rejections.add("metric \"\(metric.name)\" has no aggregation_temporality", count: metric.pointCount)
        }
        return nil
    }

    private static func notCumulative(_ what: String, _ metric: OTLPMetric) -> String {
        "\(what) \"\(metric.name)\" is not cumulative: set the exporter's temporality preference to cumulative"
    }

    /// The metric's name, and its metadata into the batch.
    private mutating func family(
        _ metric: OTLPMetric, _ naming: PrometheusNaming.Kind, _ kind: MetricMetadata.Kind
    ) -> String {
        let name = PrometheusNaming.metricName(metric.name, unit: metric.unit, kind: naming, strategy: options.strategy)
        if families.insert(name).inserted {
            let unit = PrometheusNaming.unitName(metric.unit)
            batch.metadata.append(MetricMetadata(family: name, kind: kind, help: metric.description, unit: unit))
        }
        return name
    }

    // MARK: Points

    /// The point's time in milliseconds; nil, and rejected, where it has none or would make too many labels.
    private mutating func time(_ head: OTLPMetric.PointHead, _ name: String, seriesCount: Int = 1) -> Int64? {
        guard head.time > 0 else {
            rejections.add("a point of \"\(name)\" has no time_unix_nano")
            return nil
        }
        guard head.attributes.count <= OTLPLimits.attributeCountMax else {
            let limit = OTLPLimits.attributeCountMax
            rejections.add("a point of \"\(name)\" has \(head.attributes.count) attributes: at most \(limit)")
            return nil
        }
        let added = seriesCount.multipliedReportingOverflow(by: head.attributes.count + promotedLabels.count + identityLabels.count + 2)
        guard !added.overflow, added.partialValue <= OTLPLimits.labelCountMax - labelCount else {
            rejections.add("the request makes more than \(OTLPLimits.labelCountMax) labels: send smaller ones")
            return nil
        }
        labelCount += added.partialValue
        let time = head.time / 1_000_000
        range = min(range?.lowerBound ?? time, time)...max(range?.upperBound ?? time, time)
        return time
    }

    private static func notAccumulated(_ name: String) -> String {
        "a delta point of \"\(name)\" is older than one before it, or there are too many delta series"
    }

    private mutating func addNumber(_ point: OTLPMetric.NumberPoint, _ name: String, _ treatment: Treatment) {
        guard let time = time(point.head, name) else { return }
        let labels = series(name, point.head.attributes)
        var value = point.head.hasNoRecordedValue ? Staleness.marker : point.value
        var start = point.head.start
        if treatment == .addedUp, !point.head.hasNoRecordedValue {
            guard let total = options.deltas?.add(value, to: labels, at: point.head.time, since: start) else {
                rejections.add(Self.notAccumulated(name))
                return
            }
            (value, start) = (total.value, total.start)
        }
        let index = batch.addSeries(labels)
        append(index, time, value, start)
        for exemplar in point.exemplars { batch.exemplars.append((index, self.exemplar(exemplar, time))) }
    }

    private mutating func addHistogram(_ point: OTLPMetric.HistogramPoint, _ name: String, _ treatment: Treatment) {
        let seriesCount = options.convertsHistogramsToCustomBuckets ? 1 : point.bounds.count + 3
        guard let time = time(point.head, name, seriesCount: seriesCount) else { return }
        var point = point
        let attributes = labels(point.head.attributes)
        if treatment == .addedUp, !point.head.hasNoRecordedValue {
            guard let total = options.deltas?.add(point, to: Labels(attributes + [Label(Labels.metricName, name)])) else {
                rejections.add(Self.notAccumulated(name))
                return
            }
            point = total
        }
        if options.convertsHistogramsToCustomBuckets {
            guard let histogram = NativeHistogram(point, isDelta: treatment == .keptDelta) else {
                rejections.add("a point of \"\(name)\" has bounds that do not ascend, or \(point.bucketCounts.count) buckets for \(point.bounds.count) bounds")
                return
            }
            append(histogram, attributes, name, time, point.head.start, point.exemplars)
            return
        }
        let isStale = point.head.hasNoRecordedValue
        let start = point.head.start
        // Without observations' sum (they may be negative) there is no `_sum`.
        if let sum = isStale ? Staleness.marker : point.sum { append(name + "_sum", attributes, time, sum, start) }
        append(name + "_count", attributes, time, isStale ? Staleness.marker : Double(point.count), start)
        var exemplars = point.exemplars[...]
        exemplars.sort { $0.value < $1.value }
        var cumulative = UInt64(0)
        for (bound, count) in zip(point.bounds, point.bucketCounts) {
            cumulative &+= count
            let le = Label("le", DecimalNumber.text(bound))
            let index = append(name + "_bucket", attributes + [le], time, isStale ? Staleness.marker : Double(cumulative), start)
            while let exemplar = exemplars.first, exemplar.value <= bound {
                batch.exemplars.append((index, self.exemplar(exemplar, time)))
                exemplars.removeFirst()
            }
        }
        let infinite = append(
            name + "_bucket", attributes + [Label("le", "+Inf")], time, isStale ? Staleness.marker : Double(point.count), start)
        for exemplar in exemplars { batch.exemplars.append((infinite, self.exemplar(exemplar, time))) }
    }

    private mutating func addExponential(_ point: OTLPMetric.ExponentialHistogramPoint, _ name: String, _ treatment: Treatment) {
        guard point.scale >= -4 else {
            rejections.add("a point of \"\(name)\" has scale \(point.scale): native histograms begin at -4")
            return
        }
        guard let time = time(point.head, name) else { return }
        let attributes = labels(point.head.attributes)
        var point = point
        if treatment == .addedUp, !point.head.hasNoRecordedValue {
            guard let total = options.deltas?.add(point, to: Labels(attributes + [Label(Labels.metricName, name)])), total.scale >= -4 else {
                rejections.add(Self.notAccumulated(name))
                return
            }
            point = total
        }
        append(NativeHistogram(point, isDelta: treatment == .keptDelta), attributes, name, time, point.head.start, point.exemplars)
    }

    private mutating func append(
        _ histogram: NativeHistogram, _ labels: [Label], _ name: String, _ time: Int64, _ start: Int64, _ exemplars: [OTLPMetric.Exemplar]
    ) {
        let index = batch.addSeries(Labels(labels + [Label(Labels.metricName, name)]))
        batch.histograms.append((index, time, histogram))
        if start > 0 { batch.startTimes.append((index, time, start / 1_000_000)) }
        for exemplar in exemplars { batch.exemplars.append((index, self.exemplar(exemplar, time))) }
    }

    private mutating func addSummary(_ point: OTLPMetric.SummaryPoint, _ name: String) {
        guard let time = time(point.head, name, seriesCount: point.quantiles.count + 2) else { return }
        let attributes = labels(point.head.attributes)
        let isStale = point.head.hasNoRecordedValue
        let start = point.head.start
        append(name + "_sum", attributes, time, isStale ? Staleness.marker : point.sum, start)
        append(name + "_count", attributes, time, isStale ? Staleness.marker : Double(point.count), start)
        for (quantile, value) in point.quantiles {
            let label = Label("quantile", DecimalNumber.text(quantile))
            append(name, attributes + [label], time, isStale ? Staleness.marker : value, start)
        }
    }

    @discardableResult
    private mutating func append(_ name: String, _ labels: [Label], _ time: Int64, _ value: Double, _ start: Int64) -> UInt32 {
        let index = batch.addSeries(Labels(labels + [Label(Labels.metricName, name)]))
        append(index, time, value, start)
        return index
    }

    /// - Parameter start: nanoseconds; 0: not known.
    private mutating func append(_ index: UInt32, _ time: Int64, _ value: Double, _ start: Int64) {
        batch.append(series: index, timestamp: time, value: value)
        if start > 0 { batch.startTimes.append((index, time, start / 1_000_000)) }
    }

    // MARK: Labels

    private func series(_ name: String, _ attributes: [Attribute]) -> Labels {
        Labels(labels(attributes) + [Label(Labels.metricName, name)])
    }

    /// Of labels that come twice the last one stays.
    private func labels(_ attributes: [Attribute]) -> [Label] {
        promotedLabels + PrometheusTarget.labels(attributes, options) + identityLabels
    }

    private func exemplar(_ exemplar: OTLPMetric.Exemplar, _ time: Int64) -> Exemplar {
        var labels = PrometheusTarget.labels(exemplar.attributes, options)
        if !exemplar.traceID.isNone { labels.append(Label("trace_id", exemplar.traceID.description)) }
        if !exemplar.spanID.isNone { labels.append(Label("span_id", exemplar.spanID.description)) }
        return Exemplar(
            labels: Labels(labels), value: exemplar.value, timestamp: exemplar.time > 0 ? exemplar.time / 1_000_000 : time)
    }

    // MARK: target_info

    /// Half of PromQL's lookback: so often, a series is never taken for gone.
    private static let targetInfoInterval: Int64 = 150_000
    /// What a request that spans more than 10 hours gets no series of, but one sample at the end.
    private static let targetInfoCountMax: Int64 = 240

    private mutating func addTargetInfo(_ target: PrometheusTarget, _ range: ClosedRange<Int64>) {
        guard !target.identity.isEmpty, target.hasOthers else { return }
        let labels = target.others + target.identity + [Label(Labels.metricName, "target_info")]
        let index = batch.addSeries(Labels(labels))
        if (range.upperBound - range.lowerBound) / Self.targetInfoInterval < Self.targetInfoCountMax {
            for time in stride(from: range.lowerBound, to: range.upperBound, by: Int(Self.targetInfoInterval)) {
                batch.append(series: index, timestamp: time, value: 1)
            }
        }
        batch.append(series: index, timestamp: range.upperBound, value: 1)
        if families.insert("target_info").inserted {
            batch.metadata.append(MetricMetadata(family: "target_info", kind: .gauge, help: "Target metadata"))
        }
    }
}
