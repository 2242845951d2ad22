/// The streams that have one label value. Most values of a high-cardinality label name one stream, which needs no bitmap.
enum Postings: Sendable {
    case one(UInt32)
    case many(Bitmap)

    var count: Int {
        switch self {
        case .one: 1
        case .many(let bitmap): bitmap.count
        }
    }

    func intersects(_ other: Bitmap) -> Bool {
        switch self {
        case .one(let value): other.contains(value)
        case .many(let bitmap): bitmap.intersects(other)
        }
    }

    func intersectionCount(_ other: Bitmap) -> Int {
        switch self {
        case .one(let value): other.contains(value) ? 1 : 0
        case .many(let bitmap): bitmap.intersectionCount(other)
        }
    }

    mutating func insert(_ value: UInt32) {
        switch self {
        case .one(let first):
            guard first != value else { return }
            self = .many(Bitmap([min(first, value), max(first, value)]))
        case .many(var bitmap):
            // Let go of the old reference first, or the insertion would copy.
            self = .one(value)
            bitmap.insert(value)
            self = .many(bitmap)
        }
    }

    /// Takes out the members of `other`.
    ///
    /// - Returns: whether none are left; then it must not be used any more.
    mutating func subtract(_ other: Bitmap) -> Bool {
        switch self {
        case .one(let value): return other.contains(value)
        case .many(var bitmap):
            self = .one(0)
            bitmap.subtract(other)
            if bitmap.isEmpty { return true }
            bitmap.shrink()
            self = .many(bitmap)
            return false
        }
    }
}

/// Gathers the union of many postings: single streams are collected first, which is cheaper than to insert them one by one.
struct PostingsUnion {
    private var bitmap = Bitmap()
    private var singles: [UInt32] = []

    mutating func insert(_ postings: Postings) {
        switch postings {
        case .one(let value): singles.append(value)
        case .many(let more): bitmap.formUnion(more)
        }
    }

    consuming func finish() -> Bitmap {
        bitmap.insert(singles)
        return bitmap
    }
}
