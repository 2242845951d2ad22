import Codecs
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

/// Writes a part on a disk, and opens it.
func writePart(
    _ disk: SimulatedDisk, _ sequence: ClosedRange<UInt64> = 1...1, signal: Signal = .metrics,
    _ fill: (inout PartWriter) throws(StoreError) -> Void
) throws(StoreError) -> Part {
    let path = "/" + Part.name(sequence)
    var writer = PartWriter(try disk.open(path, .create), signal: signal)
    try fill(&writer)
    try writer.finish()
    return try Part(path: path, sequence: sequence, fileSystem: disk, reporter: StoreReporter { _ in })
}

/// All rows of a part, by stream, in the order in which it holds them.
func readAll(_ part: Part) throws -> [(stream: UInt64, run: Run)] {
    let reader = try part.reader()
    var rows: [(stream: UInt64, run: Run)] = []
    for number in 0..<reader.index.values.count {
        let page = try reader.page(number)
        if let failure = page.failures.first { throw failure }
        for chunk in page.chunks { rows.append((chunk.stream, try reader.run(chunk, of: page, columns: .all))) }
    }
    return rows
}

func floats(_ times: [Int64], _ values: [Double]) -> Run { Run(timestamps: times, rows: .floats(values)) }

@Suite("Parts, byte for byte")
struct PartFormatTests {
    @Test("a small part has the bytes that docs/format/parts.md says")
    func goldenBytes() throws {
        let disk = SimulatedDisk(seed: 1)
        let part = try writePart(disk) { writer throws(StoreError) in
            try writer.append(floats([1000, 1015], [1, 2]), stream: 5)
            try writer.append(floats([1000, 1015], [3, 3]), stream: 9)
            try writer.append(floats([1001], [4]), stream: 9)
        }
        var values: [[UInt8]] = []
        for column in [[1.0, 2], [3, 3], [4]] {
            var bytes: [UInt8] = []
            FloatColumn.append(column, to: &bytes)
            values.append(bytes)
        }
        // Three chunks; kind 0 three times; streams 5, 9, 9; time columns 0, 0 (zigzag of -1), 1; sizes.
        let valuePage: [UInt8] = [3, 0, 3, 5, 4, 0, 0, 1, 0] + values.map { UInt8($0.count) } + values[0] + values[1] + values[2]
        // Two columns; rows 2 and 1; first times 1000 and one more, zigzag; lengths; no bytes.
        let timePage: [UInt8] = [2, 2, 1, 0xd0, 0x0f, 2, 15, 0, 0, 0]
        var expected: [UInt8] = Array("APUSPRT".utf8) + [2]
        expected += valuePage
        expected += timePage
        let pagesEnd = expected.count
        func append(_ columns: [Int64]...) {
            for column in columns { IntegerColumn.append(column, to: &expected) }
        }
        expected.append(1)
        append([0], [Int64(8 + valuePage.count)], [Int64(timePage.count)], [Int64(CRC32C.checksum(timePage.span))])
        expected.append(1)
        append([5], [8], [Int64(valuePage.count)], [Int64(CRC32C.checksum(valuePage.span))], [1000], [15])
        let indexEnd = expected.count
        expected.append(0)
        let filterEnd = expected.count
        let indexBytes = Array(expected[pagesEnd..<indexEnd])
        let filterBytes = Array(expected[indexEnd..<filterEnd])
        for number in [0, 5, 3, 2, 1000, 1015, pagesEnd, indexEnd - pagesEnd, filterEnd - indexEnd] { expected.append(fixed64: UInt64(number)) }
        expected.append(fixed64: UInt64(CRC32C.checksum(indexBytes.span)))
        expected.append(fixed64: UInt64(CRC32C.checksum(filterBytes.span)))
        let footer = Array(expected[filterEnd...])
        expected.append(fixed32: CRC32C.checksum(footer.span))
        expected += Array("APUSPRT".utf8) + [2]
        #expect(disk.contents(part.path) == expected)
    }

