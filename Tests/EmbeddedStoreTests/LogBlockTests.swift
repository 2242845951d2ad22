import Codecs
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Log blocks")
struct LogBlockTests {
    static func encode(_ lines: [String], _ timestamps: [Int64]) -> [UInt8] {
        var bytes: [UInt8] = []
        LogBlock.encode(LogColumns(lines: lines), timestamps: timestamps, to: &bytes)
        return bytes
    }

    static func decode(_ bytes: [UInt8], _ timestamps: [Int64]) throws -> LogColumns {
        var reader = ByteReader(bytes)
        let columns = try LogBlock.decode(&reader, timestamps, .all)
        #expect(reader.isAtEnd)
        return columns
    }

    static func head(_ bytes: [UInt8], rowCount: Int) throws -> LogBlockHead {
        var reader = ByteReader(bytes)
        return try LogBlockReader(&reader, rowCount: rowCount).head
    }

    @Test("lines of one logger come back byte for byte, in a third of the bytes of their ids and text")
    func loggerLines() throws {
        var generator = LineGenerator(seed: 1)
        let timestamps = (0..<1500).map { noon + Int64($0) * 7_000_100 }
        let lines = timestamps.map { generator.zap(at: $0) }
        let bytes = Self.encode(lines, timestamps)
        #expect(try Self.decode(bytes, timestamps).allLines == lines)
        // 39 random bytes of ids, and about 10 of the rest.
        #expect(bytes.count < 60 * lines.count, "\(bytes.count / lines.count) bytes a line")
        let head = try Self.head(bytes, rowCount: lines.count)
        #expect(head.templates.count == 2 && head.restCount == 0)
        var kinds: [String: String] = [:]
        for field in head.fields {
            kinds[field.path.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")] = field.encoding.name
        }
        let wanted = [
            "level": "dictionary", "ts": "time", "trace_id": "digits", "span_id": "digits", "request_id": "digits", "status": "dictionary",
            "duration_ms": "number", "bytes": "number", "user_id": "number", "error": "dictionary",
        ]
        for (field, kind) in wanted { #expect(kinds[field] == kind, "\(field)") }
    }

    @Test("any lines come back byte for byte", arguments: UInt64(0)..<60)
    func anyLines(seed: UInt64) throws {
        var generator = LineGenerator(seed: seed)
        let count = Int(generator.below(300)) + 1
        let mode = generator.below(3)
        // Lines that repeat a few templates, lines that do not, and both.
        let models = (0..<4).map { _ in generator.object(depth: 0) }
        var lines: [String] = []
        for row in 0..<count {
            switch mode {
            case 0: lines.append(generator.odd())
            case 1: lines.append(generator.below(8) == 0 ? generator.odd() : generator.zap(at: noon + Int64(row)))
            default: lines.append(generator.below(8) == 0 ? generator.odd() : generator.pick(models))
            }
        }
        let timestamps = lines.indices.map { noon + Int64($0) * 1_000_003 }
        #expect(try Self.decode(Self.encode(lines, timestamps), timestamps).allLines == lines)
    }

    @Test(
        "values that have two spellings keep theirs",
        arguments: [
            ["1.5", "1.50"], ["1e3", "1000"], ["0", "-0"], ["100", "1e2"], ["0.1", "0.10"], ["1", "1.0"], ["12345678901234567890", "1"],
            ["\"2026-11-22T12:00:00Z\"", "\"2026-11-22T12:00:00.0Z\""], ["\"2026-11-22T12:00:00.120Z\"", "\"2026-11-22T12:00:00.12Z\""],
            ["\"2026-11-22T12:00:00+01:00\"", "\"2026-11-22T11:00:00Z\""], ["\"00ff\"", "\"00FF\""], ["9223372036854775807", "-9223372036854775808"],
            ["\"\\u0041\"", "\"A\""], ["\"a\\/b\"", "\"a/b\""],
        ])
    func spellings(values: [String]) throws {
        var generator = LineGenerator(seed: 3)
        // Mostly numbers or times of one kind, and the odd ones among them.
        for usual in ["\"2026-11-22T12:00:00.123456789Z\"", "17.25", "0a0b0c0d", nil] {
            let lines = (0..<200).map { row in
                let common = usual == "17.25" ? "\(row).25" : usual == "0a0b0c0d" ? "\"\(generator.hex(8))\"" : usual ?? values[0]
                return "{\"v\":\(row % 50 == 7 ? values[row / 50 % 2] : common)}"
            }
            let timestamps = lines.indices.map { noon + Int64($0) }
            #expect(try Self.decode(Self.encode(lines, timestamps), timestamps).allLines == lines)
        }
    }

    @Test("epoch times near the row's timestamp take next to nothing", arguments: [0, 3, 6])
    func epochTimes(digits: Int) throws {
        let timestamps = (0..<1000).map { noon + Int64($0) * Int64($0) * 1_234_567 }
        let lines = timestamps.map { timestamp in
            let unit = DecimalText.powers[9 - digits]
            return "{\"ts\":\(timestamp / 1_000_000_000).\(String(timestamp % 1_000_000_000 / unit + DecimalText.powers[digits]).dropFirst())}"
        }.map { digits == 0 ? $0.replacing(".}", with: "}") : $0 }
        let bytes = Self.encode(lines, timestamps)
        #expect(try Self.decode(bytes, timestamps).allLines == lines)
        // The rows' own times stand in the block too.
        var times: [UInt8] = []
        BlockCodec.appendTimes(timestamps, to: &times)
        #expect(bytes.count - times.count < 100)
    }

    @Test("a cut or damaged block is an error or other lines, never a crash", arguments: UInt64(0)..<8)
    func damage(seed: UInt64) throws {
        var generator = LineGenerator(seed: seed)
        let lines = (0..<60).map { row in row % 5 == 0 ? generator.odd() : generator.zap(at: noon + Int64(row)) }
        let timestamps = lines.indices.map { noon + Int64($0) }
        let bytes = Self.encode(lines, timestamps)
        for _ in 0..<60 {
            let end = Int(generator.below(UInt64(bytes.count)))
            var reader = ByteReader(Array(bytes[..<end]))
            #expect(throws: DecodeError.self) { try LogBlock.decode(&reader, timestamps, .all) }
        }
        for _ in 0..<300 {
            var flipped = bytes
            for _ in 0...generator.below(3) {
                flipped[Int(generator.below(UInt64(bytes.count)))] ^= 1 << UInt8(generator.below(8))
            }
            var reader = ByteReader(flipped)
            let columns = try? LogBlock.decode(&reader, timestamps, .all)
            #expect(columns.map { $0.ends.count == lines.count } ?? true)
        }
    }

    @Test("a damaged head is an error or another head, never a crash", arguments: UInt64(0)..<8)
    func damagedHead(seed: UInt64) throws {
        var generator = LineGenerator(seed: seed)
        let lines = (0..<40).map { _ in generator.zap(at: noon) }
        let timestamps = lines.map { _ in noon }
        let bytes = Self.encode(lines, timestamps)
        var reader = ByteReader(bytes)
        let plain = try #require(try BlockCodec.frame(&reader, isWanted: true))
        let sections = Array(bytes[reader.offset...])
        for _ in 0..<300 {
            var head = plain
            for _ in 0...generator.below(2) { head[Int(generator.below(UInt64(head.count)))] = UInt8(generator.below(256)) }
            var damaged: [UInt8] = []
            BlockCodec.appendFrame(head, to: &damaged)
            damaged += sections
            var reader = ByteReader(damaged)
            let columns = try? LogBlock.decode(&reader, timestamps, .all)
            #expect(columns.map { $0.ends.count == lines.count } ?? true)
        }
    }
}

extension FieldEncoding {
    var name: String {
        switch self {
        case .dictionary: "dictionary"
        case .number: "number"
        case .time: "time"
        case .digits: "digits"
        case .text: "text"
        }
    }
}
