import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

/// What a store must answer: every acknowledged row that was not deleted or dropped, and of refused batches all rows or none.
struct StoreModel {
    struct Key: Hashable {
        var series: Int
        var timestamp: Int64
    }

    /// A sample's value, as one number.
    enum Reading: Hashable {
        case float(UInt64)
        case histogram(UInt64)
    }

    struct Cell {
        /// What the last acknowledged write left; nil where there was none.
        var certain: Reading?
        /// What refused writes since then may have left.
        var possible: [Reading] = []
        /// A deletion that failed may have taken it.
        var mayBeGone = false
    }

    /// A log line, span, profile or exemplar: told from all others by its number.
    struct Row: Hashable {
        enum Kind: Hashable, CaseIterable {
            case line, span, profile, exemplar

            var signal: Signal {
                switch self {
                case .line: .logs
                case .span: .spans
                case .profile: .profiles
                case .exemplar: .metrics
                }
            }
        }

        var kind: Kind
        var number: UInt64
        var stream: Int
        var timestamp: Int64
    }

    enum State {
        case certain
        case mayBeGone
        /// Of a refused batch, by its number: there with all others of it, or not at all.
        case refused(Int)
        /// Of a refused batch that a deletion has met: nothing is said of it.
        case unknown
    }

    /// What one append wrote.
    struct Record {
        var samples: [(key: Key, reading: Reading)] = []
        var rows: [Row] = []
        /// Small state that came with it: the key, and the number that is its value now.
        var position: (key: String, number: UInt64)?
    }

    /// A key of small state.
    private struct Position {
        /// What the last acknowledged write left; 0 where there was none.
        var certain: UInt64 = 0
        /// What refused batches since then may have left, in their order: they are there exactly if their rows are.
        var possible: [(batch: Int, number: UInt64)] = []
    }

    static let namespace = "positions"

    private var cells: [Key: Cell] = [:]
    private var rows: [Row: State] = [:]
    private var positions: [String: Position] = [:]
    private var refusedCount = 0
    private var nextNumber: UInt64 = 1

    static func labels(_ series: Int) -> Labels { Labels(["__name__": "m\(series % 2)", "n": "\(series)"]) }

    // MARK: Writes

    /// Draws a batch of all signals, within the three days before `now` (nanoseconds).
    mutating func draw(_ random: inout SplitMix64, now: Int64) -> (batch: TelemetryBatch, record: Record) {
        var batch = TelemetryBatch()
        var record = Record()
        drawMetrics(&random, now, &batch.metrics, &record)
        func time(_ random: inout SplitMix64) -> Int64 { now - Int64(random.next() % 200_000) * 1_000_000_000 }
        func row(_ kind: Row.Kind, _ stream: Int, _ timestamp: Int64) -> UInt64 {
            record.rows.append(Row(kind: kind, number: nextNumber, stream: stream, timestamp: timestamp))
            nextNumber += 1
            return nextNumber - 1
        }
        if random.next() % 2 == 0 {
            let app = Int(random.next() % 3)
            let entries = (0..<(1 + random.next() % 5)).map { _ in
                let time = time(&random)
                return LogEntry(timestamp: time, line: "line \(row(.line, app, time))")
            }
            batch.logs.streams.append(LogBatch.Stream(labels: Labels(["n": "\(app)"]), entries: entries))
        }
        if random.next() % 2 == 0 {
            let service = Int(random.next() % 3)
            var group = SpanBatch.Group(resource: Resource([Attribute("n", .string("\(service)"))]))
            for _ in 0..<(1 + random.next() % 3) {
                let time = time(&random)
                let number = row(.span, service, time)
                group.spans.append(
                    TraceSpan(traceID: TraceID(high: 1, low: number % 5 + 1), spanID: SpanID(number), name: "n", start: time, duration: 5))
            }
            batch.spans.groups.append(group)
        }
        if random.next() % 3 == 0 {
            let service = Int(random.next() % 2)
            let time = time(&random)
            let profile = Profile(
                timestamp: time, duration: 10, frames: [Profile.Frame(function: "f")], stacks: [[0]],
                values: [Int64(row(.profile, service, time))])
            batch.profiles.streams.append(ProfileBatch.Stream(labels: Labels(["n": "\(service)"]), profiles: [profile]))
        }
        if random.next() % 2 == 0 { batch.state = [drawPosition(&random, &record)] }
        return (batch, record)
    }

    /// Draws a change of small state.
    mutating func drawPosition(_ random: inout SplitMix64, _ record: inout Record) -> StateChange {
        let key = "file \(random.next() % 4)"
        // Now and then the key is removed, which is as good as 0.
        let number = random.next() % 6 == 0 ? 0 : nextNumber
        nextNumber += 1
        record.position = (key, number)
        return StateChange(Self.namespace, key, number == 0 ? nil : Array("\(number)".utf8))
    }

