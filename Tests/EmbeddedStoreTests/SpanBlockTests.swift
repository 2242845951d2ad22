import Codecs
import Telemetry
import Testing
import TestSupport

@testable import EmbeddedStore

@Suite("SpanBlock")
struct SpanBlockTests {
    @Test("spans come back as they went in, whatever their attributes", arguments: UInt64(0)..<40)
    func roundTrip(seed: UInt64) throws {
        var random = SpanGenerator(seed: seed)
        let spans = random.spans(Int(random.number(below: 300)) + 1)
        #expect(try decoded(encoded(spans), spans.count, .all) == spans, "seed \(seed)")
    }

    @Test("columns that are not wanted are left empty, and single attributes come by name")
    func columns() throws {
        var random = SpanGenerator(seed: 7)
        let spans = random.spans(200)
        let bytes = encoded(spans)
        for (row, span) in try decoded(bytes, spans.count, .identifiers).enumerated() {
            var expected = TraceSpan(traceID: spans[row].traceID, spanID: spans[row].spanID, name: "", start: spans[row].start, duration: 0)
            expected.parentID = spans[row].parentID
            #expect(span == expected)
        }
        let rows = Array(stride(from: 3, to: 200, by: 7))
        var block = try reader(bytes, spans.count)
        let some = try block.spans(rows, columns: .attributes, attributeNames: ["user.id", "b", "not there"])
        #expect(some.map(\.attributes) == rows.map { spans[$0].attributes.filter { $0.name == "user.id" || $0.name == "b" } })
        let details = try block.spans(rows, columns: [.details, .identifiers], attributeNames: nil)
        #expect(details.map(\.events) == rows.map { spans[$0].events })
        #expect(details.map(\.links) == rows.map { spans[$0].links })
        #expect(details.map(\.traceState) == rows.map { spans[$0].traceState })
    }

    @Test("conditions asked of columns select the rows that they select when asked of spans", arguments: UInt64(0)..<30)
    func conditions(seed: UInt64) throws {
        var random = SpanGenerator(seed: seed)
        let spans = random.spans(150)
        let bytes = encoded(spans)
        for _ in 0..<60 {
            var conditions = SpanConditions()
            var taken: [Predicate] = []
            for _ in 0...random.number(below: 3) {
                let predicate = random.predicate(spans)
                if conditions.add(predicate) { taken.append(predicate) }
            }
            let (low, high) = (spans[0].start + Int64(random.number(below: 200)), spans[149].start - Int64(random.number(below: 200)))
            let range = random.number(below: 2) == 0 ? TimeRange.all : TimeRange(low, high)
            var block = try reader(bytes, spans.count)
            let rows = try block.select(conditions, in: range) ?? Array(spans.indices)
            let expected = spans.indices.filter { range.contains(spans[$0].start) && conditions.holds(spans[$0]) }
            #expect(rows == expected, "seed \(seed): \(taken)")
        }
    }

    @Test("a block without the kind, status or duration asked for is left out by its summary")
    func summary() throws {
        var spans: [TraceSpan] = []
        for index in 0..<10 {
            spans.append(
                TraceSpan(
                    traceID: TraceID(high: 1, low: UInt64(index)), spanID: SpanID(UInt64(index + 1)), name: "n", kind: .server,
                    start: Int64(index), duration: Int64(100 + index), status: .ok))
        }
        var bytes: [UInt8] = []
        SpanBlock.encode(spans, to: &bytes)
        func mayHold(_ predicates: Predicate...) -> Bool {
            SpanBlock.mayHold(bytes.span, rowCount: 10, ScanPredicates(request(predicates)))
        }
        #expect(mayHold())
        #expect(mayHold(.status(.equal, .ok)))
        #expect(mayHold(.duration(.greater, 108)))
        #expect(mayHold(.kind(.equal, .server), .duration(.less, 101)))
        #expect(!mayHold(.status(.equal, .error)))
        #expect(!mayHold(.status(.notEqual, .ok)))
        #expect(!mayHold(.kind(.equal, .client)))
        #expect(!mayHold(.duration(.greater, 109)))
        #expect(!mayHold(.duration(.less, 100)))
        #expect(!mayHold(.duration(.greater, 200), .duration(.less, 150)))
    }

