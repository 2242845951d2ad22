import Codecs

/// Rules a block of logs out for a run of bytes within some tens of ns, without a look at its templates one by one.
///
/// It errs on one side only: where it says that no line can hold the needle, none does. What passes is asked of a ``NeedlePlan``.
struct NeedleSieve: Sendable {
    /// What occurs in what all lines of a template share, and in values that the head names.
    private let known: GramFilter
    /// The bytes that a piece behind a value begins with, and those that a piece before a value ends with.
    private var firsts = ByteSet()
    private var lasts = ByteSet()
    /// The bytes of numbers and times, where there are any.
    private var numberBytes = ByteSet()
    private var timeBytes = ByteSet()
    private var patterns: [DigitPattern] = []
    /// Of fields of texts, and of the lines without a template.
    private var filters: [GramFilter] = []

    init(_ head: LogBlockHead) {
        var (bytes, slices) = ([UInt8](), [ValueSlice]())
        func note(_ text: [UInt8]) {
            slices.append(ValueSlice(start: bytes.count, count: text.count))
            bytes += text
        }
        for template in head.templates {
            for (index, piece) in template.pieces.enumerated() {
                note(piece)
                let (isFirst, isLast) = (index == 0, index == template.pieces.count - 1)
                if let first = piece.first, let last = piece.last {
                    if !isFirst { firsts.insert(first) }
                    if !isLast { lasts.insert(last) }
                } else if !isFirst, !isLast {
                    // Two values meet: a needle may go on from any into any.
                    firsts = .all
                }
            }
        }
        for field in head.fields {
            switch field.encoding {
            case .dictionary(let texts): texts.forEach(note)
            case .number(let number):
                numberBytes = .number
                number.exceptions.texts.forEach(note)
            case .time(let time):
                timeBytes.insert(.time)
                timeBytes.insert(time.zone)
                time.exceptions.texts.forEach(note)
            case .digits(let pattern): patterns.append(pattern)
            case .text(let filter): filters.append(filter)
            }
        }
        if head.restCount > 0 { filters.append(head.restFilter) }
        known = bytes.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { GramFilter($0, slices) } ?? GramFilter(words: [0])
        }
    }

    /// What it takes in memory beside the head.
    var memoryByteCount: Int { known.words.count * 8 + (patterns.count + filters.count) * 32 + 192 }

    /// Whether a line may hold `needle`.
    func mayHold(_ needle: [UInt8]) -> Bool {
        // So short that nothing is known of it.
        if needle.count < 3 { return true }
        if known.mayHold(needle[...]) || numberBytes.holds(needle) || timeBytes.holds(needle) { return true }
        // Within a line the needle may go on from a value into what follows it, or from what comes before into a value.
        for cut in 1..<needle.count where firsts.holds(needle[cut]) || lasts.holds(needle[cut - 1]) { return true }
        for pattern in patterns where pattern.mayContain(needle) { return true }
        for filter in filters where filter.mayHold(needle[...]) { return true }
        return false
    }
}
