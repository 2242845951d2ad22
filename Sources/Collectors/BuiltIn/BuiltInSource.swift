import Settings
import Telemetry

/// Something that Apus measures itself and stores as if it had scraped an exporter.
protocol BuiltInSource: Sendable {
    var target: BuiltInTarget { get }

    /// Measures once.
    ///
    /// - Parameter timestamp: of the rows, in milliseconds since the Unix epoch.
    func measure(at timestamp: Int64) async -> BuiltInMeasurement

    /// The markers that end every series of the last measurement.
    func end(at timestamp: Int64) -> MetricBatch
}

/// What a source is called, and how often it is asked.
package struct BuiltInTarget: Sendable, Hashable {
    /// The name of its pool on the page of targets.
    var pool: String
    /// What its scrape URL would be.
    var url: String
    /// `job`, `instance` and whatever else every series gets.
    var labels: Labels
    var interval: Duration
    var timeout: Duration
}

/// What one measurement came to.
struct BuiltInMeasurement: Sendable {
    var batch = MetricBatch()
    var sampleCount = 0
    /// Series that the last measurement did not have.
    var addedCount = 0
    /// Why nothing could be measured; nil where it could.
    var failure: String?

    init(failure: String, batch: MetricBatch) {
        self.failure = failure
        self.batch = batch
    }

    /// Ends a recorder's round.
    init(_ recorder: inout MetricRecorder, at timestamp: Int64) {
        sampleCount = recorder.count
        addedCount = recorder.addedCount
        batch = recorder.finish(at: timestamp)
    }
}
