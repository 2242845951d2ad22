import Codecs
import Formats
import TestSupport
import Testing

@Suite("Damaged captures")
struct CaptureDamageTests {
    /// A decoder by the type of its message.
    static func decode(_ bytes: [UInt8], _ type: String) {
        let span = bytes.span
        switch type {
        case let type where type.hasSuffix("ExportTraceServiceRequest"): _ = try? OTLP.decodeTraces(span, encoding: .protobuf)
        case let type where type.hasSuffix("ExportLogsServiceRequest"): _ = try? OTLP.decodeLogs(span, encoding: .protobuf)
        case let type where type.hasSuffix("ExportMetricsServiceRequest"):
            _ = try? OTLP.decodeMetrics(span, encoding: .protobuf, options: OTLPMetricOptions())
        case "prometheus.WriteRequest": _ = try? RemoteWrite.decode(span)
        case "logproto.PushRequest": _ = try? LokiPush.decodeProtobuf(span)
        case "perftools.profiles.Profile": _ = try? Pprof.decode(span)
        case "delimited io.prometheus.client.MetricFamily":
            var options = ExpositionOptions(defaultTimestamp: 0)
            options.readsNativeHistograms = true
            options.keepsClassicHistograms = true
            _ = (try? Exposition.read(bytes, as: .protobuf, options: options))?.series
        default: _ = try? JaegerThrift.decodeBatch(span)
        }
    }

    static let types = [
        "ExportTraceServiceRequest", "ExportLogsServiceRequest", "ExportMetricsServiceRequest", "prometheus.WriteRequest", "logproto.PushRequest",
        "perftools.profiles.Profile", "delimited io.prometheus.client.MetricFamily", "jaeger.thrift Batch, binary",
    ]

    @Test(
        "bytes that were lost or changed on their way never trap a decoder",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)), arguments: types)
    func damage(type: String) throws {
        // The largest message that a hundred decodes of take no time.
        let messages = try Captures.all(type).map { ($0.type, try $0.message()) }.filter { $0.1.count < 16_384 }
        let (name, message) = try #require(messages.max { $0.1.count < $1.1.count })
        var random = SplitMix64(seed: 1)
        for _ in 0..<300 {
            var damaged = message
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<damaged.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: damaged[index] = [0, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
                default: damaged.removeSubrange(max(1, index)...)
                }
            }
            Self.decode(damaged, name)
        }
    }
}
