import Telemetry

/// The rows of a request on their way into a ``MetricBatch``.
struct RemoteWriteRows {
    private var sampleSeries: [UInt32] = []
    private var timestamps: [Int64] = []
    private var values: [Double] = []
    var histograms: [(series: UInt32, timestamp: Int64, histogram: NativeHistogram)] = []
    var startTimes: [(series: UInt32, timestamp: Int64, start: Int64)] = []
    var exemplars: [(series: UInt32, exemplar: Exemplar)] = []

    /// Samples and histograms.
    var count: Int { timestamps.count + histograms.count }

    mutating func reserve(_ count: Int) {
        sampleSeries.reserveCapacity(count)
        timestamps.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    mutating func append(_ series: UInt32, _ timestamp: Int64, _ value: Double) {
        sampleSeries.append(series)
        timestamps.append(timestamp)
        values.append(value)
    }

    /// Samples, histograms and exemplars of one series.
    func count(of series: UInt32) -> Int {
        sampleSeries.count { $0 == series } + histograms.count { $0.series == series } + exemplars.count { $0.series == series }
    }

    /// Drops the rows of series, and numbers the others' anew.
    mutating func remove(_ isRemoved: [Bool]) {
        var numbers: [UInt32?] = []
        var next = UInt32(0)
        for isRemoved in isRemoved {
            numbers.append(isRemoved ? nil : next)
            if !isRemoved { next += 1 }
        }
        var kept = RemoteWriteRows()
        for (row, series) in sampleSeries.enumerated() {
            if let number = numbers[Int(series)] { kept.append(number, timestamps[row], values[row]) }
        }
        kept.histograms = histograms.compactMap { row in numbers[Int(row.series)].map { ($0, row.timestamp, row.histogram) } }
        kept.startTimes = startTimes.compactMap { row in numbers[Int(row.series)].map { ($0, row.timestamp, row.start) } }
        kept.exemplars = exemplars.compactMap { row in numbers[Int(row.series)].map { ($0, row.exemplar) } }
        self = kept
    }

    /// Hands the rows over.
    mutating func move(to batch: inout MetricBatch) {
        batch.setSamples(series: sampleSeries, timestamps: timestamps, values: values)
        batch.histograms = histograms
        batch.startTimes = startTimes
        batch.exemplars = exemplars
        self = RemoteWriteRows()
    }
}
