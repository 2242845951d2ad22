import CRoaring

/// A set of 32-bit numbers: a roaring bitmap (Lemire et al., 2016). The only owner of the C object.
struct Bitmap: Sendable {
    /// SAFETY: the bitmap is written to only by the one reference to it (``makeUnique()``), so what is shared does not change.
    private final class Storage: @unchecked Sendable {
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

    /// The numbers of an array, in any order.
    init(_ values: [UInt32]) {
        storage = values.withUnsafeBufferPointer { Storage(roaring_bitmap_of_ptr($0.count, $0.baseAddress)) }
    }

    /// Reads what ``bytes`` wrote; nil where it is none of that. The bytes must have been checked: this looks at lengths only.
    init?(_ bytes: ArraySlice<UInt8>) {
        let pointer = bytes.withUnsafeBytes { buffer -> UnsafeMutablePointer<roaring_bitmap_t>? in
            guard let base = buffer.baseAddress else { return nil }
            return roaring_bitmap_portable_deserialize_safe(base.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard let pointer else { return nil }
        storage = Storage(pointer)
    }

    var count: Int { Int(roaring_bitmap_get_cardinality(storage.pointer)) }
    var isEmpty: Bool { roaring_bitmap_is_empty(storage.pointer) }

    mutating func insert(_ value: UInt32) {
        makeUnique()
        roaring_bitmap_add(storage.pointer, value)
    }

    mutating func insert(_ values: [UInt32]) {
        if values.isEmpty { return }
        makeUnique()
        values.withUnsafeBufferPointer { roaring_bitmap_add_many(storage.pointer, $0.count, $0.baseAddress) }
    }

    mutating func remove(_ value: UInt32) {
        makeUnique()
        roaring_bitmap_remove(storage.pointer, value)
    }

    mutating func formUnion(_ other: Bitmap) {
        if storage === other.storage { return }
        makeUnique()
        roaring_bitmap_or_inplace(storage.pointer, other.storage.pointer)
    }

    mutating func formIntersection(_ other: Bitmap) {
        if storage === other.storage { return }
        makeUnique()
        roaring_bitmap_and_inplace(storage.pointer, other.storage.pointer)
    }

    mutating func subtract(_ other: Bitmap) {
        if storage === other.storage {
            self = Bitmap()
            return
        }
        makeUnique()
        roaring_bitmap_andnot_inplace(storage.pointer, other.storage.pointer)
    }

    func intersection(_ other: Bitmap) -> Bitmap {
        var result = self
        result.formIntersection(other)
        return result
    }

    func subtracting(_ other: Bitmap) -> Bitmap {
        var result = self
        result.subtract(other)
        return result
    }

    func intersects(_ other: Bitmap) -> Bool {
        roaring_bitmap_intersect(storage.pointer, other.storage.pointer)
    }

    func intersectionCount(_ other: Bitmap) -> Int {
        Int(roaring_bitmap_and_cardinality(storage.pointer, other.storage.pointer))
    }

    func contains(_ value: UInt32) -> Bool {
        roaring_bitmap_contains(storage.pointer, value)
    }

    /// The members, ascending.
    var values: [UInt32] {
        let count = count
        return [UInt32](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            // SAFETY: the buffer holds `count` numbers, which is what the bitmap has.
            if count > 0, let base = buffer.baseAddress { roaring_bitmap_to_uint32_array(storage.pointer, base) }
            initializedCount = count
        }
    }

    /// Takes as little memory as it can: runs where they are shorter, no spare room.
    mutating func shrink() {
        makeUnique()
        roaring_bitmap_run_optimize(storage.pointer)
        roaring_bitmap_shrink_to_fit(storage.pointer)
    }

    /// Roaring's portable format (github.com/RoaringBitmap/RoaringFormatSpec).
    var bytes: [UInt8] {
        let count = roaring_bitmap_portable_size_in_bytes(storage.pointer)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            // SAFETY: the buffer has the room that the bitmap says it takes.
            buffer.withMemoryRebound(to: CChar.self) { initializedCount = roaring_bitmap_portable_serialize(storage.pointer, $0.baseAddress) }
        }
    }

    private mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&storage) { storage = Storage(roaring_bitmap_copy(storage.pointer)) }
    }
}
