import Codecs
import Patterns
import Telemetry

/// One reading of a sealed index, and what was decoded of it for that.
final class IndexSegmentReader {
    private let segment: IndexSegment
    private let directory: IndexDirectory
    /// By block of the dictionary: its labels, once decoded.
    private var labels: [[Label]]
    /// Streams are mostly asked for in the order of their ids.
    private var lastBlock: (index: Int, streams: StreamBlock)?

    /// A decoded block of streams.
    struct StreamBlock {
        var ids: [UInt64] = []
        var ends: [Int] = []
        var ordinals: [UInt32] = []
        var resources: [Resource] = []

        func ordinals(_ index: Int) -> ArraySlice<UInt32> { ordinals[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }
        func resource(_ index: Int) -> Resource { resources.isEmpty ? .unknown : resources[index] }
    }

    /// A value of a label, and the streams that have it.
    struct Value {
        var text: String
        var streamCount: Int
        /// The stream, where there is one; else where its postings are.
        var stream: UInt32
        var place: IndexDirectory.Place?
    }

    init(_ segment: IndexSegment, _ directory: IndexDirectory) {
        self.segment = segment
        self.directory = directory
        labels = [[Label]](repeating: [], count: directory.values.count)
    }

    /// Whether some ids are not the hashes of their streams' labels.
    var hasDisplaced: Bool { directory.hasDisplaced }

    // MARK: Matching

    /// The positions of the streams that satisfy all matchers.
    func matching(_ matchers: [CompiledMatcher]) -> Bitmap {
        matchers.combined(all: Bitmap(below: directory.streamCount)) { hits($0) } having: { having($0) }
    }

    private func having(_ name: String) -> Bitmap {
        guard let name = directory.name(name) else { return Bitmap() }
        return bitmap(name.postings)
    }

    private func hits(_ matcher: CompiledMatcher) -> Bitmap {
        if matcher.hitsEverything { return having(matcher.name) }
        var union = PostingsUnion()
        if let literals = matcher.literals {
            for literal in literals {
                let bytes = Array(literal.utf8)
                walk(matcher.name, from: bytes, through: bytes) { value in
                    if value.text.hasSameUTF8(as: literal), let postings = postings(value) { union.insert(postings) }
                }
            }
        } else {
            walk(matcher.name, from: matcher.bounds?.lower ?? [], through: matcher.bounds?.upper) { value in
                if matcher.isHit(value.text), let postings = postings(value) { union.insert(postings) }
            }
        }
        return union.finish()
    }

    // MARK: Answers

    /// The streams at positions, in the order of ids.
    func streams(_ positions: Bitmap, limit: Int?) -> [TelemetryStream] {
        var streams: [TelemetryStream] = []
        for position in positions.values {
            if let limit, streams.count >= limit { break }
            guard let block = block(Int(position) / IndexDirectory.streamsPerBlock) else { continue }
            let index = Int(position) % IndexDirectory.streamsPerBlock
            if index < block.ids.count, let stream = stream(block, index) { streams.append(stream) }
        }
        return streams
    }

