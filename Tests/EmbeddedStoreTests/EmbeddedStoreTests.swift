import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("EmbeddedStore")
struct EmbeddedStoreTests {
    /// Where the rows lie when they are read.
    enum Place: CaseIterable {
        case memory, parts, partsAfterReopening, logAfterReopening, merged
    }

    /// Brings a store's rows to a place.
    static func bring(_ store: EmbeddedStore, to place: Place, _ options: EmbeddedStore.Options) async throws -> EmbeddedStore {
        switch place {
        case .memory: return store
        case .parts: try await store.flush()
        case .partsAfterReopening:
            try await store.close()
            return try EmbeddedStore.open(options)
        case .logAfterReopening:
            // As a kill would leave it.
            store.lock.withLock { $0 = nil }
            return try EmbeddedStore.open(options)
        case .merged: try await store.compact()
        }
        return store
    }

    @Test("samples come back in the order of time, the last write of a timestamp stays", arguments: Place.allCases)
    func samplesComeBack(place: Place) async throws {
        let folder = try ScratchFolder()
        let options = options(folder.path)
        var store = try EmbeddedStore.open(options)
        let stale = Staleness.marker
        try await store.append(samples(["__name__": "up", "job": "a"], [(noonMilliseconds - 1000, 1), (noonMilliseconds, 2)]))
        try await store.append(samples(["__name__": "up", "job": "b"], [(noonMilliseconds - 500, -0.0)]))
        if place == .merged { try await store.flush() }
        try await store.append(
            samples(["__name__": "up", "job": "a"], [(noonMilliseconds - 30 * hourMilliseconds, 7), (noonMilliseconds - 1000, stale)]))
        store = try await Self.bring(store, to: place, options)
        let rows = try await store.floats([LabelMatcher("job", .equal, "a")])
        #expect(rows.map(\.timestamp) == [noonMilliseconds - 30 * hourMilliseconds, noonMilliseconds - 1000, noonMilliseconds])
        #expect(rows.map(\.bits) == [(7.0).bitPattern, stale.bitPattern, (2.0).bitPattern])
        #expect(try await store.floats([LabelMatcher("job", .equal, "b")]).map(\.bits) == [(-0.0).bitPattern])
        #expect(try await store.floats(in: TimeRange(noonMilliseconds - 600, noonMilliseconds - 400)).count == 1)
    }

    @Test("log lines, metadata and ids come back; equal rows once", arguments: Place.allCases)
    func logsComeBack(place: Place) async throws {
        let folder = try ScratchFolder()
        let options = options(folder.path)
        var store = try EmbeddedStore.open(options)
        let trace = TraceID(high: 1, low: 2)
        let entries = [
            LogEntry(timestamp: noon, line: "first", metadata: Labels(["level": "info"]), traceID: trace, spanID: SpanID(9)),
            LogEntry(timestamp: noon, line: "second"), LogEntry(timestamp: noon - 5, line: ""), LogEntry(timestamp: noon, line: "second"),
        ]
        try await store.append(logs(["service_name": "orders"], entries))
        if place == .merged { try await store.flush() }
        try await store.append(logs(["service_name": "orders"], [entries[0]]))
        store = try await Self.bring(store, to: place, options)
        let blocks = try await store.blocks(.logs)
        #expect(blocks.flatMap(\.timestamps) == [noon - 5, noon, noon])
        #expect(try await store.lines() == ["", "first", "second"])
        let found = try await store.blocks(.logs, predicates: [.trace(trace)])
        #expect(found.map(\.count) == [1] && found[0].applied == 1)
        guard case .logs(let columns) = found[0].columns else { return }
        #expect(columns.metadata == [Labels(["level": "info"])] && columns.spanIDs == [SpanID(9)])
        #expect(try await store.lines(predicates: [.lineContains("eco"), .lineExcludes("first")]) == ["second"])
    }

    @Test("spans come back whole, and by their trace", arguments: Place.allCases)
    func spansComeBack(place: Place) async throws {
        let folder = try ScratchFolder()
        let options = options(folder.path)
        var store = try EmbeddedStore.open(options)
        var wanted: [TraceSpan] = []
        for number in 0..<50 {
            var span = TraceSpan(
                traceID: TraceID(high: 7, low: UInt64(number / 5)), spanID: SpanID(UInt64(number + 1)), name: "GET /\(number % 3)",
                kind: .server, start: noon + Int64(number) * 1_000, duration: Int64(number), status: number % 2 == 0 ? .ok : .error)
            span.attributes = [
                Attribute("http.route", .string("/x")), Attribute("n", .int(Int64(number))), Attribute("d", .double(0.5)),
                Attribute("list", .array([.bool(true), .empty, .bytes([1, 2]), .map([Attribute("k", .string("v"))])])),
            ]
            span.events = [TraceSpan.Event(timestamp: noon + 5, name: "exception", attributes: [Attribute("m", .string("x"))])]
            span.links = [TraceSpan.Link(traceID: TraceID(high: 1, low: 1), spanID: SpanID(4), traceState: "a=b", flags: 1)]
            span.scope = TraceSpan.Scope(name: "lib", version: "1", attributes: [Attribute("s", .string("t"))])
            (span.traceState, span.flags, span.statusMessage, span.droppedEventsCount) = ("c=d", 1, "no", 3)
            wanted.append(span)
        }
        try await store.append(spans("orders", Array(wanted[..<30])))
        if place == .merged { try await store.flush() }
        try await store.append(spans("orders", Array(wanted[20...])))
        store = try await Self.bring(store, to: place, options)
        #expect(try await store.allSpans() == wanted)
        #expect(try await store.allSpans([.trace(TraceID(high: 7, low: 3))]) == Array(wanted[15..<20]))
        #expect(try await store.allSpans([.spanName(.equal, "GET /1"), .duration(.greater, 40), .status(.equal, .error)]).map(\.duration) == [43, 49])
        #expect(try await store.allSpans([.trace(TraceID(high: 7, low: 99))]).isEmpty)
    }

