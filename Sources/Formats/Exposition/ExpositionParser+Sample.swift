import Codecs
import Telemetry

extension ExpositionParser {
    /// Reads `name{labels} value [timestamp] [# {labels} value [timestamp]]`.
    mutating func sample(_ bytes: Span<UInt8>) throws(DecodeError) {
        let start = offset
        var labels: [Label] = []
        while offset < end, Self.isNameByte(bytes[offset]) || bytes[offset] == UInt8(ascii: ":") { offset += 1 }
        if offset > start {
            guard Self.isMetricName(bytes, start..<offset) else {
                throw error("a metric's name must not start with a digit", at: start)
            }
            labels.append(Label(Labels.metricName, bytes.text(start..<offset)))
        }
        if dialect == .prometheus { skipSpace(bytes) }
        if offset < end, bytes[offset] == UInt8(ascii: "{") {
            try self.labels(bytes, &labels, mayHoldName: offset == start)
        } else if labels.isEmpty {
            throw unexpected(bytes, "a metric's name")
        }
        guard labels.contains(where: { $0.name == Labels.metricName && !$0.value.isEmpty }) else {
            throw error("the sample has no metric name", at: start)
        }
        try separator(bytes)
        let value = try number(bytes, "a value")
        var (timestamp, hasOwnTimestamp) = (defaultTimestamp, false)
        if let written = try self.timestamp(bytes), honorTimestamps {
            (timestamp, hasOwnTimestamp) = (written, true)
        }
        var series = ExpositionResult.Series(
            labels: Labels(labels), value: value, timestamp: timestamp, hasOwnTimestamp: hasOwnTimestamp)
        if dialect == .openMetrics { series.exemplar = try exemplar(bytes, timestamp) }
        try finishLine(bytes)
        result.series.append(series)
    }

    // MARK: Labels

    /// Reads `{name="value", …}`. With `mayHoldName`, one quoted text without a value is the metric's name.
    private mutating func labels(
        _ bytes: Span<UInt8>, _ labels: inout [Label], mayHoldName: Bool
    ) throws(DecodeError) {
        offset += 1
        var hasName = !mayHoldName
        // Looking for a name among many by walking would take quadratic time.
        var names: Set<String> = []
        while true {
            skipSpace(bytes)
            guard offset < end else { throw error("the text ends within labels") }
            if bytes[offset] == UInt8(ascii: "}") { break }
            let place = offset
            let isQuoted = bytes[offset] == UInt8(ascii: "\"")
            let name = isQuoted ? try quoted(bytes, "a label's name") : try labelName(bytes)
            skipSpace(bytes)
            if offset < end, bytes[offset] == UInt8(ascii: "=") {
                offset += 1
                skipSpace(bytes)
                let value = try quoted(bytes, "the label's value")
                if labels.count == 64 { names.formUnion(labels.map(\.name)) }
                let isTwice = labels.count < 64 ? labels.contains { $0.name == name } : !names.insert(name).inserted
                if isTwice { throw error("the label \"\(name)\" occurs twice", at: place) }
                labels.append(Label(name, value))
            } else {
                guard isQuoted, !hasName else { throw unexpected(bytes, "'=' after a label's name") }
                hasName = true
                labels.append(Label(Labels.metricName, name))
            }
            skipSpace(bytes)
            if offset < end, bytes[offset] == UInt8(ascii: ",") {
                offset += 1
            } else if offset >= end || bytes[offset] != UInt8(ascii: "}") {
                throw unexpected(bytes, "a comma or the end of the labels")
            }
        }
        offset += 1
    }

    private mutating func labelName(_ bytes: Span<UInt8>) throws(DecodeError) -> String {
        let start = offset
        while offset < end, Self.isNameByte(bytes[offset]) { offset += 1 }
        guard offset > start, !Self.isDigit(bytes[start]) else { throw unexpected(bytes, "a label's name", at: start) }
        return bytes.text(start..<offset)
    }

    /// A text in double quotes with `\\`, `\"` and `\n`.
    mutating func quoted(_ bytes: Span<UInt8>, _ what: String) throws(DecodeError) -> String {
        guard offset < end, bytes[offset] == UInt8(ascii: "\"") else { throw unexpected(bytes, "\(what) in double quotes") }
        let start = offset + 1
        var index = start
        var hasEscapes = false
        while index < end, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\n") {
            if bytes[index] == UInt8(ascii: "\\") {
                hasEscapes = true
                index += 1
            }
            index += 1
        }
        guard index < end, bytes[index] == UInt8(ascii: "\"") else { throw error("\(what) has no closing quote") }
        guard let text = bytes.validText(start..<index) else {
            throw error("\(what) is not valid UTF-8", at: bytes.firstInvalidUTF8(start..<index))
        }
        offset = index + 1
        return hasEscapes ? Self.unescaped(bytes, start..<index, isQuoteEscaped: true) : text
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
        if dialect == .openMetrics { return try seconds(bytes) }
        let range = token(bytes)
        guard let milliseconds = Int64(bytes.text(range)) else {
            throw error("expected a timestamp in milliseconds, found \"\(bytes.text(range).prefix(40))\"", at: range.lowerBound)
        }
        return milliseconds
    }

    /// Whether something other than an exemplar follows on the line; moves to it.
    private mutating func isAtTimestamp(_ bytes: Span<UInt8>) -> Bool {
        if dialect == .prometheus {
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
        var labels: [Label] = []
        try self.labels(bytes, &labels, mayHoldName: false)
        try separator(bytes)
        let value = try number(bytes, "an exemplar's value")
        let own = isAtTimestamp(bytes) ? try seconds(bytes) : nil
        return Exemplar(labels: Labels(labels), value: value, timestamp: own ?? timestamp)
    }

    // MARK: Spaces

    /// What stands before a value: any white space (0.0.4 needs none behind a brace), one space in OpenMetrics.
    private mutating func separator(_ bytes: Span<UInt8>) throws(DecodeError) {
        if dialect == .prometheus {
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
        if dialect == .prometheus {
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
