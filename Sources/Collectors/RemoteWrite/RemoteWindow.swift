import Telemetry

/// What is sent next: for each shard batches in the order in which they must arrive. A series is on one shard.
struct RemoteWindow: Sendable {
    private(set) var shards: [[MetricBatch]]
    private var builders: [Builder]
    private let rowCountMax: Int
    /// Rows that relabelling drops.
    private(set) var dropped = RowCounts()
    private(set) var counts = RowCounts()
    /// Milliseconds since the epoch.
    private(set) var highestTimestamp: Int64 = 0

    private struct Builder: Sendable {
        var batch = MetricBatch()
        /// The number of each series in ``batch``.
        var indexes: [UInt32: UInt32] = [:]
    }

    private struct StartKey: Hashable {
        var series: UInt32
        var timestamp: Int64
    }

    /// - Parameter rowCountMax: of a batch.
    init(shardCount: Int, rowCountMax: Int) {
        shards = [[MetricBatch]](repeating: [], count: max(1, shardCount))
        builders = [Builder](repeating: Builder(), count: max(1, shardCount))
        self.rowCountMax = max(1, rowCountMax)
    }

    /// Adds the rows of a batch.
    ///
    /// - Parameter oldest: older rows are dropped; they are counted in what this returns.
    mutating func add(
        _ batch: MetricBatch, _ series: [(number: UInt32, series: RemoteSeriesTable.Series)], sendsExemplars: Bool, sendsHistograms: Bool,
        oldest: Int64
    ) -> RowCounts {
        var old = RowCounts()
        var starts: [StartKey: Int64] = [:]
        for row in batch.startTimes { starts[StartKey(series: row.series, timestamp: row.timestamp)] = row.start }
        func addStart(_ row: UInt32, _ time: Int64, _ shard: Int, _ index: UInt32) {
            if starts.isEmpty { return }
            guard let start = starts[StartKey(series: row, timestamp: time)] else { return }
            builders[shard].batch.startTimes.append((index, time, start))
        }
        for row in 0..<batch.sampleCount {
            let time = batch.timestamps[row]
            guard time >= oldest else {
                old.samples += 1
                continue
            }
            guard let (shard, index) = place(series, batch.sampleSeries[row]) else {
                dropped.samples += 1
                continue
            }
            builders[shard].batch.append(series: index, timestamp: time, value: batch.values[row])
            counts.samples += 1
            addStart(batch.sampleSeries[row], time, shard, index)
            note(time, shard)
        }
        for row in batch.histograms where sendsHistograms {
            guard row.timestamp >= oldest else {
                old.histograms += 1
                continue
            }
            guard let (shard, index) = place(series, row.series) else {
                dropped.histograms += 1
                continue
            }
            builders[shard].batch.histograms.append((index, row.timestamp, row.histogram))
            counts.histograms += 1
            addStart(row.series, row.timestamp, shard, index)
            note(row.timestamp, shard)
        }
        for row in batch.exemplars where sendsExemplars {
            guard row.exemplar.timestamp >= oldest else {
                old.exemplars += 1
                continue
            }
            guard let (shard, index) = place(series, row.series) else {
                dropped.exemplars += 1
                continue
            }
            builders[shard].batch.exemplars.append((index, row.exemplar))
            counts.exemplars += 1
            note(row.exemplar.timestamp, shard)
        }
        return old
    }

    /// Closes the batches that are not full.
    mutating func finish() {
        for shard in builders.indices where builders[shard].batch.rowCount > 0 { close(shard) }
    }

    private mutating func place(_ series: [(number: UInt32, series: RemoteSeriesTable.Series)], _ index: UInt32) -> (shard: Int, index: UInt32)? {
        guard Int(index) < series.count, let labels = series[Int(index)].series.labels else { return nil }
        let (number, hash) = (series[Int(index)].number, series[Int(index)].series.hash)
        let shard = Int(hash % UInt64(shards.count))
        if let known = builders[shard].indexes[number] { return (shard, known) }
        let new = builders[shard].batch.addSeries(labels)
        builders[shard].indexes[number] = new
        return (shard, new)
    }

    private mutating func note(_ time: Int64, _ shard: Int) {
        highestTimestamp = max(highestTimestamp, time)
        if builders[shard].batch.rowCount >= rowCountMax { close(shard) }
    }

    private mutating func close(_ shard: Int) {
        shards[shard].append(builders[shard].batch)
        builders[shard] = Builder()
    }
}

/// Samples, histograms and exemplars.
package struct RowCounts: Sendable, Hashable {
    package var samples: UInt64 = 0
    package var histograms: UInt64 = 0
    package var exemplars: UInt64 = 0

    package init() {}

    init(_ batch: MetricBatch) {
        samples = UInt64(batch.sampleCount)
        histograms = UInt64(batch.histograms.count)
        exemplars = UInt64(batch.exemplars.count)
    }

    static func += (left: inout RowCounts, right: RowCounts) {
        left.samples &+= right.samples
        left.histograms &+= right.histograms
        left.exemplars &+= right.exemplars
    }
}
