import Telemetry
import TestSupport

@testable import EmbeddedStore

/// Lines as loggers write them, and lines that try to be confused with such.
struct LineGenerator {
    var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { random.next() % bound }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int(below(UInt64(elements.count)))] }

    mutating func hex(_ count: Int) -> String {
        String((0..<count).map { _ in pick(Array("0123456789abcdef")) })
    }

    /// A request's line by zap.
    mutating func zap(at timestamp: Int64) -> String {
        var fraction = String(timestamp % 1_000_000_000 + 1_000_000_000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        let second = timestamp / 1_000_000_000 % 60
        let status = pick([200, 201, 400, 404, 500])
        let (level, message) = status == 500 ? ("error", "request failed") : status >= 400 ? ("warn", "request refused") : ("info", "request handled")
        let extra =
            status == 500
            ? #","error":"pq: canceling statement due to statement timeout","stacktrace":"main.(*Server).handle\n\t/src/server.go:\#(40 + below(300))""# : ""
        return #"{"level":"\#(level)","ts":"2026-11-22T12:00:\#(second < 10 ? "0" : "")\#(second)\#(fraction.isEmpty ? "" : ".\(fraction)")Z","caller":"http/middleware.go:\#(80 + below(5))","msg":"\#(message)","service":"svc-07","request_id":"\#(hex(8))-\#(hex(4))-4\#(hex(3))-a\#(hex(3))-\#(hex(12))","trace_id":"\#(hex(32))","span_id":"\#(hex(16))","method":"\#(pick(["GET", "POST", "PUT", "DELETE"]))","route":"/api/orders/\#(below(9))","status":\#(status),"duration_ms":\#(below(100)).\#(below(900) + 100),"bytes":\#(below(65536)),"user_id":\#(below(100_000))\#(extra)}"#
    }

    /// A JSON value, mostly valid.
    mutating func value(depth: Int) -> String {
        switch below(depth > 3 ? 22 : 26) {
        case 0: return "null"
        case 1: return pick(["true", "false"])
        case 2: return "\(Int64(bitPattern: random.next()))"
        case 3: return "\(Int64(below(2000)) - 1000)"
        case 4: return "\(Double(below(100_000)) / 1000)"
        case 5: return pick(["1.50", "1e3", "-0", "-0.0", "0.10", "01", "1.", ".5", "+1", "1E-7", "0", "00", "-", "1e", "123456789012345678901234567890"])
        case 6: return "\"\(hex(16))\""
        case 7: return "\"\(hex(8))-\(hex(4))\""
        case 8: return "\"2026-11-22T12:\(10 + below(50)):00.\(100 + below(900))Z\""
        case 9: return pick(["\"2026-02-30T12:00:00Z\"", "\"2026-11-22T23:59:60Z\"", "\"2026-11-22T12:00:00+02:00\"", "\"2026-11-22 12:00:00\""])
        case 10: return pick([#""\u00e9""#, #""\n\t""#, #""\\""#, #""\"quoted\"""#, #""\x""#, #""\u12""#, "\"\u{1}\"", "\"ż🙂\""])
        case 11: return "\"\""
        case 12: return pick(["[]", "[1,2,3]", #"["a", {"b":[null]}]"#, "[1,]", "[[[]]]", "{}"])
        case 13...18: return "\"\(pick(["info", "warn", "error", "debug"]))\""
        case 19...21: return "\"free text \(below(1000)) of \(below(50))\""
        default: return object(depth: depth + 1)
        }
    }

    mutating func object(depth: Int) -> String {
        let space = pick(["", "", "", " ", "\t", "\n"])
        let count = below(5)
        let members = (0..<count).map { index in
            "\"\(below(20) == 0 ? "same" : pick(["a", "b", "c\(index)", "d\(index)", "é"]))\":\(space)\(value(depth: depth))"
        }
        return "{" + space + members.joined(separator: "," + space) + space + "}"
    }

    /// Anything.
    mutating func odd() -> String {
        switch below(12) {
        case 0: return ""
        case 1: return "plain text \(hex(12))"
        case 2: return "{"
        case 3: return String(repeating: "x", count: Int(below(3000)))
        case 4: return object(depth: 0) + pick([" ", "}", " trailing", "\n"])
        case 5: return " " + object(depth: 0)
        case 6: return String(object(depth: 0).dropLast())
        case 7: return "level=info msg=\"a b\" n=\(below(100))"
        default: return object(depth: 0)
        }
    }
}

extension LogColumns {
    init(lines: [String]) {
        self.init()
        for line in lines { append(LogEntry(timestamp: 0, line: line)) }
    }

    var allLines: [String] { ends.indices.map { line($0) } }
}
