import Collectors

extension SelfMetrics {
    /// What scraping does, and what its budgets refused.
    func scrapes(_ text: inout MetricsText) {
        let (pools, figures) = (scrapePools(), scrapeFigures())
        text.family("apus_scrape_targets", "gauge", "Scrape targets, by job and health.")
        for pool in pools {
            for health in [TargetSnapshot.Health.up, .down, .unknown] {
                let count = pool.active.count { $0.health == health }
                text.sample("apus_scrape_targets", [("scrape_job", pool.name), ("health", health.rawValue)], Double(count))
            }
            text.sample("apus_scrape_targets", [("scrape_job", pool.name), ("health", "dropped")], Double(pool.droppedCount))
        }
        let sorted = { (counts: [ScrapeBudgetFigures.Key: UInt64]) in
            counts.sorted { ($0.key.job, $0.key.scope.rawValue) < ($1.key.job, $1.key.scope.rawValue) }
        }
        text.family("apus_scrape_budget_exceeded_total", "counter", "Scrapes that exceeded a budget, by job and what the budget is for.")
        for (key, count) in sorted(figures.exceeded) {
            text.sample("apus_scrape_budget_exceeded_total", [("scrape_job", key.job), ("budget", key.scope.rawValue)], Double(count))
        }
        text.family(
            "apus_scrape_budget_refused_samples_total", "counter", "Samples refused because a budget was exceeded, by job and what it is for.")
        for (key, count) in sorted(figures.refusedSamples) {
            text.sample("apus_scrape_budget_refused_samples_total", [("scrape_job", key.job), ("budget", key.scope.rawValue)], Double(count))
        }
    }
}
