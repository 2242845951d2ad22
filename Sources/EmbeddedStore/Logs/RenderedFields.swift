import Codecs

/// The values of some fields as text, in one buffer.
struct RenderedFields: ~Copyable {
    /// Bytes that may be read and written behind every value, so that short ones are copied at once.
    static let slack = 16

    private var bytes: UnsafeMutablePointer<UInt8>
    private var byteCount = 0
    private var capacity: Int
    private let slices: UnsafeMutablePointer<ValueSlice>
    private let sliceCapacity: Int
    private var sliceCount = 0

    /// - Parameter valueCount: of all fields that will be added.
    init(valueCount: Int, byteCount: Int) {
        capacity = byteCount + 1024
        bytes = .allocate(capacity: capacity)
        sliceCapacity = max(1, valueCount)
        slices = .allocate(capacity: sliceCapacity)
    }

    deinit {
        bytes.deallocate()
        slices.deallocate()
    }

    /// The values so far: a field's are those between the counts before and after it was added.
    var valueCount: Int { sliceCount }

    /// How long value `index` is.
    func count(_ index: Int) -> Int {
        precondition(index >= 0 && index < sliceCount)
        return slices[index].count
    }

    /// SAFETY: the closure must not keep the pointers; slices lie inside of the bytes, with ``slack`` behind them.
    func withValues<Result>(_ body: (UnsafePointer<UInt8>, UnsafePointer<ValueSlice>) throws(DecodeError) -> Result) throws(DecodeError) -> Result {
        try body(UnsafePointer(bytes), UnsafePointer(slices))
    }

    /// Takes over bytes that were written behind the others.
    @inline(__always)
    private mutating func commit(_ count: Int) {
        byteCount += count
        // Short values are read with their slack, which must not be what nobody wrote; ``reserve(_:_:)`` made room for it.
        (bytes + byteCount).update(repeating: 0, count: Self.slack)
    }

    /// All values end to end, and where each ends.
    func joined() -> (bytes: [UInt8], ends: [Int]) {
        var (joined, ends) = ([UInt8](), [Int]())
        ends.reserveCapacity(sliceCount)
        for index in 0..<sliceCount {
            let slice = slices[index]
            joined.append(contentsOf: UnsafeBufferPointer(start: bytes + slice.start, count: slice.count))
            ends.append(joined.count)
        }
        return (joined, ends)
    }

    /// Where the next `count` bytes may be written.
    private mutating func reserve(_ count: Int, _ offset: Int) throws(DecodeError) -> UnsafeMutablePointer<UInt8> {
        // Slices have 32 bits for an offset.
        guard byteCount + count < Int(UInt32.max) else { throw DecodeError(offset: offset, field: "values", "they are too long for a block") }
        let needed = byteCount + count + Self.slack
        if needed > capacity {
            let wanted = max(needed, capacity * 2)
            let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
            moved.update(from: bytes, count: byteCount)
            bytes.deallocate()
            (bytes, capacity) = (moved, wanted)
        }
        return bytes + byteCount
    }

    private mutating func append(_ text: [UInt8], _ offset: Int) throws(DecodeError) -> ValueSlice {
        let output = try reserve(text.count, offset)
        for index in text.indices { output[index] = text[index] }
        commit(text.count)
        return ValueSlice(start: byteCount - text.count, count: text.count)
    }

    private func room(for count: Int, _ offset: Int) throws(DecodeError) {
        guard count <= sliceCapacity - sliceCount else { throw DecodeError(offset: offset, field: "values", "more than announced") }
    }

    // MARK: Encodings

    /// Adds a field's values.
    ///
    /// - Parameters:
    ///   - reader: at the field's section.
    ///   - times: the timestamps of its rows.
    mutating func append(
        _ encoding: FieldEncoding, count: Int, _ reader: inout ByteReader, times: () -> [Int64]
    ) throws(DecodeError) {
        try room(for: count, reader.offset)
        switch encoding {
        case .dictionary(let texts):
            let codes = try CodeColumn.read(&reader, count: count, entryCount: texts.count)
            var entries: [ValueSlice] = []
            for text in texts { entries.append(try append(text, reader.offset)) }
            for code in codes { add(entries[Int(code)]) }
        case .number(let number):
            var values = try reader.integers(count)
            if let clock = number.clock { Clock.restore(&values, to: times(), unit: DecimalText.powers[clock]) }
            try append(values, byteCountMax: DecimalText.byteCountMax, number.exceptions, reader.offset) { value, output in
                DecimalText.write(value, scale: number.scale, isTrimmed: number.isTrimmed, to: output)
            }
        case .time(let time):
            var values = try reader.integers(count)
            let unit = time.fraction.unit
            if time.isRelative { Clock.restore(&values, to: times(), unit: unit) }
            var calendar = TimeText.Calendar()
            try append(values, byteCountMax: TimeText.byteCountMax, time.exceptions, reader.offset) { value, output in
                var end = TimeText.write(value &* unit, time.fraction, &calendar, to: output)
                for byte in time.zone {
                    output[end] = byte
                    end += 1
                }
                return end
            }
        case .digits(let pattern): try append(pattern, count, &reader)
        case .text: try appendText(count, &reader)
        }
    }

