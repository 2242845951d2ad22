import Codecs
import Telemetry

/// How OTLP metrics become Prometheus' series: the `otlp` section of `prometheus.yml`.
package struct OTLPMetricOptions: Sendable {
    /// `translation_strategy`.
    package var strategy = PrometheusNaming.Strategy.underscoreEscapingWithSuffixes
    /// `promote_resource_attributes`: resource attributes that become labels of every series.
    package var promotedResourceAttributes: [String] = []
    /// `keep_identifying_resource_attributes`: whether `target_info` repeats what `job` and `instance` say.
    package var keepsIdentifyingResourceAttributes = false
    /// Turns delta points into cumulative ones; without it they are rejected, as Prometheus does.
    package var deltas: DeltaAccumulator?

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
