import Codecs
import Telemetry

extension ExpositionParser {
    /// Reads `name{labels} value [timestamp] [# {labels} value [timestamp]]`: the labels' syntax alone.
    mutating func sample(_ bytes: Span<UInt8>) throws(DecodeError) -> ExpositionResult.Sample {
        let start = offset
        while offset < end, Self.isNameByte(bytes[offset]) || bytes[offset] == UInt8(ascii: ":") { offset += 1 }
        var hasName = offset > start
        if hasName, Self.isDigit(bytes[start]) { throw error("a metric's name must not start with a digit", at: start) }
        var key = start..<offset
        if !isOpenMetrics { skipSpace(bytes) }
        if offset < end, bytes[offset] == UInt8(ascii: "{") {
            hasName = try labels(bytes, mayHoldName: !hasName) || hasName
            key = start..<offset
        } else if !hasName {
            throw unexpected(bytes, "a metric's name")
        }
        guard hasName else { throw error("the sample has no metric name", at: start) }
        try separator(bytes)
        let value = try number(bytes, "a value")
        var (timestamp, hasOwnTimestamp) = (options.defaultTimestamp, false)
        if let written = try self.timestamp(bytes), options.honorTimestamps {
            (timestamp, hasOwnTimestamp) = (written, true)
        }
        let form: SeriesForm = kind == .histogram ? .histogramText : kind == .summary ? .summaryText : .text
        var sample = ExpositionResult.Sample(
            key: key, form: form, value: value, timestamp: timestamp, hasOwnTimestamp: hasOwnTimestamp)
        if isOpenMetrics, let exemplar = try exemplar(bytes, timestamp) {
            sample.exemplars = result.exemplars.count..<result.exemplars.count + 1
            result.exemplars.append(exemplar)
        }
        try finishLine(bytes)
        return sample
    }

    // MARK: Labels

    /// Moves over `{name="value", …}`. With `mayHoldName`, one quoted text without a value is the metric's name.
    ///
    /// - Returns: whether there was one.
    private mutating func labels(_ bytes: Span<UInt8>, mayHoldName: Bool) throws(DecodeError) -> Bool {
        offset += 1
        var hasName = false
        while true {
            skipSpace(bytes)
            guard offset < end else { throw error("the text ends within labels") }
            if bytes[offset] == UInt8(ascii: "}") { break }
            let isQuoted = bytes[offset] == UInt8(ascii: "\"")
            if isQuoted { _ = try quoted(bytes, "a label's name") } else { try labelName(bytes) }
            skipSpace(bytes)
            if offset < end, bytes[offset] == UInt8(ascii: "=") {
                offset += 1
                skipSpace(bytes)
                _ = try quoted(bytes, "the label's value")
            } else {
                guard isQuoted, mayHoldName, !hasName else { throw unexpected(bytes, "'=' after a label's name") }
                hasName = true
            }
            skipSpace(bytes)
            if offset < end, bytes[offset] == UInt8(ascii: ",") {
                offset += 1
            } else if offset >= end || bytes[offset] != UInt8(ascii: "}") {
                throw unexpected(bytes, "a comma or the end of the labels")
            }
        }
        offset += 1
        return hasName
    }

    private mutating func labelName(_ bytes: Span<UInt8>) throws(DecodeError) {
        let start = offset
        while offset < end, Self.isNameByte(bytes[offset]) { offset += 1 }
        guard offset > start, !Self.isDigit(bytes[start]) else { throw unexpected(bytes, "a label's name", at: start) }
    }

