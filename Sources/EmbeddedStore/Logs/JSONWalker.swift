/// Finds where the parts of a JSON text end, without copies.
///
/// It accepts what RFC 8259 does and nothing else: what it takes apart, a JSON parser reads in the same way.
///
/// SAFETY: every function takes the pointer to the next byte and the end of the line, and reads nothing at or behind the end.
enum JSONWalker {
    typealias Pointer = UnsafePointer<UInt8>

    /// Objects and arrays deeper than this are left as they are.
    static let depthMax = 16

    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// Where a string's closing quote stands; `start` is behind its opening one. nil where it is no string of JSON.
    @inline(__always)
    static func stringEnd(_ start: Pointer, _ end: Pointer) -> Pointer? {
        var next = start
        while true {
            // Eight bytes at a time: a quote, a backslash or a control character ends the loop. Above the lowest hit there may be false ones.
            var hit: UInt64 = 0
            while end - next >= 8 {
                let word = UInt64(littleEndian: UnsafeRawPointer(next).loadUnaligned(as: UInt64.self))
                let (quote, slash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5c))
                hit = ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash) | ((word &- ones &* 0x20) & ~word)
                hit &= ones &* 0x80
                if hit != 0 { break }
                next += 8
            }
            if hit != 0 {
                next += hit.trailingZeroBitCount >> 3
            } else {
                while next < end, next.pointee != 0x22, next.pointee != 0x5c, next.pointee >= 0x20 { next += 1 }
                if next == end { return nil }
            }
            if next.pointee == 0x22 { return next }
            guard next.pointee == 0x5c, let behind = escapeEnd(next, end) else { return nil }
            next = behind
        }
    }

    /// Where the escape that begins with the backslash at `start` ends.
    private static func escapeEnd(_ start: Pointer, _ end: Pointer) -> Pointer? {
        guard end - start >= 2 else { return nil }
        switch start[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            guard end - start >= 6 else { return nil }
            for index in 2..<6 {
                switch start[index] {
                case 0x30...0x39, 0x41...0x46, 0x61...0x66: continue
                default: return nil
                }
            }
            return start + 6
        default: return nil
        }
    }

    /// Where the number, `true`, `false` or `null` at `start` ends.
    @inline(__always)
    static func scalarEnd(_ start: Pointer, _ end: Pointer) -> Pointer? {
        guard start < end else { return nil }
        switch start.pointee {
        case 0x30...0x39, UInt8(ascii: "-"): return numberEnd(start, end)
        case UInt8(ascii: "t"): return wordEnd("true", start, end)
        case UInt8(ascii: "f"): return wordEnd("false", start, end)
        case UInt8(ascii: "n"): return wordEnd("null", start, end)
        default: return nil
        }
    }

    private static func wordEnd(_ word: StaticString, _ start: Pointer, _ end: Pointer) -> Pointer? {
        let count = word.utf8CodeUnitCount
        guard end - start >= count else { return nil }
        for index in 0..<count where start[index] != word.utf8Start[index] { return nil }
        return start + count
    }

    @inline(__always)
    private static func numberEnd(_ start: Pointer, _ end: Pointer) -> Pointer? {
        var next = start
        if next.pointee == UInt8(ascii: "-") { next += 1 }
        guard next < end, isDigit(next.pointee) else { return nil }
        if next.pointee == UInt8(ascii: "0") {
            next += 1
        } else {
            repeat { next += 1 } while next < end && isDigit(next.pointee)
        }
        if next < end, next.pointee == UInt8(ascii: ".") {
            next += 1
            guard next < end, isDigit(next.pointee) else { return nil }
            repeat { next += 1 } while next < end && isDigit(next.pointee)
        }
        if next < end, next.pointee | 0x20 == UInt8(ascii: "e") {
            next += 1
            if next < end, next.pointee == UInt8(ascii: "+") || next.pointee == UInt8(ascii: "-") { next += 1 }
            guard next < end, isDigit(next.pointee) else { return nil }
            repeat { next += 1 } while next < end && isDigit(next.pointee)
        }
        return next
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    static func skipSpace(_ start: Pointer, _ end: Pointer) -> Pointer {
        var next = start
        while next < end {
            switch next.pointee {
            case 0x20, 0x09, 0x0a, 0x0d: next += 1
            default: return next
            }
        }
        return next
    }

    /// Where the value at `start` ends, whatever it is.
    static func valueEnd(_ start: Pointer, _ end: Pointer, depth: Int = 0) -> Pointer? {
        guard start < end, depth <= depthMax else { return nil }
        switch start.pointee {
        case UInt8(ascii: "\""): return stringEnd(start + 1, end).map { $0 + 1 }
        case UInt8(ascii: "["): return groupEnd(start, end, closing: UInt8(ascii: "]"), depth: depth)
        case UInt8(ascii: "{"): return groupEnd(start, end, closing: UInt8(ascii: "}"), depth: depth)
        default: return scalarEnd(start, end)
        }
    }

    private static func groupEnd(_ start: Pointer, _ end: Pointer, closing: UInt8, depth: Int) -> Pointer? {
        var next = skipSpace(start + 1, end)
        if next < end, next.pointee == closing { return next + 1 }
        while true {
            if closing == UInt8(ascii: "}") {
                guard next < end, next.pointee == UInt8(ascii: "\""), let quote = stringEnd(next + 1, end) else { return nil }
                next = skipSpace(quote + 1, end)
                guard next < end, next.pointee == UInt8(ascii: ":") else { return nil }
                next = skipSpace(next + 1, end)
            }
            guard let behind = valueEnd(next, end, depth: depth + 1) else { return nil }
            next = skipSpace(behind, end)
            guard next < end else { return nil }
            if next.pointee == closing { return next + 1 }
            guard next.pointee == UInt8(ascii: ",") else { return nil }
            next = skipSpace(next + 1, end)
        }
    }
}
