import Telemetry

extension ScrapeCache {
    /// The rows as a store takes them: with the handles of the series that it knows, and the labels of the others.
    ///
    /// - Parameter directory: nil: the labels of all.
    mutating func batch(_ rows: ScrapeRows, of target: ScrapeTarget, _ directory: (any SeriesDirectory)?) -> MetricBatch {
        prepareReports(target, directory)
        var batch = rows.batch
        guard let directory else {
            batch.series = rows.series.map { self.labels(of: $0, target) }
            return batch
        }
        let keys = rows.series.map { key(of: $0) }
        var handles = directory.find(keys.map { $0 ?? SeriesKey(high: 0, low: 0) })
        for index in handles.indices where keys[index] == nil { handles[index] = .unknown }
        if !handles.contains(.unknown) {
            batch.setSeries(known: handles)
            return batch
        }
        var labels: [Labels] = []
        var newKeys: [SeriesKey?] = []
        labels.reserveCapacity(handles.count)
        newKeys.reserveCapacity(handles.count)
        for index in handles.indices {
            let isKnown = handles[index] != .unknown
            labels.append(isKnown ? .empty : self.labels(of: rows.series[index], target))
            newKeys.append(isKnown ? nil : keys[index])
        }
        batch.setSeries(labels, handles: handles, keys: newKeys)
        return batch
    }

    private mutating func prepareReports(_ target: ScrapeTarget, _ directory: (any SeriesDirectory)?) {
        guard reports.isEmpty else { return }
        reports = ReportSeries.names(extra: true).map { name in
            let labels = target.reportLabels(name)
            return (labels, directory.map { SeriesKey(labels, seed: $0.seed) })
        }
    }

    private func key(of series: ScrapeRows.Series) -> SeriesKey? {
        switch series {
        case .entry(let position): entries[position].key
        case .report(let number): reports[number].key
        }
    }

    private func labels(of series: ScrapeRows.Series, _ target: ScrapeTarget) -> Labels {
        switch series {
        case .report(let number): return reports[number].labels
        case .entry(let position):
            let entry = entries[position]
            let own = arena.labels(entry.text)
            return entry.hasTargetLabels ? Labels(own + target.labels.pairs) : Labels(sorted: own)
        }
    }
}
