import Formats
import Telemetry

/// What a target remembers between scrapes: every series that it exposes by the bytes in which it does, with the labels under which it is
/// stored, and which series the last scrape had, so that those that are gone get a staleness marker.
struct ScrapeCache: Sendable {
    /// One series as exposed.
    struct Entry: Sendable {
        /// The key of its final labels in the store's directory; nil where the store has none.
        var key: SeriesKey?
        /// Where its labels stand in ``arena``.
        var text: Range<Int>
        /// Its metric's number in ``metrics``; -1: relabelling drops it.
        var metric: Int32
        /// Whether the target's labels belong to those in the arena.
        var hasTargetLabels = true
        /// Whether its samples carry timestamps of their own: then its absence says nothing.
        var isExempt = false
        /// Whether its last sample was a native histogram.
        var isHistogram = false
        /// The scrape that had it last; 0 before one has.
        var generation: UInt64 = 0
        /// The timestamp of its last sample.
        var timestamp: Int64 = .min

        var isDropped: Bool { metric < 0 }
    }

    /// The exposed bytes of a series and how they are to be read.
    struct ExposedKey: Hashable, Sendable {
        var key: SeriesKey
        var form: SeriesForm
    }

    /// What a scrape came to.
    struct Outcome {
        var rows = ScrapeRows()
        /// Samples that the target exposed.
        var scraped = 0
        /// Samples left after metric relabelling.
        var afterRelabelling = 0
        /// Series not seen before.
        var added = 0
        /// Samples of a series that came twice.
        var duplicates = 0
        /// Samples too far in the future.
        var outOfBounds = 0
        /// Samples beyond the budget of their metric, and which budget that was.
        var refused = 0
        var warning: ScrapeError?
    }

    /// Entries beyond twice the live ones are thrown away, but not for a few.
    private static let deadEntryCountMax = 1_000
    /// How far samples may lie in the future (scrape.go, `maxAheadTime`).
    private static let aheadMillisecondsMax: Int64 = 600_000
    /// How old a start may be to begin a series with a sample of 0: Prometheus' head takes nothing older.
    static let startAgeMillisecondsMax: Int64 = 3_600_000

    let seed = SeriesKey.Seed.random()
    var positions: [ExposedKey: Int] = [:]
    var entries: [Entry] = []
    var arena = SeriesArena()
    /// The metrics' names, and how many series of each the last scrape had.
    var metrics = MetricTable()
    /// Counts the scrapes that succeeded.
    private(set) var generation: UInt64 = 0
    /// Whether the last scrape succeeded: the series of ``generation`` are alive.
    private var isAlive = false
    /// Rows of the last scrape that succeeded.
    private var liveCount = 0
    /// Exemplars of the last scrape, by entry.
    private var exemplars: [Int: [Exemplar]] = [:]
    private var metadata: [String: MetricMetadata] = [:]
    /// What was last found to exceed the budget of a metric, and in which scrape.
    var lastCulprit: (metric: String, text: String, generation: UInt64)?
    var reports: [(labels: Labels, key: SeriesKey?)] = []

    /// Turns a parsed exposition into rows. Nothing changes here if it throws.
    mutating func process(
        _ exposition: ExpositionResult, of target: ScrapeTarget, at timestamp: Int64, directory: (any SeriesDirectory)? = nil
    ) throws(ScrapeError) -> Outcome {
        // Not at the end: rows name entries by their positions until they are handed over.
        forgetDead()
        var histograms = exposition.histograms
        for index in histograms.indices { try target.options.formats.limit(&histograms[index]) }
        let resolved = try resolve(exposition, of: target, directory)
        var outcome = Outcome()
        outcome.scraped = exposition.samples.count
        outcome.afterRelabelling = resolved.keptCount
        outcome.refused = resolved.refusedCount
        outcome.warning = resolved.warning
        outcome.rows.reserveCapacity(resolved.positions.count + 8)
        let wasAlive = isAlive
        generation += 1
        isAlive = true
        var came: [Int] = []
        metrics.clearCounts()
        var newExemplars: [Int: [Exemplar]] = [:]
        let latest = timestamp.addingReportingOverflow(Self.aheadMillisecondsMax)
        for (sample, position) in zip(exposition.samples, resolved.positions) where position >= 0 {
            if entries[position].isDropped {
                entries[position].generation = generation
                continue
            }
            if entries[position].generation == generation, entries[position].timestamp == sample.timestamp {
                outcome.duplicates += 1
                continue
            }
            if !latest.overflow, sample.timestamp > latest.partialValue {
                outcome.outOfBounds += 1
                continue
            }
            if entries[position].generation == 0 { outcome.added += 1 }
            if entries[position].generation < generation {
                metrics.count(entries[position].metric)
                if entries[position].generation + 1 < generation || !wasAlive { came.append(position) }
            }
            let before = entries[position].timestamp
            entries[position].generation = generation
            entries[position].timestamp = sample.timestamp
            entries[position].isExempt = sample.hasOwnTimestamp && !target.options.trackTimestampsStaleness
            entries[position].isHistogram = sample.histogram != nil
            let series = outcome.rows.add(.entry(position))
            append(sample, histograms, series, before, target.options.formats.startTimes, &outcome.rows.batch)
            if !sample.exemplars.isEmpty {
                let own = Array(exposition.exemplars[sample.exemplars])
                let known = exemplars[position] ?? []
                for exemplar in own where !known.contains(exemplar) { outcome.rows.batch.exemplars.append((series, exemplar)) }
                newExemplars[position, default: []] += own
            }
        }
        exemplars = newExemplars
        liveCount = outcome.rows.series.count
        if wasAlive { appendMarkers(of: generation - 1, at: timestamp, except: came, to: &outcome.rows) }
        for family in exposition.metadata where metadata[family.family] != family {
            metadata[family.family] = family
            outcome.rows.batch.metadata.append(family)
        }
        // Families that ever change their names must not fill the memory either.
        if metadata.count > 2 * exposition.metadata.count + Self.deadEntryCountMax {
            metadata = Dictionary(exposition.metadata.map { ($0.family, $0) }) { _, last in last }
        }
        return outcome
    }