    private func request(_ predicates: [Predicate]) -> ScanRequest {
        ScanRequest(signal: .spans, streams: [], range: .all, predicates: predicates)
    }

    @Test("the bytes are those of the format's page")
    func goldenBytes() throws {
        let trace = TraceID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)
        let spans = [
            TraceSpan(
                traceID: trace, spanID: SpanID(0x11), name: "GET", kind: .server, start: 1_000, duration: 50,
                attributes: [Attribute("n", .int(5)), Attribute("s", .string("x"))], scope: TraceSpan.Scope(name: "lib")),
            TraceSpan(
                traceID: trace, spanID: SpanID(0x12), parentID: SpanID(0x11), name: "SQL", kind: .client, start: 1_010, duration: 20,
                status: .error, scope: TraceSpan.Scope(name: "lib")),
        ]
        var bytes: [UInt8] = []
        SpanBlock.encode(spans, to: &bytes)
        #expect(try decoded(encoded(spans), 2, .all) == spans)
        let text = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text == Self.golden)
    }

    private static let golden =
        "2864c0101711100310030003030600000c000f030000000000000303051802020a00090947455453514c6e7378080706"
        + "0504030201100f0e0d0c0b0a091100021100000000000000120000000000000011000811643b110c0a00000211000201"
        + "090902036c69620000010007030102020001000200020211000211000200100a000401"

    @Test("a block that is cut short anywhere is refused")
    func truncation() throws {
        var random = SpanGenerator(seed: 3)
        let spans = random.spans(12)
        let bytes = encoded(spans)
        for count in 0..<bytes.count {
            #expect(throws: DecodeError.self, "\(count) of \(bytes.count) bytes") { try decoded(Array(bytes[..<count]), 12, .all) }
        }
    }

    @Test("no flipped bit crashes a reader")
    func bitFlips() throws {
        var random = SpanGenerator(seed: 4)
        let spans = random.spans(10)
        let bytes = encoded(spans)
        var conditions = SpanConditions()
        for predicate in [
            Predicate.trace(spans[0].traceID), .spanName(.equal, "GET /"), .status(.notEqual, .ok), .duration(.greater, 5),
            .attribute("a", .notEqual, .string("x")), .attribute("user.id", .greater, .int(3)), .attributeExists("b"),
        ] { _ = conditions.add(predicate) }
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = try? decoded(damaged, 10, .all)
            if var block = try? reader(damaged, 10) { _ = try? block.select(conditions, in: .all) }
        }
    }

    // MARK: Helpers

    private func encoded(_ spans: [TraceSpan]) -> [UInt8] {
        // The starts before it, as this test has them: a chunk has them in a form of its own.
        var bytes: [UInt8] = []
        IntegerColumn.append(spans.map(\.start), to: &bytes)
        BlockCodec.encode(Run(timestamps: spans.map(\.start), rows: .spans(spans)), to: &bytes)
        return bytes
    }

    private func decoded(_ bytes: [UInt8], _ count: Int, _ columns: ScanRequest.Columns) throws -> [TraceSpan] {
        var reader = ByteReader(bytes)
        let timestamps = try reader.integers(count)
        guard case .spans(let spans) = try BlockCodec.decode(&reader, .spans, timestamps, columns: columns) else { return [] }
        return spans
    }

    private func reader(_ bytes: [UInt8], _ count: Int) throws -> SpanBlockReader {
        var reader = ByteReader(bytes)
        let timestamps = try reader.integers(count)
        return try SpanBlockReader(reader, timestamps)
    }
}

/// Spans with every kind of value, drawn from a seed.
struct SpanGenerator {
    private var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func number(below bound: UInt64) -> UInt64 { random.next() % bound }

    private mutating func text() -> String {
        let choices = ["", "x", "GET /", "é", "e\u{301}", "a rather long text that is not small", "日本", "\u{0}", "v\(number(below: 1_000))"]
        return choices[Int(number(below: UInt64(choices.count)))]
    }

