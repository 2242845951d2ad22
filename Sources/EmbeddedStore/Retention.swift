import Synchronization
package import Telemetry

/// What is kept: by age and by bytes on disk, a signal each.
struct RetentionPolicy: Sendable, Hashable {
    /// How old rows may be; a signal that is not named keeps everything.
    var age: [Signal: Duration]
    /// Bytes of parts and indexes on disk; a signal that is not named takes what there is.
    var byteCountMax: [Signal: Int]

    /// Why a day goes.
    enum Reason: Sendable, Hashable {
        case age
        case budget
    }

    /// One day of a signal and what it takes on disk.
    struct Day: Sendable, Hashable {
        var day: Int64
        var byteCount: Int
    }

    /// The days to drop, oldest first: those whose last instant is too old, then the oldest until the rest keeps to its budget.
    ///
    /// - Parameters:
    ///   - days: in any order.
    ///   - now: nanoseconds since the Unix epoch. The day that it falls on, and later ones, are never dropped for their size.
    func outdated(_ days: [Day], _ signal: Signal, now: Int64) -> [(day: Int64, reason: Reason)] {
        let unit = 1_000_000_000 / signal.unitsPerSecond
        let ordered = days.sorted { $0.day < $1.day }
        var outdated: [(day: Int64, reason: Reason)] = []
        if let age = age[signal]?.wholeNanoseconds {
            let (limit, overflow) = now.subtractingReportingOverflow(age)
            if !overflow { for day in ordered where Days.range(day.day, signal).end < limit / unit { outdated.append((day.day, .age)) } }
        }
        guard let budget = byteCountMax[signal] else { return outdated }
        let kept = ordered.dropFirst(outdated.count)
        var total = kept.reduce(0) { $0 + $1.byteCount }
        let today = Days.number(of: now / unit, signal)
        for day in kept where total > budget && day.day < today {
            outdated.append((day.day, .budget))
            total -= day.byteCount
        }
        return outdated
    }
}

extension EmbeddedStore {
    /// Changes what is kept, from the next round of background work and the next append on.
    package func setRetention(_ age: [Signal: Duration], diskBudget: [Signal: Int]) {
        retention.withLock { $0 = RetentionPolicy(age: age, byteCountMax: diskBudget) }
    }

    /// Drops the days that retention no longer keeps: folder and all. What a snapshot has linked stays there.
    func dropOutdatedDays(_ now: Int64) throws(StoreError) {
        let policy = retention.withLock { $0 }
        var failure: StoreError?
        for store in signals {
            let sizes = store.dayByteCounts.map { RetentionPolicy.Day(day: $0.key, byteCount: $0.value) }
            for (day, reason) in policy.outdated(sizes, store.signal, now: now) {
                let (folder, budget) = (store.dayFolder(day), policy.byteCountMax[store.signal] ?? 0)
                store.removeDay(day)
                condemned.withLock { _ = $0.insert(folder) }
                switch reason {
                case .age: reporter.info("dropped \(folder): it is older than retention")
                case .budget: reporter.info("dropped \(folder): \(store.signal.name) took more than their budget of \(budget) bytes")
                }
                reporter.counters.update { $0.daysDropped[store.signal, default: [:]][reason, default: 0] += 1 }
            }
        }
        for folder in condemned.withLock({ $0 }) {
            do throws(StoreError) {
                for name in try options.fileSystem.list(folder) { try options.fileSystem.remove(folder + "/" + name) }
                try options.fileSystem.removeFolder(folder)
                condemned.withLock { _ = $0.remove(folder) }
            } catch { failure = error }
        }
        // Tried again in the next round.
        if let failure { throw failure }
    }
}
