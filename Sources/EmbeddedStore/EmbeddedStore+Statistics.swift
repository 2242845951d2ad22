package import Telemetry

extension EmbeddedStore {
    /// Figures about the store, for its own metrics and the status pages.
    package func statistics() async -> StoreStatistics {
        var statistics = StoreStatistics()
        let counters = reporter.counters.current
        for store in signals {
            var figures = StoreStatistics.SignalFigures()
            var (first, last) = (Int64.max, Int64.min)
            figures.rowsAppended = counters.rowsAppended[store.signal] ?? 0
            for memtable in store.memtables {
                let summary = memtable.summary
                figures.memtableRowCount += summary.rowCount
                if let range = summary.range { (first, last) = (min(first, range.start), max(last, range.end)) }
            }
            var streamCount = store.registry.count
            for (_, parts) in store.days {
                for part in parts {
                    figures.partCount += 1
                    figures.partRowCount += part.footer.rowCount
                    figures.diskByteCount += part.byteCount
                    streamCount = max(streamCount, part.footer.streamCount)
                    (first, last) = (min(first, part.footer.minTime), max(last, part.footer.maxTime))
                }
            }
            figures.streamCount = streamCount
            figures.diskByteCount += store.indexes.reduce(0) { $0 + $1.fileByteCount }
            figures.tombstoneCount = store.tombstones.all.count
            figures.daysDroppedByAge = counters.daysDropped[store.signal]?[.age] ?? 0
            figures.daysDroppedByBudget = counters.daysDropped[store.signal]?[.budget] ?? 0
            if first <= last { figures.range = TimeRange(first, last) }
            statistics.signals[store.signal] = figures
        }
        (statistics.newLogPatterns, statistics.logPatternCount) = patternBook.figures
        statistics.walByteCount = log.byteCount
        statistics.walSyncCount = counters.syncs
        statistics.mergeCount = counters.merges
        statistics.flushCount = counters.flushes
        statistics.quarantined = counters.quarantined
        statistics.damages = reporter.damagedPlaces
        statistics.refusedOverloadedCount = counters.refusedOverloaded
        statistics.refusedDiskFullCount = counters.refusedDiskFull
        let disk = diskGuard.figures()
        statistics.diskFreeByteCount = disk?.freeByteCount
        statistics.diskReserveByteCount = disk?.wantedByteCount
        return statistics
    }
}
