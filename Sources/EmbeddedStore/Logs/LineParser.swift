/// Where one value stands in the lines' buffer: 32 bits of offset, 32 of length.
struct ValueSlice {
    let bits: UInt64

    @inline(__always)
    init(start: Int, count: Int) {
        bits = UInt64(truncatingIfNeeded: start) &<< 32 | UInt64(truncatingIfNeeded: count)
    }

    @inline(__always) var start: Int { Int(truncatingIfNeeded: bits &>> 32) }
    @inline(__always) var count: Int { Int(truncatingIfNeeded: bits & 0xffff_ffff) }
}

/// Takes one line apart that is a JSON object: its leaves are values, all between them is template.
///
/// Nested objects are walked into; arrays are one value, as they are written.
struct LineParser {
    struct Value {
        var slice: ValueSlice
        /// A string: the quotes belong to the template.
        var isQuoted: Bool
        /// The names on the way to it, from the outside in.
        var path: [[UInt8]]
    }

    private(set) var values: [Value] = []
    private let base: JSONWalker.Pointer
    private let end: JSONWalker.Pointer
    private var next: JSONWalker.Pointer
    private var path: [[UInt8]] = []

    /// - Parameter base: where the buffer begins; slices are relative to it.
    init(base: UnsafePointer<UInt8>, line: Range<Int>) {
        self.base = base
        next = base + line.lowerBound
        end = base + line.upperBound
    }

    /// - Returns: false where the line is no object, or one that is not worth a template: names with escapes or that come twice, too
    ///   many values, objects too deep.
    mutating func parse() -> Bool {
        next = JSONWalker.skipSpace(next, end)
        guard object(depth: 0) else { return false }
        next = JSONWalker.skipSpace(next, end)
        guard next == end else { return false }
        var seen: Set<[[UInt8]]> = []
        return values.allSatisfy { seen.insert($0.path).inserted }
    }

    private mutating func object(depth: Int) -> Bool {
        guard depth < JSONWalker.depthMax, take(UInt8(ascii: "{")) else { return false }
        next = JSONWalker.skipSpace(next, end)
        if take(UInt8(ascii: "}")) { return true }
        while true {
            guard take(UInt8(ascii: "\"")), let quote = JSONWalker.stringEnd(next, end) else { return false }
            let name = [UInt8](UnsafeBufferPointer(start: next, count: quote - next))
            guard !name.contains(UInt8(ascii: "\\")) else { return false }
            next = JSONWalker.skipSpace(quote + 1, end)
            guard take(UInt8(ascii: ":")) else { return false }
            next = JSONWalker.skipSpace(next, end)
            path.append(name)
            guard value(depth: depth) else { return false }
            path.removeLast()
            next = JSONWalker.skipSpace(next, end)
            if take(UInt8(ascii: "}")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
            next = JSONWalker.skipSpace(next, end)
        }
    }

    private mutating func value(depth: Int) -> Bool {
        guard next < end, values.count < TemplateSet.valueCountMax else { return false }
        switch next.pointee {
        case UInt8(ascii: "{"): return object(depth: depth + 1)
        case UInt8(ascii: "\""):
            guard let quote = JSONWalker.stringEnd(next + 1, end) else { return false }
            add(next + 1, quote, isQuoted: true)
            next = quote + 1
        default:
            guard let behind = JSONWalker.valueEnd(next, end) else { return false }
            add(next, behind, isQuoted: false)
            next = behind
        }
        return true
    }

    private mutating func add(_ start: JSONWalker.Pointer, _ end: JSONWalker.Pointer, isQuoted: Bool) {
        values.append(Value(slice: ValueSlice(start: start - base, count: end - start), isQuoted: isQuoted, path: path))
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next < end, next.pointee == byte else { return false }
        next += 1
        return true
    }
}
