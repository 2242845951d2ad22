import LogQL
import Telemetry

/// Patterns of stored lines, found by reading the newest of them: for stores that do not gather patterns as lines arrive.
///
/// Lines are sorted by the number of their words and the first one, then merged into the nearest pattern there (after Drain: He et al. 2017).
struct ScannedPatterns: PatternSource {
    let store: any TelemetryStore

    /// Lines that one answer looks at.
    private static let lineCountMax = 200_000

    func patterns(matching matchers: [LabelMatcher], in range: TimeRange, step: Int64) async throws(StoreError) -> [LogPattern] {
        let streams = try await store.streams(.logs, matching: matchers, in: range)
        guard !streams.isEmpty else { return [] }
        var finder = PatternFinder(step: step)
        var count = 0
        let request = ScanRequest(
            signal: .logs, streams: streams, range: range, order: .newestFirst, columns: [.line, .metadata])
        do {
            try await store.scan(request) { block in
                try Task.checkCancellation()
                guard case .logs(let columns) = block.columns else { return .continue }
                for index in 0..<min(block.count, columns.ends.count) {
                    let line = columns.bytes[columns.range(index)]
                    let metadata = columns.metadata.indices.contains(index) ? columns.metadata[index] : .empty
                    let level = LevelDetector.level(stream: block.stream.labels, metadata: metadata, line: line)
                    finder.add(line, level: level, at: block.timestamps[index])
                }
                count += block.count
                return count < Self.lineCountMax ? .continue : .stop
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.closed, "\(error)")
        }
        return finder.patterns
    }
}

/// Merges lines into patterns.
struct PatternFinder {
    private struct Cluster {
        var words: [[UInt8]]
        var counts: [Int64: Int] = [:]
    }

    private struct Key: Hashable {
        var level: String
        var wordCount: Int
        var first: [UInt8]
    }

    static let wildcard = Array("<_>".utf8)
    /// Lines longer than that are told by their beginning.
    private static let wordCountMax = 80
    /// Patterns of one kind; what comes then goes to the nearest.
    private static let clusterCountMax = 50
    /// How much of two lines must be the same.
    private static let similarityMin = 0.5
    /// The fields of JSON lines that hold what a person wrote, by rank.
    private static let messageFields = ["message", "msg", "log", "content", "body", "text"]

    let step: Int64
    private var clusters: [Key: [Cluster]] = [:]

    init(step: Int64) { self.step = max(step, 1) }

    mutating func add(_ line: ArraySlice<UInt8>, level: String, at timestamp: Int64) {
        var text = line
        var isPart = false
        if line.first == UInt8(ascii: "{"), let message = JSONFields.first(of: Self.messageFields, in: line) {
            text = Array(message.utf8)[...]
            isPart = true
        }
        var words = text.split(separator: UInt8(ascii: " "), maxSplits: Self.wordCountMax, omittingEmptySubsequences: true).map(Self.masked)
        if isPart {
            words.insert(Self.wildcard, at: 0)
            words.append(Self.wildcard)
        }
        guard !words.isEmpty else { return }
        let key = Key(level: level, wordCount: words.count, first: words[isPart ? 1 : 0])
        let bucket = timestamp - ((timestamp % step) + step) % step
        merge(words, into: &clusters[key, default: []], at: bucket)
    }

    private func merge(_ words: [[UInt8]], into clusters: inout [Cluster], at bucket: Int64) {
        var (best, bestSimilarity) = (-1, -1.0)
        for index in clusters.indices {
            var same = 0
            for position in words.indices where clusters[index].words[position] == words[position] { same += 1 }
            let similarity = Double(same) / Double(words.count)
            if similarity > bestSimilarity { (best, bestSimilarity) = (index, similarity) }
        }
        guard best >= 0, bestSimilarity >= Self.similarityMin || clusters.count >= Self.clusterCountMax else {
            return clusters.append(Cluster(words: words, counts: [bucket: 1]))
        }
        for position in words.indices where clusters[best].words[position] != words[position] {
            clusters[best].words[position] = Self.wildcard
        }
        clusters[best].counts[bucket, default: 0] += 1
    }

    /// A word with a digit in it differs from line to line; of `key=value` only the value does.
    private static func masked(_ word: ArraySlice<UInt8>) -> [UInt8] {
        if let equal = word.firstIndex(of: UInt8(ascii: "=")), equal > word.startIndex, equal + 1 < word.endIndex {
            let value = word[(equal + 1)...]
            return hasDigit(value) ? Array(word[...equal]) + wildcard : Array(word)
        }
        return hasDigit(word) ? wildcard : Array(word)
    }

    private static func hasDigit(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.contains { (0x30...0x39).contains($0) } }

    /// The most frequent first.
    var patterns: [LogPattern] {
        var result: [LogPattern] = []
        for (key, clusters) in clusters {
            for cluster in clusters {
                let samples = cluster.counts.sorted { $0.key < $1.key }.map { (timestamp: $0.key, count: $0.value) }
                result.append(LogPattern(pattern: Self.text(cluster.words), level: key.level, samples: samples))
            }
        }
        return result.map { ($0, $0.total) }.sorted { $0.1 == $1.1 ? $0.0.pattern < $1.0.pattern : $0.1 > $1.1 }.map(\.0)
    }

    /// The words with a blank between; no two wildcards side by side, which no pattern filter takes.
    private static func text(_ words: [[UInt8]]) -> String {
        var kept: [[UInt8]] = []
        for word in words where !(word == wildcard && kept.last == wildcard) { kept.append(word) }
        return kept.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }
}