    /// Moves over a text in double quotes with `\\`, `\"` and `\n`; returns where it stands, without the quotes.
    mutating func quoted(_ bytes: Span<UInt8>, _ what: String) throws(DecodeError) -> Range<Int> {
        guard offset < end, bytes[offset] == UInt8(ascii: "\"") else { throw unexpected(bytes, "\(what) in double quotes") }
        let start = offset + 1
        var index = start
        while index < end, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\n") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < end, bytes[index] == UInt8(ascii: "\"") else { throw error("\(what) has no closing quote") }
        offset = index + 1
        return start..<index
    }

    // MARK: Values

    /// The bytes up to the next space or line end, and moves behind them.
    private mutating func token(_ bytes: Span<UInt8>) -> Range<Int> {
        let start = offset
        while offset < end, bytes[offset] > UInt8(ascii: " ") { offset += 1 }
        return start..<offset
    }

    private mutating func number(_ bytes: Span<UInt8>, _ what: String) throws(DecodeError) -> Double {
        let range = token(bytes)
        guard let value = DecimalNumber.parse(bytes, range) else {
            throw error("expected \(what), found \"\(bytes.text(range).prefix(40))\"", at: range.lowerBound)
        }
        return value
    }

    /// The sample's own time, in milliseconds: an integer of milliseconds in Prometheus' format, seconds in OpenMetrics.
    private mutating func timestamp(_ bytes: Span<UInt8>) throws(DecodeError) -> Int64? {
        guard isAtTimestamp(bytes) else { return nil }
        if isOpenMetrics { return try seconds(bytes) }
        let range = token(bytes)
        guard let milliseconds = Int64(bytes.text(range)) else {
            throw error("expected a timestamp in milliseconds, found \"\(bytes.text(range).prefix(40))\"", at: range.lowerBound)
        }
        return milliseconds
    }

    /// Whether something other than an exemplar follows on the line; moves to it.
    private mutating func isAtTimestamp(_ bytes: Span<UInt8>) -> Bool {
        if !isOpenMetrics {
            skipSpace(bytes)
            return offset < end && bytes[offset] > UInt8(ascii: " ")
        }
        guard offset + 1 < end, bytes[offset] == UInt8(ascii: " "), bytes[offset + 1] > UInt8(ascii: " "),
            bytes[offset + 1] != UInt8(ascii: "#")
        else { return false }
        offset += 1
        return true
    }

    private mutating func seconds(_ bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
        let place = offset
        let value = try number(bytes, "a timestamp in seconds")
        guard let milliseconds = Int64(exactly: (value * 1_000).rounded(.towardZero)) else {
            throw error("the timestamp is out of range", at: place)
        }
        return milliseconds
    }

    private mutating func exemplar(_ bytes: Span<UInt8>, _ timestamp: Int64) throws(DecodeError) -> Exemplar? {
        guard offset + 2 < end, bytes.holds(" # ", at: offset..<offset + 3) else { return nil }
        offset += 3
        guard offset < end, bytes[offset] == UInt8(ascii: "{") else { throw unexpected(bytes, "an exemplar's labels") }
        let start = offset
        _ = try labels(bytes, mayHoldName: false)
        let labels = try SeriesText.exemplarLabels(bytes, start..<offset)
        try separator(bytes)
        let value = try number(bytes, "an exemplar's value")
        let own = isAtTimestamp(bytes) ? try seconds(bytes) : nil
        isExemplarTimed = own != nil
        return Exemplar(labels: labels, value: value, timestamp: own ?? timestamp)
    }

    // MARK: Spaces

    /// What stands before a value: any white space (0.0.4 needs none behind a brace), one space in OpenMetrics.
    private mutating func separator(_ bytes: Span<UInt8>) throws(DecodeError) {
        if !isOpenMetrics {
            let start = offset
            skipSpace(bytes)
            guard offset > start || bytes[offset - 1] == UInt8(ascii: "}") || bytes[offset - 1] == UInt8(ascii: " ")
                || bytes[offset - 1] == UInt8(ascii: "\t")
            else { throw unexpected(bytes, "a space") }
            return
        }
        guard offset < end, bytes[offset] == UInt8(ascii: " ") else { throw unexpected(bytes, "a space") }
        offset += 1
    }

    private mutating func finishLine(_ bytes: Span<UInt8>) throws(DecodeError) {
        if !isOpenMetrics {
            skipSpace(bytes)
            if offset < end, bytes[offset] == UInt8(ascii: "\r") { offset += 1 }
            guard offset < end else { return }
        } else if offset == end {
            throw error("the last line has no end, and \"# EOF\" is missing")
        }
        guard bytes[offset] == UInt8(ascii: "\n") else { throw unexpected(bytes, "the end of the line") }
        offset += 1
    }

    func unexpected(_ bytes: Span<UInt8>, _ expected: String, at place: Int? = nil) -> DecodeError {
        let place = place ?? offset
        guard place < end else { return error("the text ends, expected \(expected)", at: place) }
        let byte = bytes[place]
        if byte == UInt8(ascii: "\n") { return error("the line ends, expected \(expected)", at: place) }
        let found = byte > 0x20 && byte < 0x7f ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
        return error("found \(found), expected \(expected)", at: place)
    }
}
