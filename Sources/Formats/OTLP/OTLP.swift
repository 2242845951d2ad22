package import Telemetry

/// The OpenTelemetry protocol, version 1 (opentelemetry-proto): `Export…ServiceRequest` of traces, metrics and logs in
/// protobuf and in JSON.
package enum OTLP {
    package enum Encoding: Sendable, Hashable {
        case protobuf
        /// Proto3's JSON mapping with OTLP's exception: ids are hexadecimal.
        case json
    }

    /// A request's contents, and what of it cannot be kept: OTLP's partial success.
    package struct Decoded: Sendable {
        package var batch: TelemetryBatch
        /// How many spans, data points or log records are left out of ``batch``.
        package var rejected: Int
        /// Why, for the sender's operators; empty where nothing was rejected.
        package var rejectionMessage: String

        package init(batch: TelemetryBatch, rejected: Int = 0, rejectionMessage: String = "") {
            self.batch = batch
            self.rejected = rejected
            self.rejectionMessage = rejectionMessage
        }
    }
}

/// Items left out, and the first few different reasons.
struct Rejections {
    private(set) var count = 0
    private var reasons: [String] = []
    private static let reasonCountMax = 3

    /// Adds a reason that stands for no item.
    mutating func note(_ reason: @autoclosure () -> String) {
        guard reasons.count < Self.reasonCountMax else { return }
        let reason = reason()
        if !reasons.contains(reason) { reasons.append(reason) }
    }

    mutating func add(_ reason: @autoclosure () -> String, count: Int = 1) {
        guard count > 0 else { return }
        self.count += count
        note(reason())
    }

    var message: String { reasons.joined(separator: "; ") }
}

/// The instrumentation scope and its schema, as requests carry them.
typealias OTLPScope = TraceSpan.Scope
