import Telemetry

/// The patterns of one service's lines, found as the lines arrive: a tree of fixed depth (number of words, first word), whose leaves hold the
/// patterns that a line is compared with (after Drain: He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing Approach with Fixed Depth
/// Tree", ICWS 2017). A line whose shape was seen before finds its pattern by one look-up.
struct ServicePatterns: Sendable {
    struct Pattern: Sendable {
        /// Stays the same while words become wildcards.
        var id: UInt64
        var hashes: [UInt64]
        var words: [String]
        var level: PatternText.Level
        /// How the field begins that holds the words; nil: they are the line.
        var field: String?
        /// By minute since 1970: lines since they were written to disk last.
        var counts: [Int64: Int] = [:]
        /// A line that has it.
        var example: String
    }

    private struct Leaf: Hashable {
        var wordCount: Int
        var first: UInt64
        var level: PatternText.Level
        var field: String?
    }

    /// Patterns of a service; lines that come then go to the nearest.
    static let patternCountMax = 300
    /// Shapes remembered, all forgotten beyond.
    private static let shapeCountMax = 4096
    /// How much of two lines must be the same.
    private static let similarityMin = 0.5
    private static let exampleByteCountMax = 1024

    private(set) var patterns: [Pattern] = []
    private var leaves: [Leaf: [Int]] = [:]
    private var shapes: [UInt64: Int32] = [:]
    /// When the service was seen first, in nanoseconds: what is new then is not news.
    let firstSeen: Int64

    init(firstSeen: Int64) {
        self.firstSeen = firstSeen
    }

    /// Counts a line.
    ///
    /// - Parameter weight: the lines that it stands for.
    /// - Returns: the pattern's position where it is new.
    mutating func add(_ line: UnsafeBufferPointer<UInt8>, at timestamp: Int64, weight: Int) -> Int? {
        guard let text = PatternText(line) else { return nil }
        let level = PatternText.level(line)
        let shape = text.shape(line) &* 31 &+ UInt64(level.rawValue)
        let minute = timestamp >= 0 ? timestamp / 60_000_000_000 : (timestamp - 59_999_999_999) / 60_000_000_000
        if let known = shapes[shape] {
            patterns[Int(known)].counts[minute, default: 0] += weight
            return nil
        }
        let (hashes, words) = text.words(line)
        guard let first = hashes.first else { return nil }
        let leaf = Leaf(wordCount: hashes.count, first: first, level: level, field: text.field.map { "\($0)" })
        let found = find(leaf, hashes)
        let index = found ?? patterns.count
        if found == nil {
            let example = String(decoding: line.prefix(Self.exampleByteCountMax), as: UTF8.self)
            let id = shape ^ UInt64(bitPattern: timestamp) &* 0x9e37_79b9_7f4a_7c15
            append(Pattern(id: id, hashes: hashes, words: words, level: level, field: leaf.field, example: example), leaf)
        }
        if shapes.count >= Self.shapeCountMax { shapes.removeAll(keepingCapacity: true) }
        shapes[shape] = Int32(index)
        patterns[index].counts[minute, default: 0] += weight
        return found == nil ? index : nil
    }

    /// The pattern that a line of these words belongs to, whose words that differ become wildcards; nil where it is a new one.
    private mutating func find(_ leaf: Leaf, _ hashes: [UInt64]) -> Int? {
        var (best, similarity) = (-1, -1.0)
        for index in leaves[leaf] ?? [] {
            var same = 0
            for position in hashes.indices where patterns[index].hashes[position] == hashes[position] { same += 1 }
            let value = Double(same) / Double(hashes.count)
            if value > similarity { (best, similarity) = (index, value) }
        }
        let isFull = patterns.count >= Self.patternCountMax
        guard best >= 0, similarity >= Self.similarityMin || isFull else {
            // What fits nowhere counts for the first of all, once there are too many.
            return isFull ? 0 : nil
        }
        for position in hashes.indices where patterns[best].hashes[position] != hashes[position] {
            (patterns[best].hashes[position], patterns[best].words[position]) = (PatternText.wildcard, PatternText.wildcardText)
        }
        return best
    }

    private mutating func append(_ pattern: Pattern, _ leaf: Leaf) {
        leaves[leaf, default: []].append(patterns.count)
        patterns.append(pattern)
    }

    /// Takes a pattern that is known from before.
    ///
    /// - Returns: whether it was not known yet.
    mutating func restore(_ count: PatternBook.Count) -> Bool {
        let hashes = count.words.map { PatternText.hash(ofWord: $0) }
        guard let first = hashes.first, patterns.count < Self.patternCountMax, !patterns.contains(where: { $0.id == count.id }) else { return false }
        append(
            Pattern(id: count.id, hashes: hashes, words: count.words, level: count.level, field: count.field, example: ""),
            Leaf(wordCount: hashes.count, first: first, level: count.level, field: count.field))
        return true
    }

    mutating func add(_ counts: [Int64: Int], to id: UInt64) {
        guard let index = patterns.firstIndex(where: { $0.id == id }) else { return }
        patterns[index].counts.merge(counts) { $0 + $1 }
    }

    /// Hands over what was counted, and begins anew.
    mutating func takeCounts() -> [(pattern: Int, counts: [Int64: Int])] {
        var taken: [(pattern: Int, counts: [Int64: Int])] = []
        for index in patterns.indices where !patterns[index].counts.isEmpty {
            taken.append((index, patterns[index].counts))
            patterns[index].counts = [:]
        }
        return taken
    }
}

extension ServicePatterns.Pattern {
    var text: String { PatternText.text(words, field: field) }
}