    private mutating func drawMetrics(_ random: inout SplitMix64, _ now: Int64, _ metrics: inout MetricBatch, _ record: inout Record) {
        for _ in 0..<(1 + random.next() % 3) {
            let series = Int(random.next() % 6)
            let index = metrics.addSeries(Self.labels(series))
            for _ in 0..<(1 + random.next() % 6) {
                // Few instants, over three days, so that writes meet.
                let timestamp = (now / 1_000_000 / hourMilliseconds - Int64(random.next() % 72)) * hourMilliseconds - Int64(random.next() % 4) * 250
                let value = Double(random.next() % 1000) / 10
                metrics.append(series: index, timestamp: timestamp, value: value)
                record.samples.append((Key(series: series, timestamp: timestamp), .float(value.bitPattern)))
            }
            if random.next() % 4 == 0 {
                let timestamp = now / 1_000_000 / hourMilliseconds * hourMilliseconds - Int64(random.next() % 72) * hourMilliseconds
                var histogram = NativeHistogram()
                histogram.count = Double(random.next() % 1000)
                // Within one batch floats are taken before histograms.
                metrics.histograms.append((index, timestamp, histogram))
                record.samples.append((Key(series: series, timestamp: timestamp), .histogram(histogram.count.bitPattern)))
            }
            if random.next() % 4 == 0 {
                let timestamp = now / 1_000_000 - Int64(random.next() % 200_000) * 1000
                let number = nextNumber
                nextNumber += 1
                record.rows.append(Row(kind: .exemplar, number: number, stream: series, timestamp: timestamp))
                metrics.exemplars.append((index, Exemplar(labels: Labels(["trace_id": "\(number)"]), value: 1, timestamp: timestamp)))
            }
        }
        // The order in which the store takes them.
        record.samples = record.samples.filter { if case .float = $0.reading { true } else { false } }
            + record.samples.filter { if case .histogram = $0.reading { true } else { false } }
    }

    mutating func acknowledge(_ record: Record) {
        for (key, reading) in record.samples { cells[key] = Cell(certain: reading) }
        for row in record.rows { rows[row] = .certain }
        if let position = record.position { positions[position.key] = Position(certain: position.number) }
    }

    mutating func refuse(_ record: Record) {
        for (key, reading) in record.samples { cells[key, default: Cell()].possible.append(reading) }
        for row in record.rows { rows[row] = .refused(refusedCount) }
        if let position = record.position { positions[position.key, default: Position()].possible.append((refusedCount, position.number)) }
        refusedCount += 1
    }

    // MARK: Deletions

    /// What one deletion asks for: a stream of a signal, or all, within a range in the signal's unit.
    struct Deletion {
        var signal: Signal
        var stream: Int?
        var range: TimeRange

        var matchers: [LabelMatcher] { stream.map { [LabelMatcher("n", .equal, "\($0)")] } ?? [] }

        func meets(_ signal: Signal, _ stream: Int, _ timestamp: Int64) -> Bool {
            self.signal == signal && (self.stream ?? stream) == stream && range.contains(timestamp)
        }
    }

    static func drawDeletion(_ random: inout SplitMix64, now: Int64) -> Deletion {
        let signal = Signal.allCases[Int(random.next() % 4)]
        let unit = 1_000_000_000 / signal.unitsPerSecond
        let end = now - Int64(random.next() % 200_000) * 1_000_000_000
        let start = end - Int64(random.next() % 100_000) * 1_000_000_000
        return Deletion(
            signal: signal, stream: random.next() % 4 == 0 ? nil : Int(random.next() % 4),
            range: random.next() % 8 == 0 ? .all : TimeRange(start / unit, end / unit))
    }

    mutating func delete(_ deletion: Deletion, isAcknowledged: Bool) {
        for key in Array(cells.keys) where deletion.meets(.metrics, key.series, key.timestamp) {
            if isAcknowledged { cells[key] = nil } else { cells[key]?.mayBeGone = true }
        }
        for (row, state) in rows where deletion.meets(row.kind.signal, row.stream, row.timestamp) {
            if isAcknowledged {
                rows[row] = nil
            } else if case .refused = state {
                rows[row] = .unknown
            } else {
                rows[row] = .mayBeGone
            }
        }
    }

    // MARK: Check

