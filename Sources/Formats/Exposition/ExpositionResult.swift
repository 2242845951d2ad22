import Codecs
package import Telemetry

/// What a scrape's answer holds.
///
/// Targets expose the same series scrape after scrape, so a series is known by the bytes in which it stands here, and its labels are read
/// only where somebody does not know it yet.
package struct ExpositionResult: Sendable {
    /// One sample, in the order of the answer.
    package struct Sample: Sendable {
        /// Where the series stands in ``ExpositionResult/bytes``. Equal bytes of one ``form`` are one series.
        package var key: Range<Int>
        package var form: SeriesForm
        /// NaN for a native histogram.
        package var value: Double
        /// Milliseconds since the Unix epoch: the sample's own where it has one and they are honoured, else the scrape's.
        package var timestamp: Int64
        /// Whether ``timestamp`` came with the sample: such series get no staleness markers.
        package var hasOwnTimestamp: Bool
        /// Since when it counts, in milliseconds since the Unix epoch; 0: not known.
        package var startTime: Int64 = 0
        /// Which of ``ExpositionResult/histograms`` it is; nil: a number.
        package var histogram: Int?
        /// Its exemplars in ``ExpositionResult/exemplars``.
        package var exemplars: Range<Int> = 0..<0
    }

    /// One sample with its labels.
    package struct Series: Sendable, Hashable {
        /// The labels, the metric's name among them.
        package var labels: Labels
        package var value: Double
        package var timestamp: Int64
        package var hasOwnTimestamp: Bool
        package var startTime: Int64
        package var histogram: NativeHistogram?
        package var exemplars: [Exemplar]

        /// The only exemplar that a number has.
        package var exemplar: Exemplar? { exemplars.first }
    }

    package let format: ExpositionFormat
    /// The text of all series.
    package internal(set) var bytes: [UInt8] = []
    package internal(set) var samples: [Sample] = []
    package internal(set) var histograms: [NativeHistogram] = []
    package internal(set) var exemplars: [Exemplar] = []
    /// What is said of types, help and units, by family, in the order of the answer.
    package internal(set) var metadata: [MetricMetadata] = []

    init(format: ExpositionFormat) {
        self.format = format
    }

    /// A sample's labels, the metric's name among them.
    ///
    /// - Throws: ``FormatError`` for labels that are no UTF-8, that come twice, or that have no name.
    package func labels(of sample: Sample) throws(FormatError) -> Labels {
        do throws(DecodeError) {
            return try SeriesText.labels(bytes.span, sample.key, sample.form)
        } catch {
            throw Exposition.formatError(error, format, bytes)
        }
    }

    /// The metric's name alone, as exposed.
    package func metricName(of sample: Sample) -> String {
        SeriesText.metricName(bytes.span, sample.key, sample.form)
    }

    /// All samples with their labels; those whose labels cannot be read are left out.
    package var series: [Series] {
        samples.compactMap { sample in
            guard let labels = try? labels(of: sample) else { return nil }
            return Series(
                labels: labels, value: sample.value, timestamp: sample.timestamp, hasOwnTimestamp: sample.hasOwnTimestamp,
                startTime: sample.startTime, histogram: sample.histogram.map { histograms[$0] }, exemplars: Array(exemplars[sample.exemplars]))
        }
    }
}