    /// Adds some of a field's values.
    ///
    /// - Parameter places: which, ascending; all below `count`.
    mutating func append(
        _ encoding: FieldEncoding, count: Int, at places: [Int], _ reader: inout ByteReader, times: () throws(DecodeError) -> [Int64]
    ) throws(DecodeError) {
        try room(for: places.count, reader.offset)
        switch encoding {
        case .dictionary(let texts):
            let codes = try CodeColumn.read(&reader, count: count, entryCount: texts.count)
            var entries = [ValueSlice?](repeating: nil, count: texts.count)
            for place in places {
                let code = Int(codes[place])
                if entries[code] == nil { entries[code] = try append(texts[code], reader.offset) }
                if let entry = entries[code] { add(entry) }
            }
        case .number(let number):
            var values = try reader.integers(count)
            if let clock = number.clock { Clock.restore(&values, to: try times(), unit: DecimalText.powers[clock]) }
            try append(
                places.map { values[$0] }, byteCountMax: DecimalText.byteCountMax, number.exceptions.selecting(places), reader.offset
            ) { value, output in
                DecimalText.write(value, scale: number.scale, isTrimmed: number.isTrimmed, to: output)
            }
        case .time(let time):
            var values = try reader.integers(count)
            let unit = time.fraction.unit
            if time.isRelative { Clock.restore(&values, to: try times(), unit: unit) }
            var calendar = TimeText.Calendar()
            try append(
                places.map { values[$0] }, byteCountMax: TimeText.byteCountMax, time.exceptions.selecting(places), reader.offset
            ) { value, output in
                var end = TimeText.write(value &* unit, time.fraction, &calendar, to: output)
                for byte in time.zone {
                    output[end] = byte
                    end += 1
                }
                return end
            }
        case .digits(let pattern):
            let section = try reader.take(pattern.stride * count, "digits")
            var packed: [UInt8] = []
            for place in places {
                let start = section.lowerBound + place * pattern.stride
                packed += reader.bytes[start..<start + pattern.stride]
            }
            var rows = ByteReader(packed)
            try append(pattern, places.count, &rows)
        case .text:
            let lengths = try reader.integers(count)
            let text = try BlockCodec.frame(&reader, isWanted: true) ?? []
            var (end, next) = (0, 0)
            for (index, length) in lengths.enumerated() where next < places.count {
                guard length >= 0, length <= text.count - end else {
                    throw DecodeError(offset: reader.offset, field: "length", "\(length) bytes where \(text.count - end) are left")
                }
                if places[next] == index {
                    add(try append(Array(text[end..<end + Int(length)]), reader.offset))
                    next += 1
                }
                end += Int(length)
            }
        }
    }

    @inline(__always)
    private mutating func add(_ slice: ValueSlice) {
        slices[sliceCount] = slice
        sliceCount += 1
    }

    /// Writes integers as texts; exceptions as they are.
    @inline(__always)
    private mutating func append(
        _ values: [Int64], byteCountMax: Int, _ exceptions: FieldEncoding.Exceptions, _ offset: Int,
        _ write: (Int64, UnsafeMutablePointer<UInt8>) -> Int
    ) throws(DecodeError) {
        let first = sliceCount
        let output = try reserve(values.count * byteCountMax, offset)
        // SAFETY: room for `byteCountMax` bytes a value was made.
        var written = 0
        for value in values {
            let count = write(value, output + written)
            add(ValueSlice(start: byteCount + written, count: count))
            written += count
        }
        commit(written)
        for (place, text) in zip(exceptions.places, exceptions.texts) {
            guard place < values.count else { throw DecodeError(offset: offset, field: "exception", "beyond the values") }
            slices[first + place] = try append(text, offset)
        }
    }

    private mutating func append(_ pattern: DigitPattern, _ count: Int, _ reader: inout ByteReader) throws(DecodeError) {
        let section = try reader.take(pattern.stride * count, "digits")
        let (rowByteCount, stride, digitCount) = (pattern.text.count, pattern.stride, pattern.places.count)
        var output = try reserve(rowByteCount * count, reader.offset)
        reader.bytes.withUnsafeBufferPointer { all in
            pattern.text.withUnsafeBufferPointer { text in
                pattern.places.withUnsafeBufferPointer { places in
                    DigitPattern.digits.withUnsafeBufferPointer { digits in
                        guard let base = all.baseAddress, let text = text.baseAddress, let digits = digits.baseAddress else { return }
                        // SAFETY: the section holds `stride` bytes a row (taken above), the output room for `rowByteCount`; places lie
                        // inside the pattern.
                        var packed = base + section.lowerBound
                        for _ in 0..<count {
                            output.update(from: text, count: rowByteCount)
                            var digit = 0
                            while digit + 1 < digitCount {
                                let byte = packed[digit &>> 1]
                                output[Int(places[digit])] = digits[Int(byte &>> 4)]
                                output[Int(places[digit &+ 1])] = digits[Int(byte & 15)]
                                digit &+= 2
                            }
                            if digit < digitCount { output[Int(places[digit])] = digits[Int(packed[digit &>> 1] &>> 4)] }
                            output += rowByteCount
                            packed += stride
                        }
                    }
                }
            }
        }
        for row in 0..<count { add(ValueSlice(start: byteCount + row * rowByteCount, count: rowByteCount)) }
        commit(rowByteCount * count)
    }

    private mutating func appendText(_ count: Int, _ reader: inout ByteReader) throws(DecodeError) {
        let lengths = try reader.integers(count)
        let text = try BlockCodec.frame(&reader, isWanted: true) ?? []
        let output = try reserve(text.count, reader.offset)
        text.withUnsafeBufferPointer { text in
            if let start = text.baseAddress { output.update(from: start, count: text.count) }
        }
        var end = 0
        for length in lengths {
            guard length >= 0, length <= text.count - end else {
                throw DecodeError(offset: reader.offset, field: "length", "\(length) bytes where \(text.count - end) are left")
            }
            add(ValueSlice(start: byteCount + end, count: Int(length)))
            end += Int(length)
        }
        commit(text.count)
    }
}
