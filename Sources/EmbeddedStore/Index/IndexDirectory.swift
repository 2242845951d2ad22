import Codecs
import Telemetry

/// Where everything lies in a sealed index; all that stays in memory of it. Byte for byte: docs/format/index.md, "Sealed".
struct IndexDirectory: Sendable {
    /// `APUSIDX`, then the format's version.
    static let magic: [UInt8] = Array("APUSIDX".utf8) + [1]
    /// A look-up of one stream decodes so many.
    static let streamsPerBlock = 1024
    /// A look-up of one value walks over half as many.
    static let valuesPerBlock = 256

    /// A stretch of the file.
    struct Place: Sendable, Hashable {
        var offset: Int
        var byteCount: Int
        var checksum: UInt32
    }

    /// A block of streams.
    struct StreamBlock: Sendable {
        var firstID: UInt64
        var place: Place
    }

    struct Name: Sendable {
        var text: String
        /// Its blocks in ``values``.
        var firstBlock: Int
        var blockCount: Int
        var valueCount: Int
        var streamCount: Int
        /// The streams that have the label.
        var postings: Place
    }

    /// A block of the dictionary.
    struct ValueBlock: Sendable {
        var first: [UInt8]
        /// Offsets of postings in the block count from here.
        var postingsOffset: Int
        var place: Place
    }

    var streamCount = 0
    /// Blocks of streams end in their resources.
    var hasResources = false
    /// Some ids are not the hashes of their streams' labels: those were another stream's.
    var hasDisplaced = false
    var streams: [StreamBlock] = []
    /// Sorted by their bytes.
    var names: [Name] = []
    var values: [ValueBlock] = []

    init() {}

    func name(_ text: String) -> Name? {
        names.first { $0.text.hasSameUTF8(as: text) }
    }

