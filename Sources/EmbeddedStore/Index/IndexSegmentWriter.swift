import Codecs
import Telemetry

/// Writes a sealed index: streams in the order of their ids, postings, and the dictionary of label values. Byte for byte:
/// docs/format/index.md, "Sealed".
struct IndexSegmentWriter {
    private let file: any StoreFile
    private let signal: Signal
    private let rows: StreamRows
    /// By position: the stream in ``rows``.
    private let order: [Int]
    private var directory = IndexDirectory()
    private var buffer = IndexDirectory.magic
    private var flushedByteCount = 0

    /// - Parameter hasDisplaced: whether some ids are not the hashes of the labels.
    init(_ file: any StoreFile, signal: Signal, rows: StreamRows, hasDisplaced: Bool = false) {
        directory.hasDisplaced = hasDisplaced
        self.file = file
        self.signal = signal
        self.rows = rows
        // One stream may come from memory and from an older file: its id is the same in both.
        var order = rows.ids.indices.sorted { rows.ids[$0] < rows.ids[$1] }
        var kept = 0
        for index in order.indices where kept == 0 || rows.ids[order[kept - 1]] != rows.ids[order[index]] {
            order[kept] = order[index]
            kept += 1
        }
        order.removeLast(order.count - kept)
        self.order = order
    }

    /// Writes the file and syncs it.
    consuming func finish() throws(StoreError) {
        let labels = rows.labels.indices.sorted { rows.labels[$0] < rows.labels[$1] }
        let ordinals = ordinals(labels)
        try writeStreams(ordinals)
        let postings = Inversion(rows, order)
        try writeDictionary(labels, postings)
        directory.streamCount = order.count
        let bytes = directory.encode()
        let footer = IndexFooter(
            signal: signal, streamCount: order.count, directoryOffset: flushedByteCount + buffer.count, directoryByteCount: bytes.count,
            directoryChecksum: CRC32C.checksum(bytes.span))
        buffer += bytes
        buffer += footer.encode()
        try flush()
        try file.sync()
    }

    /// The ordinal of each label of ``rows``: names begin at multiples of the dictionary's block size, so that a label's block is
    /// its ordinal's upper bits.
    private func ordinals(_ labels: [Int]) -> [UInt32] {
        var (ordinals, next, name) = ([UInt32](repeating: 0, count: rows.labels.count), UInt32(0), String?.none)
        let blockCount = UInt32(IndexDirectory.valuesPerBlock)
        for label in labels {
            if let name, !name.hasSameUTF8(as: rows.labels[label].name) { next = (next + blockCount - 1) / blockCount * blockCount }
            name = rows.labels[label].name
            ordinals[label] = next
            next += 1
        }
        return ordinals
    }

    private mutating func writeStreams(_ ordinals: [UInt32]) throws(StoreError) {
        var start = 0
        while start < order.count {
            let block = order[start..<min(start + IndexDirectory.streamsPerBlock, order.count)]
            var (plain, previous) = ([UInt8](), UInt64(0))
            for stream in block {
                plain.append(varint: rows.ids[stream] &- previous)
                previous = rows.ids[stream]
            }
            for stream in block {
                let numbers = rows.numbers(stream)
                plain.append(count: numbers.count)
                var previous: UInt32 = 0
                for number in numbers {
                    plain.append(varint: UInt64(ordinals[Int(number)] - previous))
                    previous = ordinals[Int(number)]
                }
            }
            if !rows.resources.isEmpty {
                var writer = TextTableWriter()
                for stream in block { writer.append(rows.resource(stream)) }
                plain += writer.bytes
            }
            var bytes: [UInt8] = []
            bytes.append(count: plain.count)
            bytes += Compression.zstd.compress(plain.span)
            directory.streams.append(.init(firstID: rows.ids[block[block.startIndex]], place: try write(bytes)))
            start += block.count
        }
        directory.hasResources = !rows.resources.isEmpty
    }

    private mutating func writeDictionary(_ labels: [Int], _ postings: Inversion) throws(StoreError) {
        var start = 0
        while start < labels.count {
            let name = rows.labels[labels[start]].name
            var end = start
            while end < labels.count, rows.labels[labels[end]].name.hasSameUTF8(as: name) { end += 1 }
            let values = labels[start..<end].filter { !postings[$0].isEmpty }
            var all = PostingsUnion()
            for label in values { all.insert(.many(Bitmap(Array(postings[label])))) }
            var bitmap = all.finish()
            bitmap.shrink()
            let streamCount = bitmap.count
            directory.names.append(
                .init(
                    text: name, firstBlock: directory.values.count, blockCount: (end - start + IndexDirectory.valuesPerBlock - 1) / IndexDirectory.valuesPerBlock,
                    valueCount: end - start, streamCount: streamCount, postings: try write(bitmap.bytes)))
            while start < end {
                let block = labels[start..<min(start + IndexDirectory.valuesPerBlock, end)]
                try writeValues(block, postings)
                start += block.count
            }
        }
    }

    /// Writes the postings of a block of values, then the block: front-coded values and where their postings are.
    private mutating func writeValues(_ labels: ArraySlice<Int>, _ postings: Inversion) throws(StoreError) {
        var (block, previous) = ([UInt8](), [UInt8]())
        let base = flushedByteCount + buffer.count
        for label in labels {
            let value = Array(rows.labels[label].value.utf8)
            let shared = zip(value, previous).prefix { $0 == $1 }.count
            block.append(count: shared)
            block.append(count: value.count - shared)
            block += value[shared...]
            previous = value
            let streams = postings[label]
            block.append(count: streams.count)
            if streams.count == 1 {
                block.append(varint: UInt64(streams[streams.startIndex]))
            } else if streams.count > 1 {
                var bitmap = Bitmap(Array(streams))
                bitmap.shrink()
                let place = try write(bitmap.bytes)
                block.append(count: place.offset - base)
                block.append(count: place.byteCount)
                block.append(fixed32: place.checksum)
            }
        }
        let first = rows.labels[labels[labels.startIndex]].value
        let place = try write(block)
        directory.values.append(.init(first: Array(first.utf8), postingsOffset: base, place: place))
    }

    private mutating func write(_ bytes: [UInt8]) throws(StoreError) -> IndexDirectory.Place {
        let place = IndexDirectory.Place(
            offset: flushedByteCount + buffer.count, byteCount: bytes.count, checksum: CRC32C.checksum(bytes.span))
        buffer += bytes
        if buffer.count >= 1 << 20 { try flush() }
        return place
    }

    private mutating func flush() throws(StoreError) {
        try file.write(buffer, at: flushedByteCount)
        flushedByteCount += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    /// By label of the rows: the positions of its streams, ascending.
    private struct Inversion {
        private var starts: [Int]
        private var positions: [UInt32]

        init(_ rows: StreamRows, _ order: [Int]) {
            starts = [Int](repeating: 0, count: rows.labels.count + 1)
            for stream in order {
                for number in rows.numbers(stream) { starts[Int(number) + 1] += 1 }
            }
            for index in 1..<starts.count { starts[index] += starts[index - 1] }
            positions = [UInt32](repeating: 0, count: starts[starts.count - 1])
            var next = starts
            for (position, stream) in order.enumerated() {
                for number in rows.numbers(stream) {
                    positions[next[Int(number)]] = UInt32(truncatingIfNeeded: position)
                    next[Int(number)] += 1
                }
            }
        }

        subscript(label: Int) -> ArraySlice<UInt32> { positions[starts[label]..<starts[label + 1]] }
    }
}
