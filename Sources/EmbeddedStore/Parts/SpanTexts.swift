import Codecs

/// Writes the text columns of one block: every text is hashed once, and each column gets a dictionary of its own.
struct SpanTextWriter {
    var index = TextIndex()
    private var shared: [UInt8] = []
    private var sharedLengths: [Int64] = []
    /// By position in ``index``: the code in the column at hand, or -1.
    private var codes: [Int32] = []

    /// How a column's texts are stored.
    enum Layout: UInt8 {
        /// A dictionary among the block's shared texts, then the values' codes.
        case shared = 0
        /// A dictionary of the column's own, then the codes.
        case own = 1
        /// Every value's text: nearly all differ.
        case plain = 2
    }

    /// Larger dictionaries are kept apart, so that nobody expands them for the sake of others.
    private static let sharedByteCountMax = 512
    private static let plainCountMin = 16

    /// Appends a column: the positions of its values in ``index``.
    mutating func append(_ positions: [Int32], to bytes: inout [UInt8]) {
        if codes.count < index.count { codes.append(contentsOf: repeatElement(-1, count: index.count - codes.count)) }
        var dictionary: [Int32] = []
        var values: [Int64] = []
        values.reserveCapacity(positions.count)
        var byteCount = 0
        for position in positions {
            var code = codes[Int(position)]
            if code < 0 {
                code = Int32(dictionary.count)
                codes[Int(position)] = code
                dictionary.append(position)
                byteCount += index.range(Int(position)).count
            }
            values.append(Int64(code))
        }
        for position in dictionary { codes[Int(position)] = -1 }
        if dictionary.count > Self.plainCountMin, dictionary.count * 4 > positions.count * 3 {
            bytes.append(Layout.plain.rawValue)
            appendTexts(positions, to: &bytes)
            return
        }
        if byteCount <= Self.sharedByteCountMax {
            bytes.append(Layout.shared.rawValue)
            bytes.append(count: sharedLengths.count)
            bytes.append(count: dictionary.count)
            for position in dictionary {
                let range = index.range(Int(position))
                shared += index.bytes[range]
                sharedLengths.append(Int64(range.count))
            }
        } else {
            bytes.append(Layout.own.rawValue)
            bytes.append(count: dictionary.count)
            appendTexts(dictionary, to: &bytes)
        }
        if dictionary.count > 1 { IntegerColumn.append(values, to: &bytes) }
    }

    private func appendTexts(_ positions: [Int32], to bytes: inout [UInt8]) {
        var lengths: [Int64] = []
        lengths.reserveCapacity(positions.count)
        var texts: [UInt8] = []
        for position in positions {
            let range = index.range(Int(position))
            lengths.append(Int64(range.count))
            texts += index.bytes[range]
        }
        IntegerColumn.append(lengths, to: &bytes)
        BlockCodec.appendFrame(texts, to: &bytes)
    }

    /// The column of shared texts; it is complete once all others are written.
    func sharedColumn() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(count: sharedLengths.count)
        IntegerColumn.append(sharedLengths, to: &bytes)
        BlockCodec.appendFrame(shared, to: &bytes)
        return bytes
    }
}

/// Texts end to end.
struct SpanTexts {
    private(set) var bytes: [UInt8] = []
    /// Where each text starts, and where the last one ends.
    private(set) var starts: [Int] = [0]

    init() {}

    init(_ reader: inout ByteReader, count: Int) throws(DecodeError) {
        let lengths = try reader.integers(count)
        bytes = try BlockCodec.frame(&reader, isWanted: true) ?? []
        starts.reserveCapacity(count + 1)
        var end = 0
        for length in lengths {
            guard length >= 0, length <= bytes.count - end else {
                throw DecodeError(offset: reader.offset, field: "text length", "\(length) bytes where \(bytes.count - end) are left")
            }
            end += Int(length)
            starts.append(end)
        }
    }

    var count: Int { starts.count - 1 }

    func text(_ index: Int) -> String {
        String(decoding: bytes[starts[index]..<starts[index + 1]], as: UTF8.self)
    }

    func holds(_ text: [UInt8], at index: Int) -> Bool {
        starts[index + 1] - starts[index] == text.count && bytes[starts[index]..<starts[index + 1]].elementsEqual(text)
    }
}

/// A column of texts as it was read.
struct SpanTextColumn {
    private var texts = SpanTexts()
    /// Where the column's dictionary starts in ``texts``, and how long it is; all of the texts where there are no codes.
    private var first = 0
    private var entryCount = 0
    /// By value; empty where the dictionary has one text, and where it has one for each value.
    private var codes: [Int64] = []
    private var isPlain = false
    private var cache: [String?] = []

    init() {}

    /// - Parameter shared: the block's shared texts.
    init(_ reader: ByteReader, count: Int, shared: SpanTexts) throws(DecodeError) {
        var reader = reader
        let tag = try reader.byte("text layout")
        guard let layout = SpanTextWriter.Layout(rawValue: tag) else {
            throw DecodeError(offset: reader.offset, field: "text layout", "\(tag) is none of 0, 1, 2")
        }
        switch layout {
        case .plain:
            texts = try SpanTexts(&reader, count: count)
            entryCount = count
            isPlain = true
            return
        case .shared:
            let (start, length) = (try reader.varint("first text"), try reader.varint("texts"))
            guard start <= UInt64(shared.count), length <= UInt64(shared.count) - start, length > 0 else {
                throw DecodeError(offset: reader.offset, field: "texts", "\(length) from \(start) on, of \(shared.count)")
            }
            texts = shared
            (first, entryCount) = (Int(start), Int(length))
        case .own:
            let length = try reader.varint("texts")
            guard length > 0, length <= UInt64(count) else {
                throw DecodeError(offset: reader.offset, field: "texts", "\(length) for \(count) values")
            }
            entryCount = Int(length)
            texts = try SpanTexts(&reader, count: entryCount)
        }
        if entryCount > 1 {
            codes = try reader.integers(count)
            for code in codes where code < 0 || code >= Int64(entryCount) {
                throw DecodeError(offset: reader.offset, field: "text code", "\(code) of \(entryCount)")
            }
        }
        cache = [String?](repeating: nil, count: entryCount)
    }

    /// The dictionary's entry of a value.
    @inline(__always)
    private func entry(_ value: Int) -> Int { isPlain ? value : codes.isEmpty ? 0 : Int(codes[value]) }

    mutating func text(_ value: Int) -> String {
        let entry = entry(value)
        if isPlain { return texts.text(entry) }
        if let text = cache[entry] { return text }
        let text = texts.text(first + entry)
        cache[entry] = text
        return text
    }

    /// What a condition says of each text that the column has; it is asked once for each.
    struct Verdicts {
        fileprivate var column: SpanTextColumn
        fileprivate var verdicts: [Bool]
        /// No value satisfies it.
        var isNever: Bool { !verdicts.contains(true) }

        @inline(__always)
        func holds(_ value: Int) -> Bool { verdicts[column.entry(value)] }
    }

    func verdicts(equalTo text: String, isNegated: Bool) -> Verdicts {
        let bytes = Array(text.utf8)
        return Verdicts(column: self, verdicts: (0..<entryCount).map { texts.holds(bytes, at: first + $0) != isNegated })
    }

    func verdicts(_ condition: (String) -> Bool) -> Verdicts {
        Verdicts(column: self, verdicts: (0..<entryCount).map { condition(texts.text(first + $0)) })
    }
}
