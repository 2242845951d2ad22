import Codecs
import Telemetry

/// How the bytes of a series are to be read.
package enum SeriesForm: UInt8, Sendable, Hashable {
    /// `name{label="value",…}`, as a text format has it.
    case text
    /// The same within a histogram: `le` is rewritten.
    case histogramText
    /// The same within a summary: `quantile` is rewritten.
    case summaryText
    /// Names and values with their lengths, as ``SeriesText/write(_:_:to:)`` leaves them.
    case pairs
}

/// The bytes by which a series is known.
enum SeriesText {
    // MARK: Pairs

    /// Appends a label: the length of its name, the name, the length of its value, the value. A metric's name has no label name.
    static func write(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        Varint.append(UInt64(name.utf8.count), to: &bytes)
        bytes.append(contentsOf: name.utf8)
        Varint.append(UInt64(value.utf8.count), to: &bytes)
        bytes.append(contentsOf: value.utf8)
    }

    static func write(_ labels: Labels, to bytes: inout [UInt8]) {
        for label in labels.pairs { write(label.name == Labels.metricName ? "" : label.name, label.value, to: &bytes) }
    }

    private static func pairs(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeError) -> [Label] {
        var labels: [Label] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let name = try counted(bytes, &offset, range.upperBound)
            let value = try counted(bytes, &offset, range.upperBound)
            labels.append(Label(name.isEmpty ? Labels.metricName : name, value))
        }
        return labels
    }

    private static func counted(_ bytes: Span<UInt8>, _ offset: inout Int, _ end: Int) throws(DecodeError) -> String {
        let count = try Varint.read(bytes, at: &offset, end: end)
        guard count <= UInt64(end - offset) else { throw DecodeError(offset: offset, "a label is cut short") }
        let range = offset..<offset + Int(count)
        offset = range.upperBound
        return bytes.text(range)
    }

    // MARK: Reading

    static func labels(_ bytes: Span<UInt8>, _ key: Range<Int>, _ form: SeriesForm) throws(DecodeError) -> Labels {
        var labels = form == .pairs ? try pairs(bytes, key) : try text(bytes, key)
        if let twice = duplicate(labels) {
            throw DecodeError(offset: form == .pairs ? 0 : key.lowerBound, "the label \"\(twice)\" occurs twice")
        }
        // Of a family's type the value's text follows: one bound, one series, whoever wrote it.
        if form == .histogramText || form == .summaryText {
            let name = form == .histogramText ? "le" : "quantile"
            for index in labels.indices where labels[index].name == name {
                let text = Array(labels[index].value.utf8)
                if let number = DecimalNumber.parse(text.span, 0..<text.count) { labels[index].value = OpenMetricsNumber.text(number) }
            }
        }
        let result = Labels(labels)
        guard result[Labels.metricName] != nil else { throw DecodeError(offset: key.lowerBound, "the sample has no metric name") }
        return result
    }

    /// The labels of an exemplar: without a name.
    static func exemplarLabels(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeError) -> Labels {
        let labels = try text(bytes, range)
        if let twice = duplicate(labels) { throw DecodeError(offset: range.lowerBound, "the label \"\(twice)\" occurs twice") }
        return Labels(labels)
    }

    static func metricName(_ bytes: Span<UInt8>, _ key: Range<Int>, _ form: SeriesForm) -> String {
        if form != .pairs, key.lowerBound < key.upperBound, bytes[key.lowerBound] != UInt8(ascii: "{") {
            var end = key.lowerBound
            while end < key.upperBound, bytes[end] != UInt8(ascii: "{"), bytes[end] > UInt8(ascii: " ") { end += 1 }
            return bytes.text(key.lowerBound..<end)
        }
        return (try? labels(bytes, key, form))?[Labels.metricName] ?? ""
    }

    /// A name that occurs twice. Looking for it among many by walking would take quadratic time.
    private static func duplicate(_ labels: [Label]) -> String? {
        if labels.count > 32 {
            var names: Set<String> = []
            return labels.first { !names.insert($0.name).inserted }?.name
        }
        for index in labels.indices.dropFirst() {
            for before in 0..<index where labels[before].name == labels[index].name { return labels[index].name }
        }
        return nil
    }

    /// Reads `name{label="value",…}`, whose syntax the parser has checked.
    private static func text(_ bytes: Span<UInt8>, _ key: Range<Int>) throws(DecodeError) -> [Label] {
        var labels: [Label] = []
        var offset = key.lowerBound
        while offset < key.upperBound, ExpositionParser.isNameByte(bytes[offset]) || bytes[offset] == UInt8(ascii: ":") { offset += 1 }
        if offset > key.lowerBound { labels.append(Label(Labels.metricName, bytes.text(key.lowerBound..<offset))) }
        func skipSpace(_ offset: inout Int) {
            while offset < key.upperBound, bytes[offset] == UInt8(ascii: " ") || bytes[offset] == UInt8(ascii: "\t") { offset += 1 }
        }
        skipSpace(&offset)
        guard offset < key.upperBound else { return labels }
        offset += 1
        while true {
            skipSpace(&offset)
            guard offset < key.upperBound, bytes[offset] != UInt8(ascii: "}") else { return labels }
            let name: String
            if bytes[offset] == UInt8(ascii: "\"") {
                name = try quoted(bytes, &offset, key.upperBound, "a label's name")
            } else {
                let start = offset
                while offset < key.upperBound, ExpositionParser.isNameByte(bytes[offset]) { offset += 1 }
                name = bytes.text(start..<offset)
            }
            skipSpace(&offset)
            if offset < key.upperBound, bytes[offset] == UInt8(ascii: "=") {
                offset += 1
                skipSpace(&offset)
                labels.append(Label(name, try quoted(bytes, &offset, key.upperBound, "the label's value")))
            } else {
                labels.append(Label(Labels.metricName, name))
            }
            skipSpace(&offset)
            guard offset < key.upperBound, bytes[offset] == UInt8(ascii: ",") else { return labels }
            offset += 1
        }
    }

    /// A text in double quotes with `\\`, `\"` and `\n`; moves behind it.
    private static func quoted(_ bytes: Span<UInt8>, _ offset: inout Int, _ end: Int, _ what: String) throws(DecodeError) -> String {
        let start = min(offset + 1, end)
        var index = start
        var hasEscapes = false
        while index < end, bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] == UInt8(ascii: "\\") {
                hasEscapes = true
                index += 1
            }
            index += 1
        }
        index = min(index, end)
        offset = min(index + 1, end)
        if let invalid = bytes.firstInvalidUTF8(start..<index) { throw DecodeError(offset: invalid, "\(what) is not valid UTF-8") }
        return hasEscapes ? ExpositionParser.unescaped(bytes, start..<index, isQuoteEscaped: true) : bytes.text(start..<index)
    }
}
