import Codecs
import Telemetry

/// How OTLP metrics become Prometheus' series: the `otlp` section of `prometheus.yml`.
package struct OTLPMetricOptions: Sendable {
    /// `translation_strategy`.
    package var strategy = PrometheusNaming.Strategy.underscoreEscapingWithSuffixes
    /// Which resource attributes become labels of every series.
    package enum Promotion: Sendable, Hashable {
        case none
        /// `promote_resource_attributes`.
        case named(Set<String>)
        /// `promote_all_resource_attributes`, but for `ignore_resource_attributes`.
        case all(except: Set<String>)
    }

    package var promotion = Promotion.none
    /// `promote_scope_metadata`: whether series have `otel_scope_…` labels.
    package var promotesScopeMetadata = false
    /// `convert_histograms_to_nhcb`: histograms with explicit bounds become native ones with custom buckets.
    package var convertsHistogramsToCustomBuckets = false
    package var labelNames = PrometheusNaming.LabelOptions()
    /// `keep_identifying_resource_attributes`: whether `target_info` repeats what `job` and `instance` say.
    package var keepsIdentifyingResourceAttributes = false
    /// Turns delta points into cumulative ones; without it they are rejected, as Prometheus does.
    package var deltas: DeltaAccumulator?
    /// Stores delta points as they are, whatever ``deltas`` says (Prometheus' `otlp-native-delta-ingestion`).
    package var keepsDeltas = false

    package init() {}
}

extension OTLP {
    /// Decodes an `ExportMetricsServiceRequest` into Prometheus' series, as Prometheus 3 does.
    ///
    /// Points that have no place in Prometheus' model are rejected one by one, the others kept.
    ///
    /// - Throws: ``FormatError`` for bytes that are no such message.
    package static func decodeMetrics(
        _ bytes: Span<UInt8>, encoding: Encoding, options: OTLPMetricOptions
    ) throws(FormatError) -> Decoded {
        let groups: [OTLPMetricGroup]
        do throws(DecodeError) {
            switch encoding {
            case .protobuf: groups = try OTLPMetricProtobuf.groups(bytes)
            case .json: groups = try OTLPMetricJSON.groups(bytes)
            }
        } catch {
            throw FormatError("OTLP metrics", error)
        }
        var translator = OTLPMetricTranslator(options: options)
        for group in groups { translator.add(group) }
        var batch = TelemetryBatch()
        batch.metrics = translator.batch
        return Decoded(
            batch: batch, rejected: translator.rejections.count, rejectionMessage: translator.rejections.message)
    }
}
