import CIntrinsics
import Synchronization
package import Telemetry

extension EmbeddedStore {
    /// Background work until the task is cancelled: flushes by size and age, merges, retention.
    package func run() async throws {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.roundInterval)
            } catch {
                return
            }
            if isClosed.load(ordering: .relaxed) { return }
            do throws(StoreError) {
                try await maintain()
            } catch {
                // Everything is tried again in the next round; a full disk, say, ends by itself.
                reporter.error("background work on the data folder: \(error)")
            }
        }
    }

    private static let roundInterval = Duration.milliseconds(500)

    /// One round of background work.
    package func maintain() async throws(StoreError) {
        let now = options.time.nanoseconds
        // First, for it is what gives a full disk its space back.
        try dropOldDays(now)
        let oldest = signals.compactMap { $0.activeSummary.firstAppend }.min()
        let isOld = oldest.map { now - $0 >= options.flushAge.wholeNanoseconds } ?? false
        let isLarge = signals.reduce(0) { $0 + $1.activeSummary.byteCount } >= options.flushByteCount
        let isLeft = flushUnits.withLock { !$0.isEmpty }
        if isOld || isLarge || isLeft { try await flush(rotating: isOld || isLarge) }
        try await onThread(mergeThread) { () throws(StoreError) in try self.mergeRound(everything: false) }
    }

    /// Writes everything in memory to parts.
    package func flush() async throws(StoreError) {
        try await flush(rotating: true)
    }

    private func flush(rotating: Bool) async throws(StoreError) {
        if rotating {
            try await log.atBoundary { segment in
                let memtables = self.signals.compactMap { $0.rotate() }
                self.flushUnits.withLock { $0.append(FlushUnit(segment: segment, memtables: memtables)) }
            }
        }
        try await onThread(flushThread) { () throws(StoreError) in try self.flushWaiting() }
    }

    /// Writes what is out of use to parts, oldest first. On the flush's thread.
    private func flushWaiting() throws(StoreError) {
        while let unit = flushUnits.withLock({ $0.first }) {
            let waiting = signals.flatMap(\.memtables)
            for memtable in unit.memtables where waiting.contains(where: { $0 === memtable }) {
                let sequence = nextSequence.withLock { next in
                    defer { next += 1 }
                    return next
                }
                try self[memtable.signal].flush(memtable, sequence: sequence)
                memtableByteCount.add(-memtable.summary.byteCount)
            }
            try metadataTable.persist()
            // Only now does nothing need the log any more.
            try log.dropSegments(below: unit.segment)
            flushUnits.withLock { units in _ = units.removeFirst() }
            // A memtable's worth of small pieces lies free inside the heap now.
            apus_trim_heap()
        }
    }

    /// Writes everything to parts and merges each day into one.
    package func compact() async throws(StoreError) {
        try await flush()
        try await onThread(mergeThread) { () throws(StoreError) in try self.mergeRound(everything: true) }
    }

    /// Flushes, then gives the folder up. The store refuses writes from the start of it.
    package func close() async throws(StoreError) {
        guard !isClosed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        defer { lock.withLock { $0 = nil } }
        try await flush()
        log.close()
        // Whoever merges holds the folder still.
        try await onThread(mergeThread) { () throws(StoreError) in }
    }

    /// Drops the days whose last instant is older than retention.
    private func dropOldDays(_ now: Int64) throws(StoreError) {
        for store in signals {
            guard let retention = options.retention[store.signal]?.wholeNanoseconds else { continue }
            let (limit, overflow) = now.subtractingReportingOverflow(retention)
            if overflow { continue }
            let bound = limit / (1_000_000_000 / store.signal.unitsPerSecond)
            for (day, parts) in store.days where Days.range(day, store.signal).end < bound {
                let folder = store.dayFolder(day)
                store.removeDay(day)
                for part in parts { part.markObsolete() }
                for name in try store.fileSystem.list(folder) { try store.fileSystem.remove(folder + "/" + name) }
                try store.fileSystem.removeFolder(folder)
                reporter.info("dropped \(folder): it is older than retention")
            }
        }
    }

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
            if first <= last { figures.range = TimeRange(first, last) }
            statistics.signals[store.signal] = figures
        }
        statistics.walByteCount = log.byteCount
        statistics.walSyncCount = counters.syncs
        statistics.mergeCount = counters.merges
        statistics.flushCount = counters.flushes
        statistics.quarantinedCount = counters.quarantined
        return statistics
    }
}