    private mutating func value(depth: Int = 0) -> AttributeValue {
        switch number(below: depth < 3 ? 9 : 6) {
        case 0: .empty
        case 1: .string(text())
        case 2: .bool(number(below: 2) == 0)
        case 3: .int(Int64(number(below: 6)))
        case 4: .int(Int64(bitPattern: random.next()))
        case 5: .double(number(below: 2) == 0 ? Double(number(below: 8)) / 2 : -.infinity)
        case 6: .bytes((0..<number(below: 5)).map { UInt8($0) })
        case 7: .array((0..<number(below: 4)).map { _ in value(depth: depth + 1) })
        default: .map((0..<number(below: 3)).map { _ in Attribute(text(), value(depth: depth + 1)) })
        }
    }

    private mutating func attributes() -> [Attribute] {
        (0..<number(below: 6)).map { _ in
            let names = ["a", "b", "user.id", "http.route", "", "é"]
            return Attribute(names[Int(number(below: UInt64(names.count)))], value())
        }
    }

    mutating func spans(_ count: Int) -> [TraceSpan] {
        var spans: [TraceSpan] = []
        var start: Int64 = 1_700_000_000_000_000_000
        let isPlain = number(below: 4) == 0
        for _ in 0..<count {
            start += Int64(number(below: 10))
            let trace = number(below: 3) == 0 ? spans.last?.traceID : nil
            var span = TraceSpan(
                traceID: trace ?? TraceID(high: number(below: 3), low: random.next() % 20 + 1), spanID: SpanID(random.next() % 400 + 1),
                name: text(), kind: TraceSpan.Kind(rawValue: UInt8(number(below: 6))) ?? .server, start: start,
                duration: Int64(number(below: 1_000_000)), status: TraceSpan.Status(rawValue: UInt8(number(below: 3))) ?? .ok)
            let parent = spans.isEmpty ? nil : spans[Int(number(below: UInt64(spans.count)))].spanID
            switch number(below: 3) {
            case 0: span.parentID = SpanID(random.next())
            case 1: span.parentID = parent ?? .none
            default: break
            }
            span.attributes = attributes()
            if !isPlain {
                if number(below: 4) == 0 { span.statusMessage = text() }
                if number(below: 4) == 0 { span.traceState = text() }
                if number(below: 4) == 0 { span.flags = UInt32(truncatingIfNeeded: random.next()) }
                if number(below: 4) == 0 { span.droppedEventsCount = UInt32(number(below: 9)) }
                if number(below: 3) == 0 { span.scope = TraceSpan.Scope(name: "lib\(number(below: 3))", version: "1", attributes: attributes()) }
                for _ in 0..<(number(below: 5) == 0 ? 2 : 0) {
                    span.events.append(TraceSpan.Event(timestamp: start + Int64(number(below: 99)), name: text(), attributes: attributes()))
                    span.links.append(
                        TraceSpan.Link(
                            traceID: TraceID(high: random.next(), low: 1), spanID: SpanID(2), traceState: text(), attributes: attributes(),
                            droppedAttributesCount: 1, flags: 3))
                }
            }
            spans.append(span)
        }
        return spans
    }

    /// One that holds for some of the spans, mostly.
    mutating func predicate(_ spans: [TraceSpan]) -> Predicate {
        let comparisons: [Predicate.Comparison] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
        let comparison = comparisons[Int(number(below: 6))]
        let span = spans[Int(number(below: UInt64(spans.count)))]
        let name = span.attributes.first?.name ?? "a"
        switch number(below: 9) {
        case 0: return .trace(span.traceID)
        case 1: return .traces([span.traceID, spans[0].traceID])
        case 2: return .spanName(comparison, span.name)
        case 3: return .duration(comparison, span.duration)
        case 4: return .status(comparison, span.status)
        case 5: return .kind(comparison, span.kind)
        case 6: return .attributeExists(name)
        case 7: return .attributeMatches(name, pattern: "v.*|x", isNegated: number(below: 2) == 0)
        default: return .attribute(name, comparison, span.attributes.first?.value ?? value())
        }
    }
}
