import Codecs
import Telemetry

@testable import EmbeddedStore

/// Log blocks over an access log as zap writes it: the fields, kinds and odds of a Go service behind an HTTP router.
func logBenchmarks() -> [Benchmark] {
    var lines = AccessLog()
    let (columns, timestamps) = lines.rows(LogBlock.rowCountMax)
    let lineCount = timestamps.count
    var encoded: [UInt8] = []
    LogBlock.encode(columns, timestamps: timestamps, to: &encoded)
    let bytes = encoded
    let note = perLine(bytes, lineCount, columns.bytes.count)
    let trace = DigitPattern.digits.indices.map { DigitPattern.digits[$0] } + DigitPattern.digits
    return [
        Benchmark(name: "log/block/shred", unit: "line", itemCount: lineCount) { keep(LineShredder.shred(columns).slices.count) },
        Benchmark(name: "log/block/encode", unit: "line", itemCount: lineCount, note: { note }) {
            var bytes: [UInt8] = []
            LogBlock.encode(columns, timestamps: timestamps, to: &bytes)
            keep(bytes)
        },
        Benchmark(name: "log/block/decode/lines", unit: "line", itemCount: lineCount) {
            var reader = ByteReader(bytes)
            keep(try LogBlock.decode(&reader, timestamps, .line))
        },
        Benchmark(name: "log/block/decode/head", unit: "line", itemCount: lineCount) {
            var reader = ByteReader(bytes)
            keep(try LogBlockReader(&reader, rowCount: lineCount).head.fields.count)
        },
        Benchmark(name: "log/block/decode/field", unit: "line", itemCount: lineCount) {
            var reader = ByteReader(bytes)
            let block = try LogBlockReader(&reader, rowCount: lineCount)
            let field = block.head.fields.firstIndex { $0.path == [Array("duration_ms".utf8)] } ?? 0
            var values = RenderedFields(valueCount: lineCount, byteCount: 0)
            try block.render(field, try block.readRowTemplates(), timestamps, into: &values)
            keep(values.valueCount)
        },
        Benchmark(name: "log/block/filter/word", unit: "line", itemCount: lineCount) {
            keep(try rows(bytes, timestamps, "needle7f3a"))
        },
        Benchmark(name: "log/block/filter/id", unit: "line", itemCount: lineCount) {
            keep(try rows(bytes, timestamps, String(decoding: trace, as: UTF8.self)))
        },
        Benchmark(name: "log/block/filter/rows", unit: "line", itemCount: lineCount) {
            keep(try rows(bytes, timestamps, "\"level\":\"error\""))
        },
        Benchmark(name: "log/block/decode/hundred-lines", unit: "line", itemCount: 100) {
            var reader = ByteReader(bytes)
            var columns = LogColumns()
            try LogBlockReader(&reader, rowCount: lineCount).readLines(of: Array(lineCount - 100..<lineCount), into: &columns) {
                () throws(DecodeError) in timestamps
            }
            keep(columns)
        },
        Benchmark(name: "log/block/decode/typed-field", unit: "line", itemCount: lineCount) {
            var reader = ByteReader(bytes)
            keep(try LogBlockReader(&reader, rowCount: lineCount).fields(["status", "duration_ms"], timestamps))
        },
    ]
}

private func rows(_ bytes: [UInt8], _ timestamps: [Int64], _ needle: String) throws -> LogRowMask {
    var reader = ByteReader(bytes)
    return try LogBlockReader(&reader, rowCount: timestamps.count).rows(holding: [Array(needle.utf8)]) { () throws(DecodeError) in timestamps }
}

/// Bytes a line of a block, and of each of its fields, the dearest first.
private func perLine(_ bytes: [UInt8], _ lineCount: Int, _ plainByteCount: Int) -> String {
    func hundredths(_ count: Int) -> String {
        let value = count * 100 / max(1, lineCount)
        return "\(value / 100).\(value % 100 < 10 ? "0" : "")\(value % 100)"
    }
    var reader = ByteReader(bytes)
    guard let block = try? LogBlockReader(&reader, rowCount: lineCount) else { return "" }
    let fields = block.head.fields.sorted { $0.byteCount > $1.byteCount }.map { field in
        "\(String(decoding: field.path.last ?? [], as: UTF8.self)) \(hundredths(field.byteCount))"
    }
    let sections = block.head.fields.reduce(block.head.rowTemplatesByteCount + block.head.restByteCount) { $0 + $1.byteCount }
    return "\(hundredths(bytes.count)) B/line of \(hundredths(plainByteCount)): head \(hundredths(bytes.count - sections)), "
        + "templates \(hundredths(block.head.rowTemplatesByteCount)), \(fields.joined(separator: ", "))"
}

/// Draws lines.
private struct AccessLog {
    private var state: UInt64 = 1

    private mutating func random(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 20) % bound
    }

    private mutating func hex(_ count: Int) -> String {
        String(decoding: (0..<count).map { _ in DigitPattern.digits[Int(random(16))] }, as: UTF8.self)
    }

    private mutating func pick(_ values: [String]) -> String { values[Int(random(UInt64(values.count)))] }

    /// Lines of one of a hundred streams, whose rows together come at one pace.
    mutating func rows(_ count: Int) -> (LogColumns, [Int64]) {
        var (columns, timestamps) = (LogColumns(), [Int64]())
        var timestamp: Int64 = 1_795_348_800_000_000_000
        for _ in 0..<count {
            repeat { timestamp += 5_632_639 } while random(100) != 0
            timestamps.append(timestamp)
            columns.append(LogEntry(timestamp: timestamp, line: line(timestamp)))
        }
        return (columns, timestamps)
    }

    private mutating func line(_ timestamp: Int64) -> String {
        var time = [UInt8](repeating: 0, count: TimeText.byteCountMax)
        var calendar = TimeText.Calendar()
        let timeByteCount = time.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { TimeText.write(timestamp, .trimmed, &calendar, to: $0) } ?? 0
        }
        let status = pick(["200", "201", "400", "404", "500"])
        let (level, message) =
            status == "500" ? ("error", "request failed") : status < "400" ? ("info", "request handled") : ("warn", "request refused")
        let extra =
            level == "error"
            ? #","error":"pq: canceling statement due to statement timeout","stacktrace":"main.(*Server).handle\n\t/src/server.go:\#(40 + random(300))\nnet/http.HandlerFunc.ServeHTTP\n\t/usr/local/go/src/net/http/server.go:2136""# : ""
        // Nearly exponential, as latencies are.
        let duration = random(1 + random(160_000))
        let fraction = String(1000 + duration % 1000).dropFirst()
        let routes = [
            "/api/orders", "/api/orders/{id}", "/api/users", "/api/users/{id}", "/api/cart", "/api/checkout", "/api/search", "/api/products",
            "/api/products/{id}", "/healthz",
        ]
        return #"{"level":"\#(level)","ts":"\#(String(decoding: time[..<timeByteCount], as: UTF8.self))Z","caller":"http/middleware.go:\#(80 + random(5))","msg":"\#(message)","service":"svc-07","request_id":"\#(hex(8))-\#(hex(4))-4\#(hex(3))-a\#(hex(3))-\#(hex(12))","trace_id":"\#(hex(32))","span_id":"\#(hex(16))","method":"\#(pick(["GET", "POST", "PUT", "DELETE"]))","route":"\#(pick(routes))","status":\#(status),"duration_ms":\#(duration / 1000).\#(fraction),"bytes":\#(random(1 << 16)),"user_id":\#(random(100_000))\#(extra)}"#
    }
}
