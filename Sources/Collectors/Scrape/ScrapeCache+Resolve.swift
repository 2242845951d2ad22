import Formats
import Telemetry

extension ScrapeCache {
    /// Every sample's entry, and what of the exposition is left out.
    struct Resolved {
        /// By sample; -1 where it is refused.
        var positions: [Int] = []
        /// Samples left after relabelling, those refused among them.
        var keptCount = 0
        var refusedCount = 0
        var warning: ScrapeError?
    }

    /// Finds every sample's entry; new ones are made. Of an exposition that is refused nothing is remembered.
    mutating func resolve(
        _ exposition: ExpositionResult, of target: ScrapeTarget, _ directory: (any SeriesDirectory)?
    ) throws(ScrapeError) -> Resolved {
        let (entryCount, byteCount, nameCount) = (entries.count, arena.byteCount, metrics.nameCount)
        var newKeys: [ExposedKey] = []
        do throws(ScrapeError) {
            return try resolve(exposition, of: target, directory, &newKeys)
        } catch {
            for key in newKeys { positions[key] = nil }
            entries.removeLast(entries.count - entryCount)
            arena.cut(at: byteCount)
            metrics.cut(at: nameCount)
            throw error
        }
    }

    private mutating func resolve(
        _ exposition: ExpositionResult, of target: ScrapeTarget, _ directory: (any SeriesDirectory)?, _ newKeys: inout [ExposedKey]
    ) throws(ScrapeError) -> Resolved {
        var resolved = Resolved()
        resolved.positions.reserveCapacity(exposition.samples.count)
        var admission = Admission(target.options, alive: metrics.counts)
        let isRelabelled = !target.options.metricRelabelRules.isEmpty
        var droppedCount = 0
        for sample in exposition.samples {
            let key = ExposedKey(key: SeriesKey(sample.key, in: exposition.bytes.span, seed: seed), form: sample.form)
            var position = positions[key]
            if position == nil {
                // Without rules the metric keeps its name: what has no room need not be looked at.
                if !isRelabelled, !admission.hasRoom(metrics.number(of: exposition.metricName(of: sample))) {
                    resolved.positions.append(-1)
                    continue
                }
                let entry = try newEntry(sample, exposition, target, directory)
                position = entries.count
                entries.append(entry)
                positions[key] = entries.count - 1
                newKeys.append(key)
            }
            guard let position else { continue }
            let entry = entries[position]
            if entry.isDropped {
                droppedCount += 1
                resolved.positions.append(position)
                continue
            }
            let isAdmitted = admission.admit(entry.metric, isAlive: entry.generation == generation && generation > 0)
            resolved.positions.append(isAdmitted ? position : -1)
            if admission.isOverTarget { break }
        }
        let exposedCount = exposition.samples.count
        resolved.keptCount = exposedCount - droppedCount
        resolved.refusedCount = admission.refusedCount
        if admission.isOverTarget {
            throw ScrapeError(
                "series budget exceeded: target \(target.url) exposes more than \(admission.targetMax) series (\(exposedCount) in this scrape); "
                    + BudgetCulprit(exposition).text
                    + "; drop it with metric_relabel_configs, or raise scrape_budget.target_series in apus.yaml or sample_limit in prometheus.yml",
                reason: .targetBudget, scraped: exposedCount, kept: resolved.keptCount)
        }
        let limit = target.options.limits.sampleCountMax
        if limit > 0, resolved.keptCount > limit {
            throw ScrapeError(
                "sample limit exceeded: target \(target.url) has \(resolved.keptCount) samples after relabelling, at most \(limit); "
                    + BudgetCulprit(exposition).text,
                reason: .sampleLimit, scraped: exposedCount, kept: resolved.keptCount)
        }
        if let worst = admission.mostRefused { resolved.warning = warning(of: worst, admission, exposition, target) }
        return resolved
    }

    /// The words for the metric of which most was refused. Finding the label takes time, so they are kept for some scrapes.
    private mutating func warning(
        of metric: Int32, _ admission: Admission, _ exposition: ExpositionResult, _ target: ScrapeTarget
    ) -> ScrapeError {
        let name = metrics.name(metric)
        let refused = admission.refused[metric] ?? 0
        let label: String
        if let lastCulprit, lastCulprit.metric == name, generation < lastCulprit.generation + 20 {
            label = lastCulprit.text
        } else {
            label = BudgetCulprit(exposition, metric: name).labelText
            lastCulprit = (name, label, generation)
        }
        let others = admission.refused.count > 1 ? " (and of \(admission.refused.count - 1) other metrics)" : ""
        return ScrapeError(
            "series budget exceeded: metric \(name.debugDescription) of target \(target.url) has more than \(admission.metricMax) series, "
                + "\(refused) are refused\(others); \(label); "
                + "drop it with metric_relabel_configs, or raise scrape_budget.metric_series in apus.yaml",
            reason: .metricBudget, scraped: exposition.samples.count, kept: exposition.samples.count)
    }

    private mutating func newEntry(
        _ sample: ExpositionResult.Sample, _ exposition: ExpositionResult, _ target: ScrapeTarget, _ directory: (any SeriesDirectory)?
    ) throws(ScrapeError) -> Entry {
        let exposed: Labels
        do throws(FormatError) { exposed = try exposition.labels(of: sample) } catch { throw ScrapeError("\(error)") }
        guard let labels = try target.finalLabels(of: exposed) else {
            return Entry(text: arena.append([]), metric: -1)
        }
        let own = labels.pairs.filter { target.labels[$0.name] != $0.value }
        let hasTargetLabels = labels.count - own.count == target.labels.count
        var entry = Entry(
            text: arena.append(hasTargetLabels ? own : labels.pairs), metric: metrics.number(of: labels[Labels.metricName] ?? ""))
        entry.hasTargetLabels = hasTargetLabels
        entry.key = directory.map { SeriesKey(labels, seed: $0.seed) }
        return entry
    }
}

/// Lets series in as far as the budgets go. Those of the last scrape come first, so that none is pushed out by newcomers.
private struct Admission {
    let targetMax: Int
    let metricMax: Int
    private(set) var refused: [Int32: Int] = [:]
    private(set) var refusedCount = 0
    private(set) var admittedCount = 0
    /// By metric: how many series of it the last scrape had.
    private let alive: [Int]
    /// By metric: how many newcomers have come in.
    private var newcomers: [Int32: Int] = [:]

    init(_ options: ScrapeOptions, alive: [Int]) {
        targetMax = options.limits.sampleCountMax > 0 ? 0 : options.budget.targetSeriesCountMax
        metricMax = options.budget.metricSeriesCountMax
        self.alive = alive
    }

    var isOverTarget: Bool { targetMax > 0 && admittedCount > targetMax }

    /// The metric of which most was refused.
    var mostRefused: Int32? { refused.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key }

    /// Whether a newcomer of the metric may come in; counts it as refused where not.
    mutating func hasRoom(_ metric: Int32) -> Bool {
        guard metricMax > 0 else { return true }
        let place = Int(metric)
        let count = (place < alive.count ? alive[place] : 0) + newcomers[metric, default: 0]
        if count < metricMax { return true }
        refused[metric, default: 0] += 1
        refusedCount += 1
        return false
    }

    mutating func admit(_ metric: Int32, isAlive: Bool) -> Bool {
        if !isAlive {
            guard hasRoom(metric) else { return false }
            if metricMax > 0 { newcomers[metric, default: 0] += 1 }
        }
        admittedCount += 1
        return true
    }
}
