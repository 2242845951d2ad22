import Telemetry

extension ScrapeTarget {
    /// The labels under which a scraped series is stored: those of the target merged in, then metric relabelling.
    ///
    /// - Returns: nil if relabelling drops the series.
    /// - Throws: if a label limit is exceeded or relabelling took the name away.
    func finalLabels(of exposed: Labels) throws(ScrapeError) -> Labels? {
        var merged = options.honorLabels ? honoring(exposed) : overriding(exposed)
        if !options.metricRelabelRules.isEmpty {
            guard RelabelRule.apply(options.metricRelabelRules, to: &merged), !merged.isEmpty else { return nil }
        }
        guard let name = merged[Labels.metricName] else {
            throw ScrapeError("a sample has no metric name after relabelling: \(exposed)")
        }
        if options.formats.validation == .legacy {
            let isLegal = options.formats.validation.isMetricName(name) && merged.pairs.allSatisfy { $0.name.isLabelIdentifier }
            guard isLegal else { throw ScrapeError("invalid metric name or label names: \(merged)") }
        }
        try check(merged)
        return merged
    }

    /// The labels of `up` and the `scrape_*` series.
    func reportLabels(_ name: String) -> Labels {
        var result = labels
        result[Labels.metricName] = name
        return result
    }

    /// `honor_labels: true`: what the target exposes stays; its own labels fill the gaps.
    private func honoring(_ exposed: Labels) -> Labels {
        var merged = exposed
        for label in labels.pairs where merged[label.name] == nil { merged[label.name] = label.value }
        return merged
    }

    /// The target's labels win; what they replace is kept as `exported_NAME`, with as many prefixes as it takes to be unique.
    private func overriding(_ exposed: Labels) -> Labels {
        var merged = exposed
        var conflicting: [Label] = []
        for label in labels.pairs {
            if let value = merged[label.name] { conflicting.append(Label(label.name, value)) }
            merged[label.name] = label.value
        }
        for label in conflicting.sorted(by: { $0.name.utf8.count < $1.name.utf8.count }) {
            var name = label.name
            repeat { name = "exported_" + name } while merged[name] != nil || exposed[name] != nil
            merged[name] = label.value
        }
        return merged
    }

    private func check(_ merged: Labels) throws(ScrapeError) {
        let limits = options.limits
        func name() -> String { (merged[Labels.metricName] ?? "").debugDescription }
        if limits.labelCountMax > 0, merged.count > limits.labelCountMax {
            throw ScrapeError(
                "label_limit exceeded (metric: \(name()), number of labels: \(merged.count), limit: \(limits.labelCountMax))"
            )
        }
        guard limits.labelNameByteCountMax > 0 || limits.labelValueByteCountMax > 0 else { return }
        for label in merged.pairs {
            let (nameCount, valueCount) = (label.name.utf8.count, label.value.utf8.count)
            if limits.labelNameByteCountMax > 0, nameCount > limits.labelNameByteCountMax {
                throw ScrapeError(
                    "label_name_length_limit exceeded (metric: \(name()), label name: \(label.name.debugDescription), length: \(nameCount), "
                        + "limit: \(limits.labelNameByteCountMax))")
            }
            if limits.labelValueByteCountMax > 0, valueCount > limits.labelValueByteCountMax {
                throw ScrapeError(
                    "label_value_length_limit exceeded (metric: \(name()), label name: \(label.name.debugDescription), length: \(valueCount), "
                        + "limit: \(limits.labelValueByteCountMax))")
            }
        }
    }
}