    /// The block of streams that may hold an id.
    func block(of id: UInt64) -> Int? {
        var (low, high) = (0, streams.count)
        while low < high {
            let middle = (low + high) / 2
            if streams[middle].firstID <= id { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// The blocks of a name that may hold values between two texts.
    func blocks(of name: Name, from lower: [UInt8], through upper: [UInt8]?) -> Range<Int> {
        let blocks = name.firstBlock..<name.firstBlock + name.blockCount
        func firstBlock(_ isBehind: (ValueBlock) -> Bool) -> Int {
            var (low, high) = (blocks.lowerBound, blocks.upperBound)
            while low < high {
                let middle = (low + high) / 2
                if isBehind(values[middle]) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        let start = max(blocks.lowerBound, firstBlock { lower.lexicographicallyPrecedes($0.first) } - 1)
        guard let upper else { return start..<blocks.upperBound }
        return start..<max(start, firstBlock { upper.lexicographicallyPrecedes($0.first) })
    }

    func encode() -> [UInt8] {
        var plain: [UInt8] = []
        plain.append(count: streamCount)
        plain.append((hasResources ? 1 : 0) | (hasDisplaced ? 2 : 0))
        func append(_ place: Place) {
            plain.append(count: place.offset)
            plain.append(count: place.byteCount)
            plain.append(fixed32: place.checksum)
        }
        plain.append(count: streams.count)
        for block in streams {
            plain.append(fixed64: block.firstID)
            append(block.place)
        }
        plain.append(count: names.count)
        for name in names {
            plain.append(text: name.text)
            plain.append(count: name.valueCount)
            plain.append(count: name.streamCount)
            append(name.postings)
            for block in values[name.firstBlock..<name.firstBlock + name.blockCount] {
                plain.append(count: block.first.count)
                plain += block.first
                plain.append(count: block.postingsOffset)
                append(block.place)
            }
        }
        var bytes: [UInt8] = []
        bytes.append(count: plain.count)
        return bytes + Compression.zstd.compress(plain.span)
    }

    /// Reads a directory whose places end at or before `end`.
    init(_ bytes: [UInt8], end: Int) throws(DecodeError) {
        var header = ByteReader(bytes)
        let byteCount = try header.count("directory", byteCountMin: 0)
        let plain: [UInt8]
        do {
            plain = try Compression.zstd.decompress(bytes.span.extracting(header.offset..<bytes.count), byteCountMax: byteCount)
        } catch {
            throw DecodeError(offset: header.offset, field: "directory", error.description)
        }
        var reader = ByteReader(plain)
        streamCount = Int(try reader.uint32("streams"))
        let flags = try reader.byte("flags")
        (hasResources, hasDisplaced) = (flags & 1 != 0, flags & 2 != 0)
        for _ in 0..<(try reader.count("stream blocks", byteCountMin: 14)) {
            let id = try reader.fixed64("first id")
            streams.append(StreamBlock(firstID: id, place: try Self.place(&reader, end)))
        }
        guard streams.count == (streamCount + Self.streamsPerBlock - 1) / Self.streamsPerBlock else {
            throw DecodeError(offset: reader.offset, field: "stream blocks", "\(streams.count) for \(streamCount) streams")
        }
        for _ in 0..<(try reader.count("names", byteCountMin: 9)) {
            let text = try reader.text("name")
            let valueCount = Int(try reader.uint32("values"))
            let streamCount = Int(try reader.uint32("streams of a name"))
            let postings = try Self.place(&reader, end)
            let blockCount = (valueCount + Self.valuesPerBlock - 1) / Self.valuesPerBlock
            names.append(
                Name(
                    text: text, firstBlock: values.count, blockCount: blockCount, valueCount: valueCount, streamCount: streamCount,
                    postings: postings))
            guard blockCount <= reader.left else { throw DecodeError(offset: reader.offset, field: "values", "\(valueCount) do not fit") }
            for _ in 0..<blockCount {
                let first = Array(plain[try reader.take(try reader.count("first value"), "first value")])
                let offset = Int(truncatingIfNeeded: try reader.varint("postings"))
                guard (0...end).contains(offset) else { throw DecodeError(offset: reader.offset, field: "postings", "behind the end") }
                values.append(ValueBlock(first: first, postingsOffset: offset, place: try Self.place(&reader, end)))
            }
        }
    }

    private static func place(_ reader: inout ByteReader, _ end: Int) throws(DecodeError) -> Place {
        guard let offset = Int(exactly: try reader.varint("offset")), let byteCount = Int(exactly: try reader.varint("size")),
            offset <= end, byteCount <= end - offset
        else { throw DecodeError(offset: reader.offset, field: "place", "behind the end at \(end)") }
        return Place(offset: offset, byteCount: byteCount, checksum: try reader.fixed32("checksum"))
    }
}

/// The last bytes of a sealed index: where its directory is.
struct IndexFooter: Sendable {
    static let byteCount = 32

    var signal: Signal
    var streamCount: Int
    var directoryOffset: Int
    var directoryByteCount: Int
    var directoryChecksum: UInt32

    init(signal: Signal, streamCount: Int, directoryOffset: Int, directoryByteCount: Int, directoryChecksum: UInt32) {
        self.signal = signal
        self.streamCount = streamCount
        self.directoryOffset = directoryOffset
        self.directoryByteCount = directoryByteCount
        self.directoryChecksum = directoryChecksum
    }

    func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(fixed64: UInt64(directoryOffset))
        bytes.append(fixed64: UInt64(directoryByteCount))
        bytes.append(fixed32: UInt32(truncatingIfNeeded: streamCount))
        bytes.append(fixed32: directoryChecksum)
        bytes.append(fixed32: UInt32(signal.rawValue))
        bytes.append(fixed32: CRC32C.checksum(bytes.span))
        return bytes
    }

    /// Reads the last bytes of a file of `fileByteCount`.
    init(_ bytes: [UInt8], fileByteCount: Int) throws(DecodeError) {
        let start = fileByteCount - Self.byteCount
        guard bytes.count == Self.byteCount else { throw DecodeError(offset: 0, field: "footer", "cut short: \(bytes.count) bytes") }
        var reader = ByteReader(bytes)
        let offset = try reader.fixed64("directory offset")
        let byteCount = try reader.fixed64("directory size")
        let streamCount = try reader.fixed32("streams")
        let checksum = try reader.fixed32("directory checksum")
        let signal = try reader.fixed32("signal")
        let expected = try reader.fixed32("checksum")
        let found = CRC32C.checksum(bytes.span.extracting(0..<Self.byteCount - 4))
        guard found == expected else {
            throw DecodeError(offset: start, field: "footer", "checksum \(hex(found)), expected \(hex(expected))")
        }
        guard let signal = UInt8(exactly: signal).flatMap({ Signal(rawValue: $0) }), let offset = Int(exactly: offset),
            let byteCount = Int(exactly: byteCount), offset <= start, byteCount <= start - offset
        else { throw DecodeError(offset: start, field: "footer", "names places outside of the file") }
        self.init(
            signal: signal, streamCount: Int(streamCount), directoryOffset: offset, directoryByteCount: byteCount, directoryChecksum: checksum)
    }
}