    @Test("histograms, exemplars, metadata and profiles come back", arguments: Place.allCases)
    func restComesBack(place: Place) async throws {
        let folder = try ScratchFolder()
        let options = options(folder.path)
        var store = try EmbeddedStore.open(options)
        let histogram = NativeHistogram(
            schema: 3, zeroThreshold: 1e-128, zeroCount: 2, count: 9, sum: 4.5,
            positiveRuns: [NativeHistogram.Run(offset: -2, length: 2), NativeHistogram.Run(offset: 4, length: 1)],
            positiveCounts: [1, 2, 4], customBounds: [], resetHint: .notReset)
        var batch = samples(["__name__": "h"], [(noonMilliseconds - 20, 1), (noonMilliseconds - 10, 1), (noonMilliseconds, 1)])
        batch.metrics.histograms.append((series: 0, timestamp: noonMilliseconds - 10, histogram: histogram))
        let exemplar = Exemplar(labels: Labels(["trace_id": "abc"]), value: 0.25, timestamp: noonMilliseconds)
        batch.metrics.exemplars.append((series: 0, exemplar: exemplar))
        let metadata = MetricMetadata(family: "h", kind: .histogram, help: "latency", unit: "seconds")
        batch.metrics.metadata = [metadata]
        let profile = Profile(
            timestamp: noon, duration: 10, frames: [Profile.Frame(function: "main", file: "a.go", line: 3), Profile.Frame(function: "f")],
            stacks: [[0], [0, 1]], values: [5, -1])
        batch.profiles.streams.append(ProfileBatch.Stream(labels: Labels(["service_name": "orders"]), profiles: [profile]))
        try await store.append(batch)
        store = try await Self.bring(store, to: place, options)
        let blocks = try await store.blocks(.metrics)
        #expect(blocks.map(\.timestamps) == [[noonMilliseconds - 20], [noonMilliseconds - 10], [noonMilliseconds]])
        guard blocks.count == 3, case .histograms(let found) = blocks[1].columns else {
            Issue.record("no histogram among \(blocks)")
            return
        }
        #expect(found == [histogram])
        let exemplars = try await store.exemplars(matching: [], in: .all)
        #expect(exemplars.map(\.exemplars) == [[exemplar]])
        #expect(try await store.metadata(family: nil) == [metadata])
        let profiles = try await store.blocks(.profiles)
        guard case .profiles(let back)? = profiles.first?.columns else {
            Issue.record("no profile")
            return
        }
        #expect(back == [profile])
    }

    @Test("labels are answered from the index")
    func labels() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        for number in 0..<20 {
            let labels = Labels(["__name__": number < 10 ? "a" : "b", "n": "\(number)", "odd": number % 2 == 1 ? "yes" : ""])
            var batch = TelemetryBatch()
            let series = batch.metrics.addSeries(labels)
            batch.metrics.append(series: series, timestamp: noonMilliseconds - (number == 19 ? 48 * hourMilliseconds : 0), value: 1)
            try await store.append(batch)
        }
        func count(_ matchers: LabelMatcher..., range: TimeRange = .all) async throws -> Int {
            try await store.streams(.metrics, matching: matchers, in: range).count
        }
        #expect(try await count() == 20)
        #expect(try await count(LabelMatcher("__name__", .equal, "a")) == 10)
        #expect(try await count(LabelMatcher("__name__", .notEqual, "a")) == 10)
        #expect(try await count(LabelMatcher("odd", .equal, "")) == 10)
        #expect(try await count(LabelMatcher("odd", .notEqual, "")) == 10)
        #expect(try await count(LabelMatcher("n", .matches, "1.")) == 10)
        #expect(try await count(LabelMatcher("n", .matches, "1|3|x"), LabelMatcher("odd", .matches, "y.*")) == 2)
        #expect(try await count(LabelMatcher("n", .notMatches, "1.*")) == 9)
        #expect(try await count(LabelMatcher("absent", .matches, ".*")) == 20)
        #expect(try await count(LabelMatcher("absent", .matches, ".+")) == 0)
        #expect(try await count(range: TimeRange(noonMilliseconds, .max)) == 19)
        #expect(try await store.labelNames(.metrics, matching: [], in: .all) == ["__name__", "n", "odd"])
        #expect(try await store.labelNames(.metrics, matching: [LabelMatcher("n", .equal, "2")], in: .all) == ["__name__", "n"])
        #expect(try await store.labelValues("n", .metrics, matching: [LabelMatcher("n", .matches, "1[01]")], in: .all) == ["10", "11"])
        #expect(try await store.labelValues("odd", .metrics, matching: [], in: .all) == ["yes"])
        await #expect(throws: StoreError.self) { try await count(LabelMatcher("n", .matches, "(")) }
    }
}
