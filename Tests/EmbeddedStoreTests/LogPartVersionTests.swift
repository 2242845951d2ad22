import Codecs
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Parts of logs of version 2")
struct LogPartVersionTests {
    /// 24 lines of one stream, as the last release with that version wrote them.
    private static let part = [
        "QVBVU1BSVAIBAwHT4fCRi9GasbsBGICAvf3/64fsMdj/oddVsAMI6Jvr3AMRAALjAbsBKLUv/SDjlQUAUksnKIBL0gEmhcEy0Rxqe3/NTpO3/9",
        "CApQXMqxVShYMYtnhAZEkjm2wpkwyIBsmCAAEVHDDBKV2BuwK6Hk/aC6K9HJTGZfdAHevQxjq662jCpYyL09iC59oEokWM4oI4SO3EBVPkci/t",
        "FEmiqCmShocnJS7FVhPPsz+eNwu7YneTx/DcmwecHeKgN2fO7t6bM84eaREtcgkAJWkalQcuAgYAwk9hw3igCLeqBMKBQmvuAQAgAAIASEQiEA",
        "oAJJEkSSQJAOQ4OTlODhUAHgIEHqQAAAAAAAAAASNFZ4mrzQJGis8TV5oDadA2nQNnBI0VniavNAbToG06Bs4H9uXUw7KbCRorPE1eaAo9cKPX",
        "CjULYLYLYLYCDIP7cuphzw2nQNp0DZwOyoZB/blpD+3LqYdlNhEREREREQMSNFZ4mrzQFHrhR64UahWeJq83wDcWwWwWwWwEF+SxfksX0RkH9u",
        "XUw54aKzxNXm9rESgEKipwbGFpbiBsaW5lIDUgbmVlZGxlNXBsYWluIGxpbmUgMTcgbmVlZGxlMTcAARDZvJ7c6d3KnYkBEBAQnAcQzP7k1QUQ",
        "gIC9/f/rh+wxELD/w66rAQABAAAAAAAAABgAAAAAAAAAAQAAAAAAAAABAAAAAAAAAACg1/+vD+wY2B/AWrUP7BjWAQAAAAAAACkAAAAAAAAAAQ",
        "AAAAAAAAAOcReFAAAAAFFTfVIAAAAAeYaYckFQVVNQUlQC"
    ].joined()

    private static let start: Int64 = 1795827600000000000

    /// What was stored.
    private static let lines: [String] = (0..<24).map { row in
        if row == 5 || row == 17 { return "plain line \(row) needle\(row)" }
        let (status, level) = ([200, 201, 404, 500][row % 4], row % 4 == 3 ? "error" : "info")
        let second = row < 10 ? "0\(row)" : "\(row)"
        let id = String(UInt64(row) * 0x0001_2345_6789_abcd, radix: 16)
        return "{\"level\":\"\(level)\",\"ts\":\"2026-11-28T01:00:\(second).5Z\",\"msg\":\"request \(row % 3)\",\"status\":\(status),"
            + "\"ms\":\(Double(row) * 1.5),\"id\":\"\(String(repeating: "0", count: 16 - id.count) + id)\"}"
    }

    private static func write(_ disk: SimulatedDisk) throws -> Part {
        let path = "/" + Part.name(1...1)
        try disk.open(path, .create).write(try #require(Base64.decode(part)), at: 0)
        return try Part(path: path, sequence: 1...1, fileSystem: disk, reporter: StoreReporter { _ in })
    }

    private static func lines(_ part: Part) throws -> [String] {
        try readAll(part).flatMap { (_, run) -> [String] in
            guard case .logs(let columns) = run.rows else { return [] }
            #expect(run.timestamps == (0..<24).map { Self.start + Int64($0) * 1_000_001_000 })
            return columns.allLines
        }
    }

    @Test("their lines are read, and searched")
    func read() throws {
        let part = try Self.write(SimulatedDisk(seed: 1))
        #expect(part.footer.version == 2 && !part.isOfNewestVersion)
        #expect(try Self.lines(part) == Self.lines)
        let reader = try part.reader()
        let page = try reader.page(0)
        for (needle, wanted) in [("needle5", true), ("\"status\":500", true), ("\"status\":503", false), ("request 2", true)] {
            let request = ScanRequest(signal: .logs, streams: [], range: .all, predicates: [.lineContains(needle)])
            #expect(try reader.mayHold(page.chunks[0], of: page, ScanPredicates(request)) == wanted, "\(needle)")
        }
        let fields = try reader.logs(page.chunks[0], of: page, columns: .none, fields: ["status"])
        guard case .logs(let columns) = fields.rows else { return #expect(Bool(false)) }
        #expect(columns.fields?.unparsedRows == [5, 17])
    }

    @Test("a merge makes them the newest version")
    func merge() throws {
        let disk = SimulatedDisk(seed: 1)
        let old = try Self.write(disk)
        let merged = try writePart(disk, 1...2, signal: .logs) { writer throws(StoreError) in
            var merger = try PartMerger([old], [nil])
            try merger.write(to: &writer)
        }
        #expect(merged.isOfNewestVersion)
        #expect(try Self.lines(merged) == Self.lines)
    }
}