    /// The stream that has an id.
    func stream(id: UInt64) -> TelemetryStream? {
        guard let position = directory.block(of: id), let block = block(position) else { return nil }
        var (low, high) = (0, block.ids.count)
        while low < high {
            let middle = (low + high) / 2
            if block.ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < block.ids.count && block.ids[low] == id ? stream(block, low) : nil
    }

    /// By position: the ids of all streams, ascending; 0 for those that cannot be read.
    func ids() -> [UInt64] {
        var ids: [UInt64] = []
        ids.reserveCapacity(directory.streamCount)
        for index in directory.streams.indices {
            let count = min(IndexDirectory.streamsPerBlock, directory.streamCount - ids.count)
            ids += block(index)?.ids ?? [UInt64](repeating: 0, count: count)
        }
        return ids
    }

    /// The label names that occur in `positions`; nil: in all streams.
    func labelNames(_ positions: Bitmap?, into names: inout Set<String>) {
        for name in directory.names where !names.contains(name.text) {
            if let positions, !bitmap(name.postings).intersects(positions) { continue }
            names.insert(name.text)
        }
    }

    /// The values of a label in `positions`; nil: in all streams.
    func labelValues(_ name: String, _ positions: Bitmap?, into values: inout Set<String>) {
        walk(name, from: [], through: nil) { value in
            if value.streamCount == 0 || values.contains(value.text) { return }
            if let positions, postings(value)?.intersects(positions) != true { return }
            values.insert(value.text)
        }
    }

    /// How many of `positions` have each label value; nil: of all streams.
    func count(_ positions: Bitmap?, into tally: inout CardinalityTally) {
        tally.streamCount += positions?.count ?? directory.streamCount
        for name in directory.names {
            walk(name.text, from: [], through: nil) { value in
                var count = value.streamCount
                if let positions { count = postings(value)?.intersectionCount(positions) ?? 0 }
                if count > 0 { tally.add(name.text, value.text, count) }
            }
        }
    }

    /// Reads all values and postings: what is damaged is reported.
    func checkPostings() {
        for name in directory.names {
            _ = bitmap(name.postings)
            walk(name.text, from: [], through: nil) { _ = postings($0) }
        }
    }

    /// Adds all streams to `rows`.
    func append(to rows: inout StreamRows) {
        var numbers: [UInt32: UInt32] = [:]
        for index in directory.streams.indices {
            guard let block = block(index) else { continue }
            for stream in block.ids.indices {
                let labels = block.ordinals(stream).compactMap { ordinal -> UInt32? in
                    if let number = numbers[ordinal] { return number }
                    guard let label = label(ordinal) else { return nil }
                    let number = rows.number(of: label)
                    numbers[ordinal] = number
                    return number
                }
                if labels.count == block.ordinals(stream).count { rows.append(block.ids[stream], labels, block.resource(stream)) }
            }
        }
    }

    // MARK: Blocks

    private func stream(_ block: StreamBlock, _ index: Int) -> TelemetryStream? {
        let ordinals = block.ordinals(index)
        var labels: [Label] = []
        labels.reserveCapacity(ordinals.count)
        for ordinal in ordinals {
            guard let label = label(ordinal) else { return nil }
            labels.append(label)
        }
        return TelemetryStream(id: StreamID(block.ids[index]), labels: Labels(sorted: labels), resource: block.resource(index))
    }

    /// nil where its block is damaged.
    private func label(_ ordinal: UInt32) -> Label? {
        let (block, position) = (Int(ordinal) / IndexDirectory.valuesPerBlock, Int(ordinal) % IndexDirectory.valuesPerBlock)
        guard block < labels.count else { return nil }
        if labels[block].isEmpty, let name = directory.names.last(where: { $0.firstBlock <= block }) {
            forEachValue(in: block) { labels[block].append(Label(name.text, $0.text)) }
        }
        return position < labels[block].count ? labels[block][position] : nil
    }

    private func block(_ index: Int) -> StreamBlock? {
        if let lastBlock, lastBlock.index == index { return lastBlock.streams }
        guard index < directory.streams.count else { return nil }
        let place = directory.streams[index].place
        guard let bytes = segment.read(place, "streams") else { return nil }
        do {
            let count = min(IndexDirectory.streamsPerBlock, directory.streamCount - index * IndexDirectory.streamsPerBlock)
            let block = try decode(bytes, count: count)
            lastBlock = (index, block)
            return block
        } catch {
            segment.quarantine(place.offset, "streams", "\(error)")
            return nil
        }
    }

    private func decode(_ bytes: [UInt8], count: Int) throws -> StreamBlock {
        var header = ByteReader(bytes)
        let byteCount = try header.count("content", byteCountMin: 0)
        let plain = try Compression.zstd.decompress(bytes.span.extracting(header.offset..<bytes.count), byteCountMax: byteCount)
        var reader = ByteReader(plain)
        var (block, id) = (StreamBlock(), UInt64(0))
        for _ in 0..<count {
            id = id &+ (try reader.varint("id"))
            block.ids.append(id)
        }
        for _ in 0..<count {
            var ordinal: UInt32 = 0
            for _ in 0..<(try reader.count("labels")) {
                ordinal = ordinal &+ (try reader.uint32("label"))
                block.ordinals.append(ordinal)
            }
            block.ends.append(block.ordinals.count)
        }
        if directory.hasResources {
            var table = try TextTableReader(reader)
            for _ in 0..<count { block.resources.append(try table.resource()) }
        }
        return block
    }

    // MARK: Values

    /// Calls `body` with the values of a label in byte order, at least with those between two texts.
    private func walk(_ name: String, from lower: [UInt8], through upper: [UInt8]?, _ body: (Value) -> Void) {
        guard let name = directory.name(name) else { return }
        for block in directory.blocks(of: name, from: lower, through: upper) { forEachValue(in: block, body) }
    }

    private func forEachValue(in block: Int, _ body: (Value) -> Void) {
        let (place, base) = (directory.values[block].place, directory.values[block].postingsOffset)
        guard let bytes = segment.read(place, "values") else { return }
        do throws(DecodeError) {
            var reader = ByteReader(bytes)
            var text: [UInt8] = []
            while !reader.isAtEnd {
                let shared = Int(try reader.uint32("shared"))
                guard shared <= text.count else { throw DecodeError(offset: reader.offset, field: "shared", "\(shared) of \(text.count)") }
                let rest = try reader.take(try reader.count("value"), "value")
                text.removeLast(text.count - shared)
                text += bytes[rest]
                var value = Value(
                    text: String(decoding: text, as: UTF8.self), streamCount: Int(try reader.uint32("streams")), stream: 0, place: nil)
                if value.streamCount == 1 {
                    value.stream = try reader.uint32("stream")
                } else if value.streamCount > 1 {
                    let offset = base + Int(try reader.uint32("postings"))
                    let byteCount = Int(try reader.uint32("postings"))
                    value.place = IndexDirectory.Place(offset: offset, byteCount: byteCount, checksum: try reader.fixed32("checksum"))
                }
                body(value)
            }
        } catch {
            segment.quarantine(place.offset, "values", error.description)
        }
    }

    private func postings(_ value: Value) -> Postings? {
        if let place = value.place { return .many(bitmap(place)) }
        return value.streamCount == 1 ? .one(value.stream) : nil
    }

    private func bitmap(_ place: IndexDirectory.Place) -> Bitmap {
        guard let bytes = segment.read(place, "postings") else { return Bitmap() }
        if let bitmap = Bitmap(bytes[...]) { return bitmap }
        segment.quarantine(place.offset, "postings", "they do not decode")
        return Bitmap()
    }
}
