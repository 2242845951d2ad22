import CIntrinsics
import Synchronization
package import Telemetry

extension EmbeddedStore {
    /// Background work until the task is cancelled: flushes by size and age, merges, retention.
    package func run() async throws {
        var pause = Self.roundInterval
        // What was reported last, and how often the same has happened since.
        var reported: (message: String, repetitions: Int)?
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: pause)
            } catch {
                return
            }
            if isClosed.load(ordering: .relaxed) { return }
            do throws(StoreError) {
                try await maintain()
                if reported != nil { reporter.info("background work on the data folder succeeds again") }
                (pause, reported) = (Self.roundInterval, nil)
            } catch {
                // Everything is tried again, ever more rarely; a full disk, say, ends by itself.
                pause = min(pause * 2, Self.roundIntervalMax)
                let repetitions = reported?.message == error.description ? (reported?.repetitions ?? 0) + 1 : 0
                if repetitions.isMultiple(of: 12) { reporter.error("background work on the data folder: \(error)") }
                reported = (error.description, repetitions)
            }
        }
    }

    /// After failures; at most so long after the cause is gone, everything goes on.
    private static let roundIntervalMax = Duration.seconds(5)
    private static let roundInterval = Duration.milliseconds(500)

    /// One round of background work.
    package func maintain() async throws(StoreError) {
        let now = options.time.nanoseconds
        // First, for it is what gives a full disk its space back.
        try await whileQuiet { () throws(StoreError) in try self.dropOutdatedDays(now) }
        let oldest = (signals.map { $0.activeSummary.firstAppend } + [stateTable.firstChange]).compactMap { $0 }.min()
        let isOld = oldest.map { now - $0 >= options.flushAge.wholeNanoseconds } ?? false
        let isLarge = signals.reduce(0) { $0 + $1.activeSummary.byteCount } >= options.flushByteCount
        let isLeft = flushUnits.withLock { !$0.isEmpty }
        if isOld || isLarge || isLeft { try await flush(rotating: isOld || isLarge) }
        try await onThread(mergeThread) { () throws(StoreError) in
            try self.mergeRound(everything: false)
            // Of days that are over: they are rewritten as a whole anyway.
            try self.carryOutDeletions(ofDaysBefore: now)
            for signal in self.signals {
                try signal.tidyIndex(now: now) { gone in
                    if signal.signal == .metrics { self.seriesCache.remove(gone) }
                }
            }
        }
    }

    /// Writes everything in memory to parts.
    package func flush() async throws(StoreError) {
        try await flush(rotating: true)
    }

    private func flush(rotating: Bool) async throws(StoreError) {
        if rotating {
            try await log.atBoundary { segment in
                let memtables = self.signals.compactMap { $0.rotate() }
                let layer = self.stateTable.rotate()
                self.flushUnits.withLock { $0.append(FlushUnit(segment: segment, memtables: memtables, stateLayer: layer)) }
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
            // Not before their rows: a snapshot between the two would have positions without lines.
            try stateTable.persist(upTo: unit.stateLayer)
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
}
