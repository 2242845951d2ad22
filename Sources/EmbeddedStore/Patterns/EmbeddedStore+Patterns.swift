package import Telemetry

/// Patterns of log lines: found as lines arrive, counted by minute and service, kept beside the day's parts.
extension EmbeddedStore: PatternSource {
    /// A matcher chooses services: those of the streams that it matches.
    package func patterns(
        matching matchers: [LabelMatcher], in range: TimeRange, step: Int64
    ) async throws(StoreError) -> [LogPattern] {
        let services = Set(try await streams(.logs, matching: matchers, in: range).map { PatternBook.service($0.labels) })
        if services.isEmpty { return [] }
        var counts: [PatternBook.Count] = []
        for (day, _) in self[.logs].days.sorted(by: { $0.key < $1.key }) where Days.range(day, .logs).overlaps(range) {
            counts += try patternFile(day).read().filter { services.contains($0.service) }
        }
        counts += patternBook.counts { services.contains($0) }
        return PatternTally(counts, in: range, step: step).patterns
    }

    private func patternFile(_ day: Int64) -> PatternFile {
        PatternFile(day: day, folder: self[.logs].dayFolder(day), fileSystem: options.fileSystem)
    }

    /// Looks at the lines of a batch that was stored.
    func observePatterns(_ streams: [LogBatch.Stream]) {
        let now = options.time.nanoseconds
        for stream in streams { patternBook.observe(stream.labels, stream.entries, now: now) }
    }

    /// Writes what was counted to the files of its days, as far as those days have parts.
    func persistPatterns() {
        let taken = patternBook.takeCounts()
        if taken.isEmpty { return }
        var byDay: [Int64: [PatternBook.Count]] = [:]
        for count in taken {
            var minutes: [Int64: [Int64: Int]] = [:]
            for (minute, lines) in count.counts {
                minutes[Days.number(of: minute &* 60_000_000_000, .logs), default: [:]][minute] = lines
            }
            for (day, counts) in minutes {
                var part = count
                part.counts = counts
                byDay[day, default: []].append(part)
            }
        }
        let days = self[.logs].days
        for (day, counts) in byDay {
            guard days[day]?.isEmpty == false else {
                patternBook.putBack(counts)
                continue
            }
            do throws(StoreError) { try patternFile(day).append(counts) } catch {
                patternBook.putBack(counts)
                reporter.warning("the patterns of log lines of \(Days.name(day)) cannot be written: \(error)")
            }
        }
    }

    /// Knows the patterns of the newest days again.
    func restorePatterns() {
        for day in self[.logs].days.keys.sorted().suffix(2) {
            // Without them patterns are found anew, and that is all that is lost.
            if let counts = try? patternFile(day).read() { patternBook.restore(counts, now: options.time.nanoseconds) }
        }
    }

    /// Writes a line about each pattern that its service never had before.
    func reportNewPatterns() async throws(StoreError) {
        let news = patternBook.takeNews()
        if news.isEmpty { return }
        var rows: [String: [LogEntry]] = [:]
        for one in news { rows[one.service, default: []].append(LogEntry(timestamp: options.time.nanoseconds, line: one.line)) }
        var batch = TelemetryBatch()
        for (service, entries) in rows {
            let labels = Labels(["job": "apus", PatternBook.kindLabel: PatternBook.newsKind, "service_name": service])
            batch.logs.streams.append(LogBatch.Stream(labels: labels, entries: LogRows(entries)))
        }
        try await append(batch)
    }
}

extension PatternBook.News {
    /// As JSON.
    fileprivate var line: String {
        func quoted(_ text: String) -> String {
            var result = "\""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\"": result += "\\\""
                case "\\": result += "\\\\"
                case "\n": result += "\\n"
                case "\t": result += "\\t"
                case "\r": result += "\\r"
                case _ where scalar.value < 0x20: result += " "
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result + "\""
        }
        return "{\"level\":\(quoted(level)),\"msg\":\"new log pattern\",\"service\":\(quoted(service)),\"pattern\":\(quoted(pattern)),"
            + "\"example\":\(quoted(example))}"
    }
}

/// Counts by pattern and step.
private struct PatternTally {
    private var counts: [UInt64: (latest: PatternBook.Count, samples: [Int64: Int])] = [:]

    init(_ all: [PatternBook.Count], in range: TimeRange, step: Int64) {
        // Minutes are what is kept.
        let step = max(step, 60_000_000_000)
        for count in all {
            var samples = counts[count.id]?.samples ?? [:]
            for (minute, lines) in count.counts {
                let time = minute &* 60_000_000_000
                guard time &+ 59_999_999_999 >= range.start, time <= range.end else { continue }
                samples[time - ((time % step) + step) % step, default: 0] += lines
            }
            counts[count.id] = (count, samples)
        }
    }

    /// The most frequent first.
    var patterns: [LogPattern] {
        var found: [LogPattern] = []
        for (latest, samples) in counts.values where !samples.isEmpty {
            found.append(
                LogPattern(
                    pattern: PatternText.text(latest.words, field: latest.field), level: latest.level.name,
                    samples: samples.sorted { $0.key < $1.key }.map { (timestamp: $0.key, count: $0.value) }))
        }
        return found.map { ($0, $0.total) }.sorted { $0.1 == $1.1 ? $0.0.pattern < $1.0.pattern : $0.1 > $1.1 }.map(\.0)
    }
}