    /// What is known of the families that the target exposes, by name.
    var families: [MetricMetadata] { metadata.values.sorted { $0.family.utf8Precedes($1.family) } }

    /// Puts one sample, with what belongs to it, into the batch.
    private func append(
        _ sample: ExpositionResult.Sample, _ histograms: [NativeHistogram], _ series: UInt32, _ before: Int64,
        _ startTimes: ScrapeFormats.StartTimes, _ batch: inout MetricBatch
    ) {
        let histogram = sample.histogram.map { histograms[$0] }
        if sample.startTime > 0, sample.startTime < sample.timestamp, startTimes != .ignored {
            if startTimes == .injected, sample.startTime > before,
                sample.timestamp.subtractingReportingOverflow(sample.startTime).partialValue <= Self.startAgeMillisecondsMax
            {
                if let histogram {
                    let zero = NativeHistogram(
                        schema: histogram.schema, zeroThreshold: histogram.zeroThreshold, customBounds: histogram.customBounds)
                    batch.histograms.append((series, sample.startTime, zero))
                } else {
                    batch.append(series: series, timestamp: sample.startTime, value: 0)
                }
            }
            batch.startTimes.append((series, sample.timestamp, sample.startTime))
        }
        if let histogram {
            batch.histograms.append((series, sample.timestamp, histogram))
        } else {
            batch.append(series: series, timestamp: sample.timestamp, value: sample.value)
        }
    }

    /// The markers that end every live series: the target did not answer, or is a target no more.
    mutating func end(at timestamp: Int64) -> ScrapeRows {
        var rows = ScrapeRows()
        if isAlive { appendMarkers(of: generation, at: timestamp, except: [], to: &rows) }
        isAlive = false
        exemplars = [:]
        return rows
    }

    /// - Parameter came: entries that this scrape has and the one before had not: a target that writes its labels in another order has not ended
    ///   the series.
    private func appendMarkers(of ended: UInt64, at timestamp: Int64, except came: [Int], to rows: inout ScrapeRows) {
        var texts: Set<[Label]>?
        for (position, entry) in entries.enumerated() where entry.generation == ended && !entry.isExempt && !entry.isDropped {
            guard entry.timestamp < timestamp else { continue }
            if !came.isEmpty {
                let others = texts ?? Set(came.map { sorted(entries[$0]) })
                texts = others
                if others.contains(sorted(entry)) { continue }
            }
            let series = rows.add(.entry(position))
            if entry.isHistogram {
                rows.batch.histograms.append((series, timestamp, NativeHistogram(sum: Staleness.marker)))
            } else {
                rows.batch.append(series: series, timestamp: timestamp, value: Staleness.marker)
            }
        }
    }

    private func sorted(_ entry: Entry) -> [Label] { arena.labels(entry.text) }

    /// A target that exposes ever new series must not fill the memory with those that are gone.
    private mutating func forgetDead() {
        guard entries.count > 2 * liveCount + Self.deadEntryCountMax else { return }
        var kept: [Entry] = []
        var places: [Int: Int] = [:]
        var keptArena = SeriesArena()
        var keptPositions: [ExposedKey: Int] = [:]
        var keptMetrics = MetricTable()
        for (exposed, position) in positions where entries[position].generation == generation {
            var entry = entries[position]
            entry.text = keptArena.append(entry.text, of: arena)
            if !entry.isDropped {
                entry.metric = keptMetrics.number(of: metrics.name(entry.metric))
                keptMetrics.count(entry.metric)
            }
            places[position] = kept.count
            keptPositions[exposed] = kept.count
            kept.append(entry)
        }
        guard kept.count < entries.count else { return }
        (entries, positions, arena, metrics) = (kept, keptPositions, keptArena, keptMetrics)
        var keptExemplars: [Int: [Exemplar]] = [:]
        for (position, own) in exemplars {
            if let place = places[position] { keptExemplars[place] = own }
        }
        exemplars = keptExemplars
    }
}
