import Codecs
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Log fields")
struct LogFieldTests {
    static func fields(_ lines: [String], _ names: [String], at timestamps: [Int64]? = nil) throws -> LogFields? {
        let timestamps = timestamps ?? lines.indices.map { noon + Int64($0) }
        let bytes = LogBlockTests.encode(lines, timestamps)
        var reader = ByteReader(bytes)
        return try LogBlock.decode(&reader, timestamps, .none, fields: names).fields
    }

    /// By row: the field's text; nil where the row has none.
    static func texts(_ columns: [LogFieldColumn], rowCount: Int) -> [String?] {
        var texts = [String?](repeating: nil, count: rowCount)
        for column in columns {
            for index in 0..<column.count {
                texts[column.rows?[index] ?? index] = String(decoding: column.text(index), as: UTF8.self)
            }
        }
        return texts
    }

    @Test("fields of an access log come typed, without the lines")
    func accessLog() throws {
        var generator = LineGenerator(seed: 2)
        let lines = (0..<500).map { row in generator.zap(at: noon + Int64(row)) }
        let fields = try #require(try Self.fields(lines, ["status", "duration_ms", "error", "absent", "trace_id"]))
        #expect(fields.unparsedRows.isEmpty && fields.columns[3].isEmpty)
        func value(_ line: String, _ name: String) -> String? {
            let parts = line.split(separator: "\"\(name)\":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            let rest = parts[1]
            return rest.first == "\"" ? String(rest.dropFirst().prefix { $0 != "\"" }) : String(rest.prefix { $0 != "," && $0 != "}" })
        }
        for (index, name) in ["status", "duration_ms", "error", "absent", "trace_id"].enumerated() {
            #expect(Self.texts(fields.columns[index], rowCount: lines.count) == lines.map { value($0, name) }, "\(name)")
        }
        guard case .dictionary(let texts, _) = fields.columns[0][0].values else { return #expect(Bool(false)) }
        #expect(Set(texts.map { String(decoding: $0, as: UTF8.self) }) == ["200", "201", "400", "404", "500"])
        let durations = fields.columns[1][0]
        #expect((0..<durations.count).map { durations.number($0) } == lines.map { value($0, "duration_ms").flatMap { Double($0) } })
    }

    @Test("a field that is a string here and a number there comes as two columns; nested names are joined")
    func kinds() throws {
        var lines: [String] = []
        for row in 0..<40 {
            lines.append(row % 2 == 0 ? "{\"http\":{\"status\":\(row)}}" : "{\"http\":{\"status\":\"\(row)\",\"é-x\":\(row).5}}")
        }
        lines.append("no JSON")
        let fields = try #require(try Self.fields(lines, ["http_status", "http___x"]))
        #expect(fields.columns[0].map(\.isQuoted).sorted { !$0 && $1 } == [false, true])
        #expect(Self.texts(fields.columns[0], rowCount: 41) == (0..<40).map { "\($0)" } + [nil])
        #expect(Self.texts(fields.columns[1], rowCount: 41) == (0..<40).map { $0 % 2 == 0 ? nil : "\($0).5" } + [nil])
        #expect(fields.unparsedRows == [40])
    }

    @Test("a scan hands over fields instead of lines where a part has them, and lines where not")
    func scan() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        var generator = LineGenerator(seed: 4)
        let lines = (0..<300).map { row in row % 50 == 49 ? "plain \(row)" : generator.zap(at: noon + Int64(row)) }
        try await store.append(logs(["app": "a"], lines.indices.map { LogEntry(timestamp: noon + Int64($0), line: lines[$0]) }))
        func read(_ predicates: [Predicate]) async throws -> [LogColumns] {
            let streams = try await store.streams(.logs, matching: [], in: .all)
            var request = ScanRequest(
                signal: .logs, streams: streams, range: TimeRange(noon + 100, noon + 199), columns: .none, predicates: predicates)
            request.fields = ["status"]
            var found: [LogColumns] = []
            try await store.scan(request) { block in
                if case .logs(let columns) = block.columns { found.append(columns) }
                return .continue
            }
            return found
        }
        // In memory there are only lines.
        #expect(try await read([]).map { $0.allLines } == [Array(lines[100..<200])])
        try await store.flush()
        let whole = try #require(try await read([]).first)
        let fields = try #require(whole.fields)
        #expect(fields.unparsedRows == [49, 99] && whole.line(49) == "plain 149" && whole.line(50) == "")
        let texts = Self.texts(fields.columns[0], rowCount: 100)
        for (row, line) in lines[100..<200].enumerated() {
            #expect(texts[row].map { line.contains("\"status\":\($0)") } ?? line.hasPrefix("plain"))
        }
        // With a predicate on lines both come, of the same rows.
        let failed = try #require(try await read([.lineContains("request failed")]).first)
        let statuses = Self.texts(failed.fields?.columns[0] ?? [], rowCount: failed.ends.count)
        #expect(statuses.allSatisfy { $0 == "500" } && failed.allLines == lines[100..<200].filter { $0.contains("request failed") })
        try await store.close()
    }

    @Test("two fields of one name are for the lines to tell apart")
    func ambiguous() throws {
        let lines = (0..<20).map { "{\"a\":{\"b\":\($0)},\"a_b\":1}" }
        let fields = try Self.fields(lines, ["a_b"])
        #expect(fields.map { _ in true } == nil)
        let others = try Self.fields(lines, ["c"])
        #expect(others?.columns.count == 1)
    }
}
