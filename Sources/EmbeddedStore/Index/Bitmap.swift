import CRoaring
import Telemetry

/// A set of 32-bit numbers: a roaring bitmap (Lemire et al., 2016). The only owner of the C object.
struct Bitmap {
    private final class Storage {
        /// SAFETY: allocated by `init`, freed by `deinit` and nowhere else.
        let pointer: UnsafeMutablePointer<roaring_bitmap_t>

        init(_ pointer: UnsafeMutablePointer<roaring_bitmap_t>?) {
            guard let pointer else { preconditionFailure("out of memory for a bitmap") }
            self.pointer = pointer
        }

        deinit {
            roaring_bitmap_free(pointer)
        }
    }

    private var storage: Storage

    init() {
        storage = Storage(roaring_bitmap_create())
    }

    /// All numbers below `count`.
    init(below count: Int) {
        self.init()
        if count > 0 { roaring_bitmap_add_range_closed(storage.pointer, 0, UInt32(count - 1)) }
    }

    var count: Int { Int(roaring_bitmap_get_cardinality(storage.pointer)) }
    var isEmpty: Bool { roaring_bitmap_is_empty(storage.pointer) }

    mutating func insert(_ value: UInt32) {
        makeUnique()
        roaring_bitmap_add(storage.pointer, value)
    }

    mutating func formUnion(_ other: Bitmap) {
        makeUnique()
        roaring_bitmap_or_inplace(storage.pointer, other.storage.pointer)
    }

    mutating func formIntersection(_ other: Bitmap) {
        makeUnique()
        roaring_bitmap_and_inplace(storage.pointer, other.storage.pointer)
    }

    mutating func subtract(_ other: Bitmap) {
        makeUnique()
        if storage === other.storage { self = Bitmap() } else { roaring_bitmap_andnot_inplace(storage.pointer, other.storage.pointer) }
    }

    func intersects(_ other: Bitmap) -> Bool {
        roaring_bitmap_intersect(storage.pointer, other.storage.pointer)
    }

    func contains(_ value: UInt32) -> Bool {
        roaring_bitmap_contains(storage.pointer, value)
    }

    /// The members, ascending.
    var values: [UInt32] {
        let count = count
        return [UInt32](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            // SAFETY: the buffer holds `count` numbers, which is what the bitmap has.
            if count > 0 { roaring_bitmap_to_uint32_array(storage.pointer, buffer.baseAddress!) }
            initializedCount = count
        }
    }

    private mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&storage) { storage = Storage(roaring_bitmap_copy(storage.pointer)) }
    }
}

/// The streams that have one label value. Most values of a high-cardinality label name one stream, which needs no bitmap.
enum Postings {
    case one(UInt32)
    case many(Bitmap)

    mutating func insert(_ value: UInt32) {
        switch self {
        case .one(let first):
            guard first != value else { return }
            var bitmap = Bitmap()
            bitmap.insert(first)
            bitmap.insert(value)
            self = .many(bitmap)
        case .many(var bitmap):
            // Let go of the old reference first, or the insertion would copy.
            self = .one(value)
            bitmap.insert(value)
            self = .many(bitmap)
        }
    }

    func intersects(_ other: Bitmap) -> Bool {
        switch self {
        case .one(let value): other.contains(value)
        case .many(let bitmap): bitmap.intersects(other)
        }
    }
}

extension Bitmap {
    mutating func formUnion(_ postings: Postings) {
        switch postings {
        case .one(let value): insert(value)
        case .many(let bitmap): formUnion(bitmap)
        }
    }
}
