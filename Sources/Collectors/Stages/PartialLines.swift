import Telemetry

/// The pieces of long lines that container runtimes cut, until the last one comes. Each stream has one line at a time.
struct PartialLines: Sendable {
    private struct Line: Sendable {
        var entry: StageEntry
        /// When its last piece came, in nanoseconds since the Unix epoch.
        var lastTime: Int64
    }

    /// In the order in which they began.
    private var lines: [Line] = []

    var isEmpty: Bool { lines.isEmpty }
    var count: Int { lines.count }

    func contains(_ labels: Labels) -> Bool { lines.contains { $0.entry.labels == labels } }

    /// Puts what the entry's stream has so far before it, and lets go of that.
    ///
    /// - Returns: whether there was something.
    mutating func join(_ entry: inout StageEntry) -> Bool {
        guard let position = lines.firstIndex(where: { $0.entry.labels == entry.labels }) else { return false }
        entry.line = lines.remove(at: position).entry.line + entry.line
        return true
    }

    mutating func hold(_ entry: StageEntry, now: Int64) {
        lines.append(Line(entry: entry, lastTime: now))
    }

    /// When the first line has waited for so long; nil where none waits.
    func due(after wait: Int64) -> Int64? { lines.map { $0.lastTime &+ wait }.min() }

    /// Lets go what has waited for so long; all of it where `wait` is nil.
    mutating func release(_ run: inout StageRun, waitingFor wait: Int64? = nil) {
        let now = run.now
        let isDue = { (line: Line) in wait.map { line.lastTime &+ $0 <= now } ?? true }
        run.entries += lines.filter(isDue).map(\.entry)
        lines.removeAll(where: isDue)
    }

    var held: [HeldEntry] { lines.map { HeldEntry(entry: $0.entry, lastTime: $0.lastTime) } }

    mutating func restore(_ held: [HeldEntry]) { lines = held.map { Line(entry: $0.entry, lastTime: $0.lastTime) } }
}
