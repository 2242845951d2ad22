import Codecs
import Telemetry

/// A line-by-line parser of both text formats, after Prometheus' `model/textparse`.
struct ExpositionParser {
    let end: Int
    let format: ExpositionFormat
    let options: ExpositionOptions
    var offset = 0
    var result: ExpositionResult
    /// The type that the last `# TYPE` named.
    var kind = MetricMetadata.Kind.unknown
    /// Whether the exemplar read last had a time of its own.
    var isExemplarTimed = false
    /// Makes native histograms of classic ones; nil where none are wanted.
    private var classic: ClassicHistogramRun?
    /// Finds the `_created` of families; nil where none are wanted.
    private var created: CreatedSeries?
    /// Where a family's entry stands in the result's metadata.
    private var families: [String: Int] = [:]

    init(byteCount: Int, format: ExpositionFormat, options: ExpositionOptions) {
        end = byteCount
        self.format = format
        self.options = options
        result = ExpositionResult(format: format)
        if options.convertsClassicHistograms { classic = ClassicHistogramRun(bodyByteCount: byteCount, options: options) }
        if options.readsStartTimes, format == .openMetrics { created = CreatedSeries() }
        // The shortest lines in use have some thirty bytes.
        result.samples.reserveCapacity(byteCount / 64)
    }

    var isOpenMetrics: Bool { format == .openMetrics }

    mutating func parse(_ bytes: Span<UInt8>) throws(DecodeError) {
        while offset < end {
            if !isOpenMetrics { skipSpace(bytes) }
            guard offset < end else { break }
            switch bytes[offset] {
            case UInt8(ascii: "\n") where !isOpenMetrics: offset += 1
            case UInt8(ascii: "\r") where !isOpenMetrics && isLineEnd(bytes): skipLine(bytes)
            case UInt8(ascii: "#"):
                if try comment(bytes) { return try endFamily(bytes) }
            default: try take(try sample(bytes), bytes)
            }
        }
        if isOpenMetrics { throw error("the text does not end with \"# EOF\"") }
        try endFamily(bytes)
    }

    /// The result, whose series stand in `body` and in what was written beside it.
    func finish(_ body: [UInt8]) -> ExpositionResult {
        var result = result
        result.bytes = body
        if let classic, !classic.written.isEmpty { result.bytes += classic.written }
        return result
    }

    /// Puts a sample where it belongs: to the others, or into the histogram or the start time that it is part of.
    private mutating func take(_ sample: ExpositionResult.Sample, _ bytes: Span<UInt8>) throws(DecodeError) {
        if created != nil, try created?.take(sample, kind, bytes) == true { return }
        let isClassic = try classic?.take(sample, kind, isExemplarTimed: isExemplarTimed, bytes, &result) ?? false
        if isClassic, !options.keepsClassicHistograms { return }
        result.samples.append(sample)
    }

    private mutating func endFamily(_ bytes: Span<UInt8>) throws(DecodeError) {
        let converted = classic?.endFamily(&result) ?? []
        try created?.endFamily(&result, converted, bytes)
    }

    // MARK: Comments

    /// Reads a line that starts with `#`; true for OpenMetrics' `# EOF`.
    private mutating func comment(_ bytes: Span<UInt8>) throws(DecodeError) -> Bool {
        let lineEnd = endOfLine(bytes)
        offset += 1
        if isOpenMetrics, bytes.holds(" EOF", at: offset..<lineEnd) {
            offset = min(lineEnd + 1, end)
            if offset < end { throw error("text follows \"# EOF\"") }
            return true
        }
        skipSpace(bytes)
        let keyword = word(bytes, lineEnd)
        let isUnit = bytes.holds("UNIT", at: keyword) && isOpenMetrics
        guard bytes.holds("HELP", at: keyword) || bytes.holds("TYPE", at: keyword) || isUnit else {
            if isOpenMetrics { throw error("expected # TYPE, # HELP, # UNIT or # EOF", at: keyword.lowerBound) }
            offset = min(lineEnd + 1, end)
            return false
        }
        try endFamily(bytes)
        skipSpace(bytes)
        let name = try familyName(bytes, lineEnd)
        if offset < lineEnd, bytes[offset] == UInt8(ascii: " ") || bytes[offset] == UInt8(ascii: "\t") { offset += 1 }
        // 0.0.4 ignores space around a type, and a carriage return before the line's end.
        let rest = offset..<lineEnd
        if bytes.holds("HELP", at: keyword) {
            let help = try helpText(bytes, rest)
            update(name) { $0.help = help }
        } else if isUnit {
            let unit = bytes.text(rest)
            guard unit.isEmpty || name.hasSuffix("_" + unit) else {
                throw error("the unit \"\(unit)\" is no suffix of the family \"\(name)\"")
            }
            update(name) { $0.unit = unit }
        } else {
            let kind = try kind(bytes, rest)
            update(name) { $0.kind = kind }
            self.kind = kind
            created?.family = name
            classic?.family = name
        }
        offset = min(lineEnd + 1, end)
        return false
    }

