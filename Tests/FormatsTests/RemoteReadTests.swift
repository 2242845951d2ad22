import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("Remote read")
struct RemoteReadTests {
    @Test("queries are read with their range and matchers")
    func decodes() throws {
        var writer = ProtobufWriter()
        writer.message(1) { query in
            query.int64(1, 1_000)
            query.int64(2, 2_000)
            for (kind, name, value) in [(UInt64(0), "__name__", "up"), (2, "job", "a|b"), (1, "x", "")] {
                query.message(3) { matcher in
                    matcher.uint64(1, kind)
                    matcher.string(2, name)
                    matcher.string(3, value)
                }
            }
        }
        writer.packedUInt64s(2, [0, 1])
        let bytes = writer.bytes
        let queries = try RemoteRead.decode(bytes.span)
        let query = try #require(queries.first)
        #expect(queries.count == 1 && query.range == TimeRange(1_000, 2_000))
        #expect(
            query.matchers == [
                LabelMatcher("__name__", .equal, "up"), LabelMatcher("job", .matches, "a|b"), LabelMatcher("x", .notEqual, ""),
            ])
    }

    @Test("a matcher of no known type is an error")
    func unknownMatcher() {
        var writer = ProtobufWriter()
        writer.message(1) { $0.message(3) { $0.uint64(1, 7) } }
        let bytes = writer.bytes
        #expect(throws: FormatError.self) {
            let copy = bytes
            _ = try RemoteRead.decode(copy.span)
        }
    }

    @Test("a result holds the series as a write request does")
    func encodes() throws {
        var batch = MetricBatch()
        let series = batch.addSeries(Labels(["__name__": "up", "job": "a"]))
        batch.append(series: series, timestamp: 5, value: 1)
        let bytes = RemoteRead.encode([batch, MetricBatch()])
        let span = bytes.span
        var reader = ProtobufReader(span)
        var results: [[UInt8]] = []
        while let field = try reader.next(in: span) {
            let message = try field.message("ReadResponse.results")
            let range = message.offset..<message.end
            results.append(Array(bytes[range]))
        }
        #expect(results.count == 2 && results[1].isEmpty)
        let first = results[0]
        let decoded = try RemoteWrite.decode(first.span)
        #expect(decoded.metrics.series == [Labels(["__name__": "up", "job": "a"])] && decoded.metrics.values == [1])
    }
}

@Suite("Remote read's chunks")
struct RemoteReadChunkTests {
    /// Reads bits, the most significant first; independent of the encoder.
    struct Bits {
        var bytes: [UInt8]
        var offset = 0

        mutating func take(_ count: Int) -> UInt64 {
            var value: UInt64 = 0
            for _ in 0..<count {
                value = value << 1 | UInt64(bytes[offset / 8] >> UInt8(7 - offset % 8) & 1)
                offset += 1
            }
            return value
        }

        mutating func varint() -> UInt64 {
            var (value, shift) = (UInt64(0), UInt64(0))
            while true {
                let byte = take(8)
                value |= (byte & 0x7f) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
        }

        mutating func signed(_ width: Int) -> Int64 {
            let raw = take(width)
            // One more on the positive side than two's complement has.
            return width < 64 && raw > 1 << UInt64(width - 1) ? Int64(raw) - (1 << Int64(width)) : Int64(bitPattern: raw)
        }
    }

    static func samples(_ chunk: [UInt8]) -> [Sample] {
        var bits = Bits(bytes: chunk)
        let count = Int(bits.take(16))
        var samples: [Sample] = []
        var (time, delta, value) = (Int64(0), Int64(0), UInt64(0))
        var (leading, trailing) = (0, 0)
        for index in 0..<count {
            if index == 0 {
                let raw = bits.varint()
                time = Int64(raw >> 1) ^ -Int64(raw & 1)
                value = bits.take(64)
            } else {
                if index == 1 {
                    delta = Int64(bitPattern: bits.varint())
                } else if bits.take(1) == 1 {
                    if bits.take(1) == 0 {
                        delta += bits.signed(14)
                    } else if bits.take(1) == 0 {
                        delta += bits.signed(17)
                    } else {
                        delta += bits.take(1) == 0 ? bits.signed(20) : bits.signed(64)
                    }
                }
                time += delta
                if bits.take(1) == 1 {
                    if bits.take(1) == 1 {
                        leading = Int(bits.take(5))
                        let significant = Int(bits.take(6))
                        trailing = 64 - leading - (significant == 0 ? 64 : significant)
                    }
                    value ^= bits.take(64 - leading - trailing) << UInt64(trailing)
                }
            }
            samples.append(Sample(timestamp: time, value: Double(bitPattern: value)))
        }
        return samples
    }

    @Test("series come in order of their labels, in frames with checksums, 120 samples a chunk")
    func chunks() throws {
        var random = SplitMix64(seed: 3)
        var batch = MetricBatch()
        var expected: [Labels: [Sample]] = [:]
        for name in ["b", "a"] {
            let labels = Labels(["__name__": name])
            let series = batch.addSeries(labels)
            var time: Int64 = -5_000
            for step in 0..<400 {
                time += [15_000, 15_000, 15_001, 0, 10_000_000, 70_000, 500_000].randomElement(using: &random) ?? 0
                let value: Double = [Double(step), 0.1 * Double(step), .infinity, -0.0, Staleness.marker, 1e300, Double(step / 10)].randomElement(using: &random) ?? 0
                batch.append(series: series, timestamp: time, value: value)
                expected[labels, default: []].append(Sample(timestamp: time, value: value))
            }
        }
        let stream = RemoteRead.encodeChunks([MetricBatch(), batch])
        var offset = 0
        let length = try Varint.read(stream.span, at: &offset)
        #expect(Int(length) == stream.count - offset - 4)
        let message = Array(stream[(offset + 4)...])
        let checksum = CRC32C.checksum(message.span)
        #expect(stream[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } == checksum)
        var names: [String] = []
        var reader = ProtobufReader(message.span)
        while let field = try reader.next(in: message.span) {
            guard field.number == 1 else {
                #expect(field.number == 2)
                #expect(field.rawValue == 1)
                continue
            }
            var series = try field.message("series")
            var (labels, found, counts) = (Labels.empty, [Sample](), [Int]())
            while let field = try series.next(in: message.span) {
                var part = try field.message("part")
                var texts: [String] = []
                while let inner = try part.next(in: message.span) {
                    if field.number == 1 { texts.append(try inner.string("text", in: message.span)) }
                    guard field.number == 2, inner.number == 4 else { continue }
                    let samples = Self.samples(try inner.bytes("data", in: message.span))
                    counts.append(samples.count)
                    found += samples
                }
                if field.number == 1 { labels = Labels([Label(texts[0], texts[1])]) }
            }
            names.append(labels["__name__"] ?? "")
            #expect(counts == [120, 120, 120, 40])
            let wanted = try #require(expected[labels])
            #expect(found.map(\.timestamp) == wanted.map(\.timestamp))
            #expect(found.map(\.value.bitPattern) == wanted.map(\.value.bitPattern))
        }
        #expect(names == ["a", "b"])
    }

    @Test("what a client takes is read in its order")
    func types() throws {
        var writer = ProtobufWriter()
        writer.packedUInt64s(2, [1, 7, 0])
        let bytes = writer.bytes
        let request = try RemoteRead.decodeRequest(bytes.span)
        #expect(request.responseTypes == [.streamedChunks, .samples])
    }
}
