import Collectors

extension MetricsText {
    /// How often something was taken out of log lines.
    mutating func redactions(_ redactor: Redactor) {
        let counts = redactor.replacementCounts
        if counts.isEmpty { return }
        family("apus_redactions_total", "counter", "Texts taken out of log lines before they were stored, by rule.")
        for (name, count) in counts { sample("apus_redactions_total", [("rule", name)], Double(count)) }
    }
}
