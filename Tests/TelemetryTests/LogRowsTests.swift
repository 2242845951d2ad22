import Testing

@testable import Telemetry

@Suite("Log rows")
struct LogRowsTests {
    static let entries = [
        LogEntry(timestamp: 5, line: "first"), LogEntry(timestamp: 4, line: ""),
        LogEntry(timestamp: 6, line: "żółw", metadata: Labels(["a": "b"])),
        LogEntry(timestamp: 7, line: "x", traceID: TraceID(high: 1, low: 2), spanID: SpanID(3)), LogEntry(timestamp: 8, line: "last"),
    ]

    @Test("entries come back as they went in, whichever of them has metadata or ids", arguments: 0..<5)
    func entriesComeBack(first: Int) {
        let entries = Array(Self.entries[first...] + Self.entries[..<first])
        let rows = LogRows(entries)
        #expect(Array(rows) == entries)
        #expect(rows.metadata.isEmpty || rows.metadata.count == rows.count)
        #expect(rows.traceIDs.isEmpty || rows.traceIDs.count == rows.count)
        #expect(rows == LogRows(rows) && rows != LogRows(entries.dropLast()))
        #expect(Array(rows[1..<3]) == Array(entries[1..<3]))
    }

    @Test("what no row has takes no room")
    func plainRows() {
        let rows = LogRows(Self.entries[..<2])
        #expect(rows.metadata.isEmpty && rows.traceIDs.isEmpty && rows.spanIDs.isEmpty)
    }

    @Test("rows picked from others, and rows as columns, keep everything")
    func picked() {
        let rows = LogRows(Self.entries)
        var picked = LogRows()
        picked.append([3, 0, 2], of: rows)
        #expect(Array(picked) == [Self.entries[3], Self.entries[0], Self.entries[2]])
        var columns = LogColumns()
        columns.append(LogRows(Self.entries[..<2]))
        columns.append(rows)
        #expect(columns.ends.indices.map { columns.line($0) } == (Self.entries[..<2] + Self.entries).map(\.line))
        #expect(columns.metadata == (Self.entries[..<2] + Self.entries).map(\.metadata))
        #expect(columns.spanIDs == (Self.entries[..<2] + Self.entries).map(\.spanID))
    }
}
