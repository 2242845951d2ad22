import Codecs
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Log filters")
struct LogFilterTests {
    /// What a block of lines at `noon`, `noon` + 1, … says of each row.
    static func mask(_ bytes: [UInt8], _ rowCount: Int, _ needles: [String]) throws -> LogRowMask {
        var reader = ByteReader(bytes)
        let block = try LogBlockReader(&reader, rowCount: rowCount)
        return try block.rows(holding: needles.map { Array($0.utf8) }) { () throws(DecodeError) in (0..<rowCount).map { noon + Int64($0) } }
    }

    static func mayHold(_ bytes: [UInt8], _ rowCount: Int, _ needles: [String]) throws -> Bool {
        try mask(bytes, rowCount, needles) != .none
    }

    @Test("a block is never skipped that holds the needle, wherever in a line it stands", arguments: UInt64(0)..<40)
    func neverLosesARow(seed: UInt64) throws {
        var generator = LineGenerator(seed: seed)
        let lines = (0..<80).map { row in
            generator.below(3) == 0 ? generator.odd() : generator.zap(at: noon + Int64(row))
        }
        let bytes = LogBlockTests.encode(lines, lines.indices.map { noon + Int64($0) })
        for _ in 0..<100 {
            let line = Array(generator.pick(lines).utf8)
            let start = Int(generator.below(UInt64(line.count + 1)))
            let end = start + Int(generator.below(UInt64(min(60, line.count - start) + 1)))
            // Cut between characters, as any needle is.
            guard let needle = String(validating: line[start..<end], as: UTF8.self) else { continue }
            let mask = try Self.mask(bytes, lines.count, [needle])
            #expect(mask != .none, "seed \(seed): \(needle)")
            for (row, line) in lines.enumerated() {
                let holds = needle.isEmpty || ByteSearch.contains(Array(line.utf8), 0..<line.utf8.count, Array(needle.utf8))
                switch mask {
                case .all: #expect(holds, "seed \(seed), row \(row): \(needle)")
                case .none: #expect(!holds, "seed \(seed), row \(row): \(needle)")
                case .some(let rows):
                    #expect(rows[row] == 0 ? !holds : rows[row] == LogRowMask.mayHold || holds, "seed \(seed), row \(row): \(needle)")
                }
            }
        }
    }

    @Test("a block is skipped that cannot hold the needle")
    func skips() throws {
        var generator = LineGenerator(seed: 9)
        var lines = (0..<1000).map { row in generator.zap(at: noon + Int64(row)) }
        var bytes = LogBlockTests.encode(lines, lines.indices.map { noon + Int64($0) })
        let absent = [
            "needle7f3a", generator.hex(32), "\"level\":\"fatal\"", "panic", "/api/payments", "status\":\"999x",
            "\(generator.hex(8))-\(generator.hex(4))-4\(generator.hex(3))-a\(generator.hex(3))-\(generator.hex(12))",
        ]
        for needle in absent { #expect(try !Self.mayHold(bytes, lines.count, [needle]), "\(needle)") }
        #expect(try !Self.mayHold(bytes, lines.count, ["level", "needle7f3a"]))
        #expect(try Self.mayHold(bytes, lines.count, ["level", "request"]))
        // In one line that follows no template, too.
        lines[500] += " needle7f3a"
        bytes = LogBlockTests.encode(lines, lines.indices.map { noon + Int64($0) })
        #expect(try Self.mayHold(bytes, lines.count, ["needle7f3a"]) && !Self.mayHold(bytes, lines.count, ["needle7f3b"]))
    }

    @Test("plain text is skipped by its pieces, ids in it too")
    func plainText() throws {
        var generator = LineGenerator(seed: 5)
        let ids = (0..<500).map { _ in generator.hex(16) }
        let lines = ids.map { "worker 7 finished job \($0) of queue mail" }
        let bytes = LogBlockTests.encode(lines, lines.indices.map { noon + Int64($0) })
        for id in ids { #expect(try Self.mayHold(bytes, lines.count, [id])) }
        var passed = 0
        for _ in 0..<200 where try Self.mayHold(bytes, lines.count, [generator.hex(16)]) { passed += 1 }
        // Nine pieces of an id, half of them noted, half of the bits set: one in twenty passes.
        #expect(passed < 40, "\(passed) of 200")
        #expect(try !Self.mayHold(bytes, lines.count, ["quux"]))
    }

    @Test("a filter's bits are what its document says")
    func golden() {
        let text = Array("abc".utf8)
        let filter = text.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { GramFilter($0, [ValueSlice(start: 0, count: 3)]) }
        }
        let gram = UInt32(0x61) + UInt32(0x62) << 8 + UInt32(0x63) << 16
        let bit = (gram &* 0x9e37_79b1) >> 15 & 63
        #expect(filter?.words == [1 << UInt64(bit)])
    }
}
