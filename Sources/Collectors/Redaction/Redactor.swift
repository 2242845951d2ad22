import Patterns
import Synchronization
package import Telemetry
import Templates

/// Takes out of log lines, and out of their structured metadata, what must not be stored.
package final class Redactor: Sendable {
    private let rules: Mutex<[RedactionRule]>
    private let counts = Mutex<[String: UInt64]>([:])

    package init(_ rules: [RedactionRule]) {
        self.rules = Mutex(rules)
    }

    /// Takes other rules, from the next batch on.
    package func apply(_ rules: [RedactionRule]) {
        self.rules.withLock { $0 = rules }
    }

    /// How often each rule has replaced something.
    package var replacementCounts: [(name: String, count: UInt64)] {
        counts.withLock { $0.sorted { $0.key < $1.key } }.map { ($0.key, $0.value) }
    }

    /// The batch with everything replaced; the same batch where there is nothing, or no rule.
    package func redact(_ batch: consuming LogBatch) -> LogBatch {
        let rules = rules.withLock { $0 }
        if rules.isEmpty { return batch }
        var batch = batch
        var found: [String: UInt64] = [:]
        for index in batch.streams.indices {
            if let rows = redact(batch.streams[index].entries, rules, &found) { batch.streams[index].entries = rows }
        }
        if !found.isEmpty {
            counts.withLock { counts in for (name, count) in found { counts[name, default: 0] += count } }
        }
        return batch
    }

    /// One text with everything replaced.
    package func redact(_ text: String) -> String {
        var found: [String: UInt64] = [:]
        let rules = rules.withLock { $0 }
        guard let bytes = Self.redact(Array(text.utf8)[...], rules, &found) else { return text }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// nil: there is nothing to replace.
    private func redact(_ rows: LogRows, _ rules: [RedactionRule], _ found: inout [String: UInt64]) -> LogRows? {
        var lines: [Int: [UInt8]] = [:]
        var start = 0
        for (row, end) in rows.ends.enumerated() {
            if let line = Self.redact(rows.bytes[start..<end], rules, &found) { lines[row] = line }
            start = end
        }
        var metadata: [Int: Labels] = [:]
        for (row, labels) in rows.metadata.enumerated() where !labels.isEmpty {
            var changed = labels
            for pair in labels.pairs {
                if let value = Self.redact(Array(pair.value.utf8)[...], rules, &found) {
                    changed[pair.name] = String(decoding: value, as: UTF8.self)
                }
            }
            if changed != labels { metadata[row] = changed }
        }
        if lines.isEmpty, metadata.isEmpty { return nil }
        var result = LogRows()
        result.reserve(lineByteCount: rows.bytes.count)
        start = 0
        for (row, end) in rows.ends.enumerated() {
            let line = lines[row] ?? Array(rows.bytes[start..<end])
            let old = rows.metadata.indices.contains(row) ? rows.metadata[row] : .empty
            result.append(
                timestamp: rows.timestamps[row], line: line.span, metadata: metadata[row] ?? old,
                traceID: rows.traceIDs.indices.contains(row) ? rows.traceIDs[row] : .none,
                spanID: rows.spanIDs.indices.contains(row) ? rows.spanIDs[row] : .none)
            start = end
        }
        return result
    }

    /// nil: there is nothing to replace.
    private static func redact(_ text: ArraySlice<UInt8>, _ rules: [RedactionRule], _ found: inout [String: UInt64]) -> [UInt8]? {
        var current: [UInt8]?
        for rule in rules {
            let bytes = current.map { $0[...] } ?? text
            if let needle = rule.needle, !bytes.contains(needle) { continue }
            guard rule.expression.matchesPart(bytes.span) else { continue }
            if let replaced = replace(Array(bytes), rule, &found) { current = replaced }
        }
        return current
    }

    private static func replace(_ bytes: [UInt8], _ rule: RedactionRule, _ found: inout [String: UInt64]) -> [UInt8]? {
        var (result, position, count): ([UInt8], Int, UInt64) = ([], 0, 0)
        var searchFrom = 0
        while searchFrom < bytes.count, let groups = rule.expression.firstMatch(in: bytes.span, from: searchFrom), let match = groups[0],
            !match.isEmpty
        {
            searchFrom = match.upperBound
            if let accepts = rule.accepts, !accepts(bytes[match]) { continue }
            result += bytes[position..<match.lowerBound]
            result += Array(Replacement.expand(rule.replacement, bytes, groups, rule.expression.groupNames).utf8)
            position = match.upperBound
            count += 1
        }
        guard count > 0 else { return nil }
        found[rule.name, default: 0] += count
        return result + bytes[position...]
    }
}
