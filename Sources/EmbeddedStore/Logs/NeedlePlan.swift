import Codecs

/// Where in the lines of a block a run of bytes could stand: told by the templates and by what the head says of the fields, before
/// anything else of the block is read.
///
/// A line is pieces and values in turn. So the needle lies in a piece, in a value, or over the seams between them; each way asks something
/// of a value or two, of which the first is tested.
struct NeedlePlan {
    /// What a value must be for one of these ways.
    struct Test: Hashable {
        enum Kind: Hashable {
            case contains, prefix, suffix, equals
        }

        var field: Int
        var kind: Kind
        var bytes: [UInt8]
        /// Whether a value that passes makes the line hold the needle; otherwise it may.
        var isExact: Bool
    }

    /// By template.
    struct Ways {
        /// A constant piece holds the needle.
        var isAlways = false
        var tests: [Test] = []
        var isNever: Bool { !isAlways && tests.isEmpty }
    }

    private(set) var ways: [Ways] = []
    /// Whether a line that follows no template may hold it.
    let mayBeInRest: Bool

    var isNever: Bool { !mayBeInRest && ways.allSatisfy(\.isNever) }

    init(_ needle: [UInt8], _ head: LogBlockHead) {
        mayBeInRest = head.restCount > 0 && head.restFilter.mayHold(needle[...])
        // A field stands in many templates: whether a value of it may hold all of the needle is asked once.
        var contains = [Bool?](repeating: nil, count: head.fields.count)
        ways.reserveCapacity(head.templates.count)
        for template in head.templates {
            var ways = Ways()
            ways.isAlways = needle.isEmpty || template.pieces.contains { ByteSearch.contains($0, 0..<$0.count, needle) }
            if !ways.isAlways { Self.addTests(needle, template, head, &contains, to: &ways) }
            self.ways.append(ways)
        }
    }

    /// Adds what the values of a template's lines must be, one test for each way, as far as the head does not rule it out.
    private static func addTests(
        _ needle: [UInt8], _ template: LogBlockHead.Template, _ head: LogBlockHead, _ contains: inout [Bool?], to ways: inout Ways
    ) {
        for (index, field) in template.fields.enumerated() {
            let header = head.fields[field]
            func add(_ kind: Test.Kind, _ bytes: ArraySlice<UInt8>, isExact: Bool) {
                let test = Test(field: field, kind: kind, bytes: Array(bytes), isExact: isExact)
                if header.mayHold(test) { ways.tests.append(test) }
            }
            let whole = Test(field: field, kind: .contains, bytes: needle, isExact: true)
            let mayContain = contains[field] ?? header.mayHold(whole)
            contains[field] = mayContain
            if mayContain { ways.tests.append(whole) }
            let (before, behind) = (template.pieces[index], template.pieces[index + 1])
            // The needle's end lies in what follows the value, which ends with the needle's beginning.
            for cut in 1..<max(1, needle.count) {
                if let isWhole = begins(behind, needle, cut) { add(.suffix, needle[..<cut], isExact: isWhole) }
            }
            // The needle's beginning lies at the end of the piece before the value.
            for cut in 1..<max(1, needle.count) where ends(before, needle, cut) {
                add(.prefix, needle[cut...], isExact: true)
                for end in cut..<needle.count {
                    if let isWhole = begins(behind, needle, end) { add(.equals, needle[cut..<end], isExact: isWhole) }
                }
            }
        }
    }

    /// Whether `piece` ends with the first `count` bytes of `needle`.
    private static func ends(_ piece: [UInt8], _ needle: [UInt8], _ count: Int) -> Bool {
        if piece.count < count { return false }
        var index = 0
        while index < count {
            if piece[piece.count - count + index] != needle[index] { return false }
            index += 1
        }
        return true
    }

    /// Whether a line can go on with the needle from `start` on where `piece` begins: true where the piece has all of it, false where it may
    /// go on in the value behind the piece; nil where not.
    private static func begins(_ piece: [UInt8], _ needle: [UInt8], _ start: Int) -> Bool? {
        let count = min(piece.count, needle.count - start)
        var index = 0
        while index < count {
            if piece[index] != needle[start + index] { return nil }
            index += 1
        }
        return piece.count >= needle.count - start
    }
}

extension NeedlePlan.Test {
    /// Whether a value passes.
    func holds(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard value.count >= bytes.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            switch kind {
            case .contains: return ByteSearch.contains(value, bytes)
            case .prefix: return ByteSearch.isEqual(UnsafeBufferPointer(rebasing: value[..<bytes.count]), bytes)
            case .suffix: return ByteSearch.isEqual(UnsafeBufferPointer(rebasing: value[(value.count - bytes.count)...]), bytes)
            case .equals: return value.count == bytes.count && ByteSearch.isEqual(value, bytes)
            }
        }
    }

    /// A quote within a string is escaped: a needle with one that is not lies in no string.
    fileprivate var hasBareQuote: Bool {
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\"") {
            if index == 0 ? kind == .prefix || kind == .equals : bytes[index - 1] != UInt8(ascii: "\\") { return true }
        }
        return false
    }
}

extension LogBlockHead.Field {
    /// Whether one of its values may pass.
    fileprivate func mayHold(_ test: NeedlePlan.Test) -> Bool {
        if isQuoted, test.hasBareQuote { return false }
        switch encoding {
        case .dictionary(let texts): return texts.contains { $0.withUnsafeBufferPointer { test.holds($0) } }
        case .number(let number): return ByteSet.number.holds(test.bytes) || number.exceptions.mayHold(test)
        case .time(let time):
            return test.bytes.allSatisfy { ByteSet.time.holds($0) || time.zone.contains($0) } || time.exceptions.mayHold(test)
        case .digits(let pattern): return pattern.mayHold(test)
        case .text(let filter): return filter.mayHold(test.bytes[...])
        }
    }
}

extension FieldEncoding.Exceptions {
    fileprivate func mayHold(_ test: NeedlePlan.Test) -> Bool {
        texts.contains { $0.withUnsafeBufferPointer { test.holds($0) } }
    }
}

extension DigitPattern {
    fileprivate func mayHold(_ test: NeedlePlan.Test) -> Bool {
        let last = text.count - test.bytes.count
        if last < 0 { return false }
        switch test.kind {
        case .contains: return mayContain(test.bytes)
        case .prefix: return fits(test.bytes, at: 0)
        case .suffix: return fits(test.bytes, at: last)
        case .equals: return last == 0 && fits(test.bytes, at: 0)
        }
    }
}