    @Test("rows of every kind come back as they were written", arguments: UInt64(0)..<8)
    func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var written: [(stream: UInt64, run: Run)] = []
        var stream: UInt64 = 0
        for _ in 0..<(20 + Int(random.next() % 400)) {
            stream &+= 1 + random.next() >> UInt64(10 + random.next() % 50)
            let count = random.next() % 12 == 0 ? 4096 : 1 + Int(random.next() % 40)
            var time = noonMilliseconds - Int64(random.next() % 1000) * 15_000
            let times = (0..<count).map { _ -> Int64 in
                time += Int64(random.next() % 3) * 5000 + 1
                return time
            }
            written.append((stream, floats(times, times.map { _ in Double(random.next() % 1_000_000) / 8 })))
            if random.next() % 5 == 0 {
                let histograms = times.prefix(20).map { NativeHistogram(schema: 3, zeroThreshold: 0, zeroCount: UInt64($0 & 7).doubled, count: 9, sum: 1) }
                written.append((stream, Run(timestamps: Array(times.prefix(20)), rows: .histograms(histograms))))
            }
            if random.next() % 5 == 0 {
                let exemplars = times.prefix(9).map { Exemplar(labels: Labels(["trace_id": "\($0)"]), value: 1, timestamp: $0) }
                written.append((stream, Run(timestamps: Array(times.prefix(9)), rows: .exemplars(exemplars))))
            }
        }
        let part = try writePart(SimulatedDisk(seed: seed)) { writer throws(StoreError) in
            for (stream, run) in written { try writer.append(run, stream: stream) }
        }
        let read = try readAll(part)
        #expect(read.map(\.stream) == written.map(\.stream), "seed \(seed)")
        for (left, right) in zip(read, written) { #expect(left.run.isEqual(to: right.run), "seed \(seed), stream \(left.stream)") }
        #expect(part.footer.streamCount == Set(written.map(\.stream)).count)
        #expect(part.footer.chunkCount == written.count)
    }

    @Test("the chunks of a stream that fills several pages are found, and no other's")
    func streamOverPages() throws {
        var random = SplitMix64(seed: 7)
        let times = (0..<60_000).map { noonMilliseconds + Int64($0) * 15_000 }
        // Values without any pattern: eight bytes each.
        let values = times.map { _ in Double(bitPattern: random.next() >> 2) }
        let part = try writePart(SimulatedDisk(seed: 1)) { writer throws(StoreError) in
            try writer.append(floats([1], [1]), stream: 3)
            try writer.append(floats(times, values), stream: 40)
            try writer.append(floats([2], [2]), stream: 41)
        }
        let reader = try part.reader()
        #expect(reader.index.values.count > 5)
        for (stream, count) in [(UInt64(3), 1), (40, 60_000), (41, 1), (2, 0), (39, 0), (100, 0)] {
            var rows: [Double] = []
            for number in reader.index.pages(of: stream) {
                let page = try reader.page(number)
                for position in page.chunks(of: stream) { rows += try reader.floats(page.chunks[position], of: page) }
            }
            #expect(rows.count == count, "stream \(stream)")
            if stream == 40 { #expect(rows == values) }
        }
    }

    @Test("every flipped bit and every cut of a part with many pages is found where it is, and the other pages are served")
    func damagedPages() throws {
        let disk = SimulatedDisk(seed: 1)
        let part = try writePart(disk) { writer throws(StoreError) in
            for stream in 0..<40 {
                let times = (0..<600).map { Int64($0) * 15_000 + Int64(stream) }
                try writer.append(floats(times, times.map { Double(bitPattern: UInt64(bitPattern: $0) &* 0x9e37_79b9_7f4a_7c15 >> 2) }), stream: UInt64(stream))
            }
        }
        let bytes = try #require(disk.contents(part.path))
        let pages = try part.reader().index.values
        #expect(pages.count > 2)
        var random = SplitMix64(seed: 3)
        for number in 0..<pages.count {
            var damaged = bytes
            let offset = Int(pages.offsets[number])
            damaged[offset + Int(random.next() % UInt64(pages.byteCounts[number]))] ^= 1 << UInt8(random.next() % 8)
            disk.setContents(part.path, damaged)
            let reader = try part.reader()
            for other in 0..<pages.count {
                do throws(PartFailure) {
                    _ = try reader.page(other)
                    #expect(other != number)
                } catch {
                    #expect(other == number && error.isDamage && error.offset == offset)
                    #expect(error.error.message.contains("byte \(offset) ") && error.error.message.contains("expected 0x"), "\(error)")
                }
            }
        }
    }
}

extension UInt64 {
    fileprivate var doubled: Double { Double(self) * 2 }
}

extension Run {
    /// Whether two runs have the same rows, bit for bit.
    func isEqual(to other: Run) -> Bool {
        guard timestamps == other.timestamps else { return false }
        return switch (rows, other.rows) {
        case (.floats(let left), .floats(let right)): left.map(\.bitPattern) == right.map(\.bitPattern)
        case (.histograms(let left), .histograms(let right)): left == right
        case (.exemplars(let left), .exemplars(let right)): left == right
        default: false
        }
    }
}
