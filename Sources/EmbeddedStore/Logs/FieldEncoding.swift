import Codecs

/// How the values of one field lie in a block. Byte for byte: docs/format/logs.md, "Fields".
enum FieldEncoding: Sendable {
    /// A code a value.
    case dictionary([[UInt8]])
    /// Decimal numbers as integers.
    case number(Number)
    /// RFC 3339 times as integers.
    case time(Time)
    /// Ids as packed hexadecimal digits.
    case digits(DigitPattern)
    /// Anything else.
    case text(GramFilter)

    struct Number: Sendable {
        /// The value is the integer / 10^scale; 0…18.
        var scale: Int
        /// Zeros at the fraction's end are left out; otherwise all have `scale` digits there.
        var isTrimmed: Bool
        /// The integers are relative to the row's timestamp / 10^this; nil: to nothing.
        var clock: Int?
        var exceptions = Exceptions()
    }

    struct Time: Sendable {
        var fraction: TimeText.Fraction
        var zone: [UInt8]
        /// The integers are relative to the row's timestamp.
        var isRelative: Bool
        var exceptions = Exceptions()
    }

    /// Values that would not come back from an integer: their places, ascending, and the texts.
    struct Exceptions: Sendable {
        var places: [Int] = []
        var texts: [[UInt8]] = []
        private(set) var byteCount = 0

        static let byteCountMax = 4096

        mutating func append(_ place: Int, _ text: [UInt8]) {
            places.append(place)
            texts.append(text)
            byteCount += text.count + 4
        }

        /// Those of some places, which ascend, by their position among them.
        func selecting(_ wanted: [Int]) -> Exceptions {
            var selected = Exceptions()
            if places.isEmpty { return selected }
            var next = 0
            for (position, place) in wanted.enumerated() {
                while next < places.count, places[next] < place { next += 1 }
                if next < places.count, places[next] == place { selected.append(position, texts[next]) }
            }
            return selected
        }
    }

    private enum Kind: UInt8 {
        case dictionary = 0
        case number = 1
        case time = 2
        case digits = 3
        case text = 4
    }

    func append(to bytes: inout [UInt8]) {
        switch self {
        case .dictionary(let texts):
            bytes.append(Kind.dictionary.rawValue)
            bytes.append(count: texts.count)
            for text in texts { bytes.append(counted: text) }
        case .number(let number):
            bytes.append(Kind.number.rawValue)
            bytes.append(UInt8(number.scale) | (number.isTrimmed ? 0x80 : 0))
            bytes.append(UInt8(truncatingIfNeeded: (number.clock ?? -1) + 1))
            Self.append(number.exceptions, to: &bytes)
        case .time(let time):
            bytes.append(Kind.time.rawValue)
            bytes.append(time.fraction.code | (time.isRelative ? 0x80 : 0))
            bytes.append(counted: time.zone)
            Self.append(time.exceptions, to: &bytes)
        case .digits(let pattern):
            bytes.append(Kind.digits.rawValue)
            bytes.append(counted: pattern.text)
        case .text(let filter):
            bytes.append(Kind.text.rawValue)
            bytes.append(count: filter.words.count)
            for word in filter.words { bytes.append(fixed64: word) }
        }
    }

    /// - Parameter count: the field's values.
    init(_ reader: inout ByteReader, count: Int) throws(DecodeError) {
        guard let kind = Kind(rawValue: try reader.byte("encoding")) else {
            throw DecodeError(offset: reader.offset, field: "encoding", "unknown")
        }
        switch kind {
        case .dictionary:
            let textCount = try reader.count("dictionary")
            guard textCount > 0, textCount <= FieldEncoder.dictionaryCountMax else {
                throw DecodeError(offset: reader.offset, field: "dictionary", "\(textCount) texts")
            }
            var texts: [[UInt8]] = []
            for _ in 0..<textCount { texts.append(try reader.counted("dictionary")) }
            self = .dictionary(texts)
        case .number:
            let flags = try reader.byte("scale")
            let clock = Int(try reader.byte("clock")) - 1
            let scale = Int(flags & 0x7f)
            guard scale <= DecimalText.digitCountMax, clock <= DecimalText.digitCountMax else {
                throw DecodeError(offset: reader.offset, field: "scale", "\(scale), clock \(clock)")
            }
            self = .number(
                Number(
                    scale: scale, isTrimmed: flags & 0x80 != 0, clock: clock < 0 ? nil : clock,
                    exceptions: try Self.exceptions(&reader, count)))
        case .time:
            let flags = try reader.byte("fraction")
            let zone = try reader.counted("zone")
            guard let fraction = TimeText.Fraction(code: flags & 0x7f), zone.count <= TimeText.zoneByteCountMax else {
                throw DecodeError(offset: reader.offset, field: "fraction", "\(flags), a zone of \(zone.count) bytes")
            }
            self = .time(
                Time(fraction: fraction, zone: zone, isRelative: flags & 0x80 != 0, exceptions: try Self.exceptions(&reader, count)))
        case .digits:
            let text = try reader.counted("pattern")
            guard text.count <= DigitPattern.byteCountMax else {
                throw DecodeError(offset: reader.offset, field: "pattern", "\(text.count) bytes")
            }
            self = .digits(DigitPattern(text: text))
        case .text:
            let wordCount = try reader.count("filter", byteCountMin: 8)
            guard wordCount == 0 || wordCount.nonzeroBitCount == 1 else {
                throw DecodeError(offset: reader.offset, field: "filter", "\(wordCount) words")
            }
            var words: [UInt64] = []
            words.reserveCapacity(wordCount)
            for _ in 0..<wordCount { words.append(try reader.fixed64("filter")) }
            self = .text(GramFilter(words: words))
        }
    }

    private static func append(_ exceptions: Exceptions, to bytes: inout [UInt8]) {
        bytes.append(count: exceptions.places.count)
        var previous = 0
        for (place, text) in zip(exceptions.places, exceptions.texts) {
            bytes.append(count: place - previous)
            bytes.append(counted: text)
            previous = place
        }
    }

    private static func exceptions(_ reader: inout ByteReader, _ count: Int) throws(DecodeError) -> Exceptions {
        var exceptions = Exceptions()
        let exceptionCount = try reader.count("exceptions", byteCountMin: 2)
        var place = 0
        for _ in 0..<exceptionCount {
            let step = try reader.varint("exception")
            guard step < UInt64(max(0, count - place)) else {
                throw DecodeError(offset: reader.offset, field: "exception", "beyond the \(count) values")
            }
            place += Int(step)
            exceptions.append(place, try reader.counted("exception"))
        }
        return exceptions
    }
}

extension ByteReader {
    /// Bytes with their count before them.
    mutating func counted(_ field: String) throws(DecodeError) -> [UInt8] {
        Array(bytes[try take(try count(field), field)])
    }
}

extension [UInt8] {
    mutating func append(counted bytes: [UInt8]) {
        append(count: bytes.count)
        self += bytes
    }
}
