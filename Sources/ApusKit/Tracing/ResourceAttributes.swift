import Foundation
import Tracing

/// Who sends the spans, as OpenTelemetry's semantic conventions describe a process.
enum ResourceAttributes {
    static func describe(_ configuration: ApusConfiguration) -> [(String, SpanAttribute)] {
        let process = ProcessInfo.processInfo
        var attributes: [String: SpanAttribute] = [
            "service.name": .string(configuration.service),
            "service.instance.id": .string("\(process.hostName):\(process.processIdentifier)"),
            "host.name": .string(process.hostName),
            "process.pid": .int64(Int64(process.processIdentifier)),
            "telemetry.sdk.name": "apuskit",
            "telemetry.sdk.language": "swift",
            "process.runtime.name": "swift",
        ]
        attributes["service.version"] = configuration.version.map { .string($0) }
        attributes.merge(configuration.resourceAttributes.mapValues { .string($0) }) { _, given in given }
        return attributes.sorted { $0.key < $1.key }
    }
}
