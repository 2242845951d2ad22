import Formats
import Telemetry

/// What a target remembers between scrapes: the final labels of every series that it exposes, and which series the last scrape
/// had, so that those that are gone get a staleness marker.
struct ScrapeCache: Sendable {
    /// One series as exposed.
    private struct Entry: Sendable {
        /// The labels it is stored under; nil if relabelling drops it.
        var labels: Labels?
        /// The scrape that had it last; 0 before one has.
        var generation: UInt64 = 0
        /// The timestamp of its last sample.
        var timestamp: Int64 = .min
        /// Whether its samples carry timestamps of their own: then its absence says nothing.
        var isExempt = false
        var exemplar: Exemplar?
    }

    /// What a scrape came to.
    struct Outcome {
        var batch = MetricBatch()
        /// Samples that the target exposed.
        var scraped = 0
        /// Samples left after metric relabelling.
        var afterRelabelling = 0
        /// Series not seen before.
        var added = 0
        /// Samples of a series that came twice.
        var duplicates = 0
    }

    /// Entries beyond twice the live ones are thrown away, but not for a few.
    private static let deadEntryCountMax = 1_000

    private var positions: [Labels: Int] = [:]
    private var entries: [Entry] = []
    /// Counts the scrapes that succeeded.
    private var generation: UInt64 = 0
    /// Whether the last scrape succeeded: the series of ``generation`` are alive.
    private var isAlive = false
    private var metadata: [String: MetricMetadata] = [:]

    /// Turns a parsed exposition into rows. Nothing changes here if it throws.
    mutating func process(
        _ exposition: ExpositionResult, of target: ScrapeTarget, at timestamp: Int64
    ) throws(ScrapeError) -> Outcome {
        let resolved = try resolve(exposition, of: target)
        var outcome = Outcome()
        outcome.scraped = exposition.series.count
        outcome.batch.reserveCapacity(resolved.count + 5)
        generation += 1
        for (sample, position) in zip(exposition.series, resolved) {
            guard let labels = entries[position].labels else { continue }
            outcome.afterRelabelling += 1
            if entries[position].generation == generation, entries[position].timestamp == sample.timestamp {
                outcome.duplicates += 1
                continue
            }
            if entries[position].generation == 0 { outcome.added += 1 }
            entries[position].generation = generation
            entries[position].timestamp = sample.timestamp
            entries[position].isExempt = sample.hasOwnTimestamp && !target.options.trackTimestampsStaleness
            let series = outcome.batch.addSeries(labels)
            outcome.batch.append(series: series, timestamp: sample.timestamp, value: sample.value)
            if let exemplar = sample.exemplar, exemplar != entries[position].exemplar {
                entries[position].exemplar = exemplar
                outcome.batch.exemplars.append((series, exemplar))
            }
        }
        let wasAlive = isAlive
        isAlive = true
        if wasAlive { appendMarkers(of: generation - 1, at: timestamp, to: &outcome.batch) }
        for family in exposition.metadata where metadata[family.family] != family {
            metadata[family.family] = family
            outcome.batch.metadata.append(family)
        }
        forgetDead(liveCount: resolved.count)
        return outcome
    }

    /// The markers that end every live series: the target did not answer, or is a target no more.
    mutating func end(at timestamp: Int64) -> MetricBatch {
        var batch = MetricBatch()
        if isAlive { appendMarkers(of: generation, at: timestamp, to: &batch) }
        isAlive = false
        return batch
    }

    /// The position of every sample's entry; new ones are made.
    private mutating func resolve(_ exposition: ExpositionResult, of target: ScrapeTarget) throws(ScrapeError) -> [Int]
    {
        var resolved: [Int] = []
        resolved.reserveCapacity(exposition.series.count)
        var count = 0
        let limit = target.options.limits.sampleCountMax
        for sample in exposition.series {
            let position: Int
            if let known = positions[sample.labels] {
                position = known
            } else {
                position = entries.count
                entries.append(Entry(labels: try target.finalLabels(of: sample.labels)))
                positions[sample.labels] = position
            }
            resolved.append(position)
            if entries[position].labels != nil { count += 1 }
            if limit > 0, count > limit { throw .sampleLimit(limit) }
        }
        return resolved
    }

    private func appendMarkers(of ended: UInt64, at timestamp: Int64, to batch: inout MetricBatch) {
        for entry in entries where entry.generation == ended && !entry.isExempt {
            guard let labels = entry.labels, entry.timestamp < timestamp else { continue }
            let series = batch.addSeries(labels)
            batch.append(series: series, timestamp: timestamp, value: Staleness.marker)
        }
    }

    /// A target that exposes ever new series must not fill the memory with those that are gone.
    private mutating func forgetDead(liveCount: Int) {
        guard entries.count > 2 * liveCount + Self.deadEntryCountMax else { return }
        var kept: [Entry] = []
        var keptPositions: [Labels: Int] = [:]
        for (exposed, position) in positions
        where entries[position].generation == generation || entries[position].labels == nil {
            keptPositions[exposed] = kept.count
            kept.append(entries[position])
        }
        guard kept.count < entries.count else { return }
        (entries, positions) = (kept, keptPositions)
    }
}