    /// Holds the store's answers against the model, and takes over what it finds of refused writes.
    ///
    /// - Parameters:
    ///   - limits: by signal, the first instant of the oldest day that retention keeps.
    ///   - settles: after a restart: what a refused batch left is there now, or never will be.
    /// - Returns: what is wrong; nil where nothing is.
    mutating func check(_ store: EmbeddedStore, limits: [Signal: Int64], settles: Bool) async throws -> String? {
        let found = try await Self.samples(store)
        guard let found else { return "a sample came twice" }
        for (key, cell) in cells {
            let allowed = [cell.certain].compactMap { $0 } + cell.possible
            if let reading = found[key] {
                if !allowed.contains(reading) { return "\(key) is \(reading), allowed are \(allowed)" }
            } else if cell.certain != nil, !cell.mayBeGone, key.timestamp >= limits[.metrics] ?? .min {
                return "\(key) is missing"
            }
        }
        if let key = found.keys.first(where: { cells[$0] == nil }) { return "\(key) was deleted or never written" }
        var present: Set<Row> = []
        for kind in Row.Kind.allCases {
            let rows = try await Self.rows(store, kind)
            present.formUnion(rows)
            if Set(rows).count != rows.count { return "a \(kind) came twice" }
        }
        var refused: [Int: (present: Int, absent: Int)] = [:]
        let values = try store.values(in: Self.namespace).mapValues { UInt64(String(decoding: $0, as: UTF8.self)) ?? .max }
        if let wrong = compare(values, &refused) ?? compare(present, limits, &refused) { return wrong }
        guard settles else { return nil }
        positions = values.mapValues { Position(certain: $0) }
        cells = found.mapValues { Cell(certain: $0) }
        self.rows = Dictionary(uniqueKeysWithValues: present.map { ($0, .certain) })
        return nil
    }

    private func compare(_ values: [String: UInt64], _ refused: inout [Int: (present: Int, absent: Int)]) -> String? {
        for (key, position) in positions {
            let found = values[key] ?? 0
            let candidates = position.possible.indices.filter { position.possible[$0].number == found }
            let last = candidates.last
            if last == nil, found != position.certain { return "\(key) is at \(found), \(position.certain) or \(position.possible) were written" }
            // Where a removal leaves no value, another may have done it, or there was none.
            if let last, candidates.count == 1, found != position.certain { refused[position.possible[last].batch, default: (0, 0)].present += 1 }
            for later in position.possible[((last ?? -1) + 1)...] where later.number != found {
                refused[later.batch, default: (0, 0)].absent += 1
            }
        }
        return values.keys.first { positions[$0] == nil }.map { "\($0) has a position that was never written" }
    }

    private func compare(
        _ present: Set<Row>, _ limits: [Signal: Int64], _ refused: inout [Int: (present: Int, absent: Int)]
    ) -> String? {
        for (row, state) in rows where row.timestamp >= limits[row.kind.signal] ?? .min {
            switch state {
            case .certain: if !present.contains(row) { return "\(row) is missing" }
            case .refused(let batch):
                refused[batch, default: (0, 0)].present += present.contains(row) ? 1 : 0
                refused[batch, default: (0, 0)].absent += present.contains(row) ? 0 : 1
            case .mayBeGone, .unknown: break
            }
        }
        if let half = refused.first(where: { $0.value.present > 0 && $0.value.absent > 0 }) { return "half of the refused batch \(half.key) is there" }
        return present.first { rows[$0] == nil }.map { "\($0) was deleted or never written" }
    }

    /// Every sample; nil where one came twice.
    private static func samples(_ store: EmbeddedStore) async throws -> [Key: Reading]? {
        var found: [Key: Reading] = [:]
        for block in try await store.blocks(.metrics) {
            for (row, timestamp) in block.timestamps.enumerated() {
                let key = Key(series: Int(block.stream.labels["n"] ?? "") ?? -1, timestamp: timestamp)
                let reading: Reading
                switch block.columns {
                case .floats(let values): reading = .float(values[row].bitPattern)
                case .histograms(let values): reading = .histogram(values[row].count.bitPattern)
                default: return nil
                }
                if found.updateValue(reading, forKey: key) != nil { return nil }
            }
        }
        return found
    }

    private static func rows(_ store: EmbeddedStore, _ kind: Row.Kind) async throws -> [Row] {
        if kind == .exemplar {
            return try await store.exemplars(matching: [], in: .all).flatMap { series, exemplars in
                exemplars.map {
                    Row(kind: kind, number: UInt64($0.labels["trace_id"] ?? "") ?? 0, stream: Int(series["n"] ?? "") ?? -1, timestamp: $0.timestamp)
                }
            }
        }
        var rows: [Row] = []
        for block in try await store.blocks(kind.signal) {
            let stream = Int(block.stream.labels["n"] ?? "") ?? -1
            for (row, timestamp) in block.timestamps.enumerated() {
                let number: UInt64
                switch block.columns {
                case .logs(let columns): number = UInt64(columns.line(row).dropFirst(5)) ?? 0
                case .spans(let spans): number = spans[row].spanID.value
                case .profiles(let profiles): number = UInt64(profiles[row].values.first ?? 0)
                default: number = 0
                }
                rows.append(Row(kind: kind, number: number, stream: stream, timestamp: timestamp))
            }
        }
        return rows
    }
}
