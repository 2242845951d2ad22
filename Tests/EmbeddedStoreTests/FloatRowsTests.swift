@testable import EmbeddedStore
import Telemetry
import TestSupport
import Testing

@Suite("Float rows of a memtable")
struct FloatRowsTests {
    /// Rows of random slots in the order of arrival.
    private static func rows(_ count: Int, slotMax: UInt32, seed: UInt64) -> (slots: [UInt32], times: [Int64], values: [Double]) {
        var random = SplitMix64(seed: seed)
        var (slots, times, values) = ([UInt32](), [Int64](), [Double]())
        for row in 0..<count {
            slots.append(UInt32.random(in: 0...slotMax, using: &random))
            times.append(Int64.random(in: 0...500, using: &random))
            values.append(Double(row))
        }
        return (slots, times, values)
    }

    /// What the rows of one slot must read as: ascending, of equal times the last that came.
    private static func expected(_ rows: (slots: [UInt32], times: [Int64], values: [Double]), _ slot: UInt32) -> [Int64: Double] {
        var expected: [Int64: Double] = [:]
        for row in rows.slots.indices where rows.slots[row] == slot { expected[rows.times[row]] = rows.values[row] }
        return expected
    }

    @Test("A chunk sorts by slot and keeps the order of arrival", arguments: [0, 1, 3, 900, 3_000_000] as [UInt32])
    func chunk(slotMax: UInt32) {
        let rows = Self.rows(5000, slotMax: slotMax, seed: UInt64(slotMax) + 7)
        let chunk = FloatChunk(slots: rows.slots, times: rows.times, values: rows.values)
        #expect(chunk.slots == Set(rows.slots).sorted())
        for position in chunk.slots.indices {
            let slot = chunk.slots[position]
            #expect(chunk.lowerBound(of: slot, from: 0) == position && chunk.lowerBound(of: slot, from: position) == position)
            #expect(Array(chunk.values[chunk.rows(at: position)]) == rows.values.filter { rows.slots[Int($0)] == slot })
        }
        #expect(chunk.lowerBound(of: slotMax + 1, from: 0) == chunk.slots.count)
        #expect(chunk.minTime == rows.times.min() && chunk.maxTime == rows.times.max())
    }

    @Test("Readers of few and of many series see every row, sealed or not")
    func reading() {
        let count = 6 * FloatRows.chunkRowCountMax + 777
        let all = Self.rows(count, slotMax: 300, seed: 3)
        let memtable = Memtable(signal: .metrics)
        var entered: Set<UInt32> = []
        for start in stride(from: 0, to: count, by: 1000) {
            let range = start..<min(start + 1000, count)
            var batch = PreparedBatch()
            (batch.floatSlots, batch.floatTimes, batch.floatValues) = (Array(all.slots[range]), Array(all.times[range]), Array(all.values[range]))
            _ = memtable.append(batch, now: 0) { slot, day in
                #expect(entered.insert(slot).inserted && day == 0)
            }
        }
        #expect(entered == Set(all.slots))
        for wanted in [[5, nil, 17, 9999] as [UInt32?], (0...300).map { UInt32($0) }] {
            let rows = memtable.rows(wanted, in: .all)
            for (stream, slot) in wanted.enumerated() {
                let expected = (slot.map { Self.expected(all, $0) } ?? [:]).sorted { $0.key < $1.key }
                #expect(rows.floats?.range(of: stream) == (expected.isEmpty ? nil : TimeRange(expected[0].key, expected[expected.count - 1].key)))
                let columns = rows.floats?.columns(of: stream)
                #expect(columns?.times == expected.map(\.key) && columns?.values == expected.map(\.value))
            }
        }
    }

    @Test("Merged chunks hold the rows of each slot in the order of arrival")
    func merging() {
        let all = Self.rows(9_000, slotMax: 70, seed: 5)
        let chunks = stride(from: 0, to: 9_000, by: 3_000).map { start in
            let range = start..<start + 3_000
            return FloatChunk(slots: Array(all.slots[range]), times: Array(all.times[range]), values: Array(all.values[range]))
        }
        let (merged, whole) = (FloatChunk(merging: chunks), FloatChunk(slots: all.slots, times: all.times, values: all.values))
        #expect(merged.slots == whole.slots && merged.starts == whole.starts && merged.times == whole.times && merged.values == whole.values)
        #expect(merged.minTime == whole.minTime && merged.maxTime == whole.maxTime && merged.level == 1)
    }

    @Test("Streams of equal timestamps share them under one number")
    func sharing() {
        var (slots, times, values) = ([UInt32](), [Int64](), [Double]())
        for time in [Int64(10), 20, 30] {
            for slot in UInt32(0)..<4 {
                slots.append(slot)
                times.append(slot == 3 ? time + 1 : time)
                values.append(Double(slot))
            }
        }
        let floats = MemtableFloats([FloatChunk(slots: slots, times: times, values: values)], slots: [0, 1, 3, nil, 2], in: TimeRange(15, 31))
        let columns = (0..<5).map { floats.columns(of: $0) }
        #expect(columns.map(\.times) == [[20, 30], [20, 30], [21, 31], [], [20, 30]])
        #expect(columns[0].number == columns[1].number && columns[0].number == columns[4].number && columns[0].number != 0)
        #expect(columns[2].number != columns[0].number)
    }

    @Test("A flush gathers the series in the order asked for, each ascending and without duplicates")
    func gathering() throws {
        let all = Self.rows(20_000, slotMax: 50, seed: 11)
        let chunks = stride(from: 0, to: 20_000, by: 6000).map { start in
            let range = start..<min(start + 6000, 20_000)
            return FloatChunk(slots: Array(all.slots[range]), times: Array(all.times[range]), values: Array(all.values[range]))
        }
        let order: [UInt32] = [50, 3, 7777, 0, 21]
        var seen: [Int] = []
        var gather = FloatGather(chunks, slots: order)
        try gather.forEach { (rank, times, values) throws(StoreError) in
            seen.append(rank)
            let expected = Self.expected(all, order[rank]).sorted { $0.key < $1.key }
            #expect(times.indices.map { times[$0] } == expected.map(\.key))
            #expect(values.indices.map { values[$0] } == expected.map(\.value))
        }
        #expect(seen == [0, 1, 2, 3, 4])
    }

    @Test("A float and a histogram of one instant: the later write stays, in memory and after a flush", arguments: [false, true])
    func mixedKinds(isFlushed: Bool) async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        let labels = Labels(["__name__": "mixed"])
        func histogram(_ time: Int64) -> TelemetryBatch {
            var batch = TelemetryBatch()
            let series = batch.metrics.addSeries(labels)
            var histogram = NativeHistogram()
            histogram.count = 4
            batch.metrics.histograms.append((series, time, histogram))
            return batch
        }
        let now = noonMilliseconds
        try await store.append(samples(["__name__": "mixed"], [(now, 1), (now + 1, 2)]))
        try await store.append(histogram(now))
        try await store.append(histogram(now + 1))
        try await store.append(samples(["__name__": "mixed"], [(now + 1, 3)]))
        if isFlushed { try await store.flush() }
        var kinds: [String] = []
        for block in try await store.blocks(.metrics) {
            switch block.columns {
            case .floats(let values): kinds += zip(block.timestamps, values).map { "\($0 - now) \($1)" }
            case .histograms(let values): kinds += zip(block.timestamps, values).map { "\($0 - now) h\($1.count)" }
            default: kinds.append("?")
            }
        }
        #expect(kinds == ["0 h4.0", "1 3.0"])
        try await store.close()
    }
}
