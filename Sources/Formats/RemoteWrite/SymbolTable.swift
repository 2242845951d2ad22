import Codecs
import Telemetry

/// The symbols of one request of remote write 2.0: where each lies, its hash, and its text once somebody needs it.
struct SymbolTable {
    private(set) var ranges: [Range<Int>] = []
    /// By symbol; empty where no hashes were asked for.
    private(set) var keys: [SeriesKey] = []
    private var texts: [String?] = []
    /// The first symbol that is `__name__`.
    private(set) var metricName: UInt32?

    var count: Int { ranges.count }

    mutating func append(_ range: Range<Int>, in bytes: Span<UInt8>, seed: SeriesKey.Seed?) {
        if metricName == nil, bytes.holds("__name__", at: range) { metricName = UInt32(truncatingIfNeeded: ranges.count) }
        ranges.append(range)
        if let seed { keys.append(SeriesKey(range, in: bytes, seed: seed)) }
    }

    /// Room for the texts: once all symbols are there.
    mutating func seal() {
        texts = [String?](repeating: nil, count: ranges.count)
    }

    /// The text of a symbol; nil where there is none of that number or it is no UTF-8.
    mutating func text(_ reference: UInt32, in bytes: Span<UInt8>) -> String? {
        let index = Int(reference)
        guard index < texts.count else { return nil }
        if let text = texts[index] { return text }
        let text = bytes.validText(ranges[index])
        texts[index] = text
        return text
    }

    /// The labels that `references` name, pairs of name and value.
    ///
    /// - Throws: ``LabelComplaint``.
    mutating func labels(_ references: ArraySlice<UInt32>, in bytes: Span<UInt8>) throws(LabelComplaint) -> Labels {
        guard references.count.isMultiple(of: 2) else {
            throw LabelComplaint("it has \(references.count) label references, which is no whole number of pairs")
        }
        var labels: [Label] = []
        labels.reserveCapacity(references.count / 2)
        var index = references.startIndex
        while index < references.endIndex {
            let (name, value) = (try label(references[index], in: bytes), try label(references[index + 1], in: bytes))
            guard !name.isEmpty else { throw LabelComplaint("a label has no name") }
            labels.append(Label(name, value))
            index += 2
        }
        let set = Labels(labels)
        if set.count < labels.count {
            let names = labels.map(\.name).sorted { $0.utf8Precedes($1) }
            if let twice = zip(names, names.dropFirst()).first(where: { $0 == $1 }) {
                throw LabelComplaint("it has the label \(twice.0.quoted) twice")
            }
        }
        return set
    }

    private mutating func label(_ reference: UInt32, in bytes: Span<UInt8>) throws(LabelComplaint) -> String {
        if let text = text(reference, in: bytes) { return text }
        guard Int(reference) < count else { throw LabelComplaint("it refers to symbol \(reference) of \(count)") }
        throw LabelComplaint("symbol \(reference) is not valid UTF-8")
    }
}

/// Why references are no label set.
struct LabelComplaint: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