    private mutating func familyName(_ bytes: Span<UInt8>, _ lineEnd: Int) throws(DecodeError) -> String {
        if offset < lineEnd, bytes[offset] == UInt8(ascii: "\"") {
            let range = try quoted(bytes, "the family's name")
            guard bytes.firstInvalidUTF8(range) == nil else { throw error("the family's name is not valid UTF-8", at: range.lowerBound) }
            return Self.unescaped(bytes, range, isQuoteEscaped: true)
        }
        let range = word(bytes, lineEnd)
        guard Self.isMetricName(bytes, range) else { throw error("expected a metric's name", at: range.lowerBound) }
        return bytes.text(range)
    }

    private func kind(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeError) -> MetricMetadata.Kind {
        let text = bytes.text(range)
        let name = isOpenMetrics ? text : String(text.drop { $0 == " " || $0 == "\t" }.prefix { !" \t\r".contains($0) })
        if name == "untyped", !isOpenMetrics { return .unknown }
        guard let kind = MetricMetadata.Kind(rawValue: name) else {
            throw error("\"\(name.prefix(40))\" is no type of a metric", at: range.lowerBound)
        }
        return kind
    }

    /// Undoes `\\` and `\n`, in OpenMetrics also `\"`.
    private func helpText(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeError) -> String {
        guard bytes.firstInvalidUTF8(range) == nil else { throw error("the help text is not valid UTF-8", at: range.lowerBound) }
        return Self.unescaped(bytes, range, isQuoteEscaped: isOpenMetrics)
    }

    private mutating func update(_ family: String, _ change: (inout MetricMetadata) -> Void) {
        if let index = families[family] {
            change(&result.metadata[index])
        } else {
            var metadata = MetricMetadata(family: family, kind: .unknown)
            change(&metadata)
            families[family] = result.metadata.count
            result.metadata.append(metadata)
        }
    }

    // MARK: Characters

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while offset < end, bytes[offset] == UInt8(ascii: " ") || bytes[offset] == UInt8(ascii: "\t") { offset += 1 }
    }

    /// Whether the carriage return at the cursor ends its line.
    private func isLineEnd(_ bytes: Span<UInt8>) -> Bool {
        offset + 1 == end || bytes[offset + 1] == UInt8(ascii: "\n")
    }

    private mutating func skipLine(_ bytes: Span<UInt8>) {
        offset = min(endOfLine(bytes) + 1, end)
    }

    /// Where the line's feed stands, or the text's end.
    func endOfLine(_ bytes: Span<UInt8>) -> Int {
        var index = offset
        while index < end, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        return index
    }

    /// The bytes up to the next white space, and moves behind them.
    private mutating func word(_ bytes: Span<UInt8>, _ lineEnd: Int) -> Range<Int> {
        let start = offset
        while offset < lineEnd, bytes[offset] > UInt8(ascii: " ") { offset += 1 }
        return start..<offset
    }

    static func isMetricName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty, !isDigit(bytes[range.lowerBound]) else { return false }
        for index in range where !isNameByte(bytes[index]) && bytes[index] != UInt8(ascii: ":") { return false }
        return true
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return (letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_") || isDigit(byte)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    static func unescaped(_ bytes: Span<UInt8>, _ range: Range<Int>, isQuoteEscaped: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            let next = index + 1 < range.upperBound ? bytes[index + 1] : 0
            index += 2
            switch (byte, next) {
            case (UInt8(ascii: "\\"), UInt8(ascii: "\\")): text.append(byte)
            case (UInt8(ascii: "\\"), UInt8(ascii: "n")): text.append(UInt8(ascii: "\n"))
            case (UInt8(ascii: "\\"), UInt8(ascii: "\"")) where isQuoteEscaped: text.append(next)
            default:
                text.append(byte)
                index -= 1
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    func error(_ message: String, at place: Int? = nil) -> DecodeError {
        DecodeError(offset: place ?? offset, message)
    }
}
