import Patterns
import Settings
import Telemetry

/// `multiline`: a line that matches begins a block, which the lines behind it belong to.
struct MultilineStage: Stage {
    /// The block of one stream.
    private struct Block {
        /// The line that began the block, with what was found in it; its time and labels are the block's.
        var start: StageEntry
        /// The lines so far; empty where the block has been let go.
        var lines = ""
        var lineCount = 0
        var lastTime: Int64 = 0
    }

    private let firstLine: Pattern
    private let lineCountMax: Int
    private let waitMax: Int64
    private var blocks: [Labels: Block] = [:]

    /// Streams that have begun a block: beyond them those without lines are forgotten.
    private static let streamCountMax = 10_000

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["firstline", "max_lines", "max_wait_time"], &context)
        guard let node = fields["firstline"] else {
            throw fields.place.error("multiline needs `firstline`, a regular expression that the first line of a block matches")
        }
        firstLine = try GoText.pattern(node)
        lineCountMax = try fields["max_lines"]?.int ?? 128
        guard lineCountMax >= 0 else { throw fields.place.error("max_lines must not be negative") }
        let wait = try fields["max_wait_time"]?.goDuration ?? .seconds(3)
        waitMax = wait.milliseconds * 1_000_000
    }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        let isFirst = firstLine.matchesPart(entry.line)
        let key = entry.labels
        // Lines before the first block of a stream pass.
        guard var block = blocks.removeValue(forKey: key) ?? (isFirst ? Block(start: entry) : nil) else { return true }
        if isFirst {
            release(&block, &run)
            block.start = entry
        }
        if !block.lines.isEmpty { block.lines += "\n" }
        block.lines += entry.line
        block.lineCount += 1
        block.lastTime = run.now
        if block.lineCount == lineCountMax { release(&block, &run) }
        if blocks.count >= Self.streamCountMax { blocks = blocks.filter { !$0.value.lines.isEmpty } }
        blocks[key] = block
        return false
    }

    private func release(_ block: inout Block, _ run: inout StageRun) {
        // As in Promtail: a block of one empty line is nothing.
        if !block.lines.isEmpty {
            var entry = block.start
            entry.line = block.lines
            run.entries.append(entry)
        }
        block.lines = ""
        block.lineCount = 0
    }

    var nextFlush: Int64? {
        var next: Int64?
        for block in blocks.values where !block.lines.isEmpty { next = min(next ?? .max, block.lastTime &+ waitMax) }
        return next
    }

    mutating func flush(isFinal: Bool, _ run: inout StageRun) {
        let due = blocks.filter { !$0.value.lines.isEmpty && (isFinal || $0.value.lastTime &+ waitMax <= run.now) }
        for (labels, block) in due.sorted(by: { $0.value.start.timestamp < $1.value.start.timestamp }) {
            var block = block
            release(&block, &run)
            blocks[labels] = block
        }
    }

    var held: [HeldEntry] {
        blocks.values.map { block in
            var entry = block.start
            entry.line = block.lines
            return HeldEntry(entry: entry, lineCount: block.lineCount, lastTime: block.lastTime)
        }
    }

    mutating func restore(_ held: [HeldEntry]) {
        for item in held {
            var block = Block(start: item.entry)
            block.lines = item.entry.line
            block.lineCount = item.lineCount
            block.lastTime = item.lastTime
            blocks[item.entry.labels] = block
        }
    }
}
