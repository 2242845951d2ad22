import Glibc

/// The templates that a block's lines have been found to follow: what stands between the values, byte for byte.
///
/// Lines of one logger repeat a template, so a line is first held against the one before it: constant bytes are compared, values only
/// skipped. Everything lies in buffers of a fixed size, which a hot loop reads without bounds of arrays.
struct TemplateSet: ~Copyable {
    static let templateCountMax = 64
    static let valueCountMax = 255
    private static let pieceCountMax = 4096
    private static let literalByteCountMax = 1 << 17

    /// Constant bytes, and what follows them.
    struct Piece {
        enum Follows: UInt8 {
            case end, quoted, bare
        }

        var offset: Int32
        var count: Int32
        var follows: Follows
    }

    private(set) var count = 0
    /// By template and value: the names on the way to it.
    private(set) var paths: [[[[UInt8]]]] = []
    private let literal: UnsafeMutablePointer<UInt8>
    private var literalByteCount = 0
    private let pieces: UnsafeMutablePointer<Piece>
    private let firstPieces: UnsafeMutablePointer<Int>

    init() {
        literal = .allocate(capacity: Self.literalByteCountMax)
        pieces = .allocate(capacity: Self.pieceCountMax)
        firstPieces = .allocate(capacity: Self.templateCountMax + 1)
        firstPieces[0] = 0
    }

    deinit {
        literal.deallocate()
        pieces.deallocate()
        firstPieces.deallocate()
    }

    func valueCount(_ template: Int) -> Int { firstPieces[template + 1] - firstPieces[template] - 1 }

    /// The constant bytes before value `index` (or behind the last one), and whether a string follows.
    func piece(_ template: Int, _ index: Int) -> (bytes: UnsafeBufferPointer<UInt8>, isQuoted: Bool) {
        precondition(template < count && index <= valueCount(template))
        let piece = pieces[firstPieces[template] + index]
        return (UnsafeBufferPointer(start: literal + Int(piece.offset), count: Int(piece.count)), piece.follows == .quoted)
    }

    /// Adds the template of a line that a parser took apart; false where there is no room.
    mutating func append(_ values: [LineParser.Value], base: UnsafePointer<UInt8>, line: Range<Int>) -> Bool {
        let first = firstPieces[count]
        guard count < Self.templateCountMax, first + values.count + 1 <= Self.pieceCountMax,
            literalByteCount + line.count <= Self.literalByteCountMax
        else { return false }
        var start = line.lowerBound
        for (index, value) in values.enumerated() {
            add(base + start, value.slice.start - start, value.isQuoted ? .quoted : .bare, at: first + index)
            start = value.slice.start + value.slice.count
        }
        add(base + start, line.upperBound - start, .end, at: first + values.count)
        count += 1
        firstPieces[count] = first + values.count + 1
        paths.append(values.map(\.path))
        return true
    }

    private mutating func add(_ bytes: UnsafePointer<UInt8>, _ byteCount: Int, _ follows: Piece.Follows, at index: Int) {
        (literal + literalByteCount).update(from: bytes, count: byteCount)
        pieces[index] = Piece(offset: Int32(literalByteCount), count: Int32(byteCount), follows: follows)
        literalByteCount += byteCount
    }

    /// Whether a line follows a template; then its values stand in `values`.
    ///
    /// SAFETY: `line` lies in the buffer that `base` begins; `values` has room for ``valueCountMax``; template < ``count``.
    @inline(__always)
    func match(
        _ template: Int, base: UnsafePointer<UInt8>, line: Range<Int>, into values: UnsafeMutablePointer<ValueSlice>
    ) -> Bool {
        var piece = UnsafePointer(pieces + firstPieces[template])
        var next = base + line.lowerBound
        let end = base + line.upperBound
        var value = values
        while true {
            let byteCount = Int(piece.pointee.count)
            guard end - next >= byteCount, memcmp(next, literal + Int(piece.pointee.offset), byteCount) == 0 else { return false }
            next += byteCount
            let behind: UnsafePointer<UInt8>?
            switch piece.pointee.follows {
            case .end: return next == end
            case .quoted: behind = JSONWalker.stringEnd(next, end)
            case .bare:
                behind =
                    next < end && next.pointee == UInt8(ascii: "[") ? JSONWalker.valueEnd(next, end) : JSONWalker.scalarEnd(next, end)
            }
            guard let behind else { return false }
            value.pointee = ValueSlice(start: next - base, count: behind - next)
            next = behind
            value += 1
            piece += 1
        }
    }
}
