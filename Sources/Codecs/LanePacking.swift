/// Unsigned integers of one width up to 32 bits, in four lanes side by side: value i lies in lane i mod 4, which is a bit stream of 32-bit
/// words; the words of the four lanes take turns. So four neighbours unpack with one shift in one register.
///
/// Works on chunks of 128 values, which take `width` words of each lane exactly. Only the bytes in use of a lane's last word are kept.
/// Byte for byte: docs/format/columns.md, "Lanes".
enum LanePacking {
    static let chunkValueCount = 128
    /// Fewer values would leave too much of the lanes empty.
    static let countMin = 24
    /// Bytes that ``stage(_:count:width:into:)`` writes at most: 32 words of four lanes, and one that is read beyond the end.
    static let stageByteCount = 16 * (32 + 1)

    /// The bytes that `count` values of `width` bits take.
    static func byteCount(count: Int, width: Int) -> Int {
        let laneBitCount = ((count &+ 3) / 4) &* width
        return 16 &* (laneBitCount / 32) &+ 4 &* ((laneBitCount % 32 &+ 7) / 8)
    }

    /// Packs a chunk of up to 128 values.
    ///
    /// - Parameters:
    ///   - values: `count` of them, followed by zeros up to a multiple of four; each below 2^`width`, which is 1…32.
    ///   - writer: has room for ``byteCount(count:width:)`` bytes.
    static func pack(_ values: UnsafePointer<UInt32>, count: Int, width: Int, to writer: inout ColumnWriter) {
        let input = UnsafeRawPointer(values)
        let width = UInt32(truncatingIfNeeded: width)
        var waiting = SIMD4<UInt32>.zero
        var waitingBitCount: UInt32 = 0
        // SAFETY: rows of four values up to the padded count; a word of each lane is written where 32 bits of it are there.
        for row in 0..<((count &+ 3) / 4) {
            let four = (input + row &* 16).loadUnaligned(as: SIMD4<UInt32>.self)
            waiting |= four &<< SIMD4(repeating: waitingBitCount)
            waitingBitCount &+= width
            if waitingBitCount >= 32 {
                UnsafeMutableRawPointer(writer.next).storeBytes(of: waiting, as: SIMD4<UInt32>.self)
                writer.skip(16)
                waitingBitCount &-= 32
                // Two shifts, because nothing may be left: then one alone would be by 32.
                waiting = (four &>> SIMD4(repeating: width &- waitingBitCount &- 1)) &>> SIMD4(repeating: 1)
            }
        }
        for byte in 0..<((waitingBitCount &+ 7) / 8) {
            for lane in 0..<4 { writer.byte(UInt8(truncatingIfNeeded: waiting[lane] &>> (8 &* byte))) }
        }
    }

    /// Copies a packed chunk to where its last words are whole and one more may be read.
    ///
    /// - Parameters:
    ///   - packed: valid for ``byteCount(count:width:)`` bytes.
    ///   - stage: free for ``stageByteCount`` bytes, aligned to 16.
    @inline(__always)
    static func stage(_ packed: UnsafePointer<UInt8>, count: Int, width: Int, into stage: UnsafeMutableRawPointer) {
        let laneBitCount = ((count &+ 3) / 4) &* width
        let whole = 16 &* (laneBitCount / 32)
        stage.copyMemory(from: packed, byteCount: whole)
        var last = SIMD4<UInt32>.zero
        for byte in 0..<((laneBitCount % 32 &+ 7) / 8) {
            // SAFETY: four bytes, one a lane, for each byte in use of the last words: all counted by `byteCount`.
            let bytes = UnsafeRawPointer(packed + whole + 4 &* byte).loadUnaligned(as: SIMD4<UInt8>.self)
            last |= SIMD4<UInt32>(truncatingIfNeeded: bytes) &<< SIMD4(repeating: 8 &* UInt32(truncatingIfNeeded: byte))
        }
        (stage + whole).storeBytes(of: last, as: SIMD4<UInt32>.self)
        if whole &+ 32 <= stageByteCount { (stage + whole + 16).storeBytes(of: .zero, as: SIMD4<UInt32>.self) }
    }

    /// Unpacks `rowCount` rows of four values of `width` (1…32) bits.
    ///
    /// - Parameters:
    ///   - staged: what ``stage(_:count:width:into:)`` wrote.
    ///   - values: free for 4 · `rowCount` values.
    @inline(__always)
    static func unpack(_ staged: UnsafeRawPointer, rowCount: Int, width: Int, into values: UnsafeMutablePointer<UInt32>) {
        let output = UnsafeMutableRawPointer(values)
        eachRow(staged, rowCount: rowCount, width: width) { row, four in
            (output + row &* 16).storeBytes(of: four, as: SIMD4<UInt32>.self)
        }
    }

    /// Unpacks like ``unpack(_:rowCount:width:into:)``, adds `base` to each value, and sums them up.
    ///
    /// - Parameter sum: the sum so far; then the sum of all. The caller knows that no sum leaves 32 bits, or does not mind.
    @inline(__always)
    static func unpackSums(
        _ staged: UnsafeRawPointer, rowCount: Int, width: Int, base: Int32, sum: inout Int32, into sums: UnsafeMutablePointer<Int32>
    ) {
        let output = UnsafeMutableRawPointer(sums)
        let base = SIMD4(repeating: base)
        var carried = SIMD4(repeating: sum)
        eachRow(staged, rowCount: rowCount, width: width) { row, four in
            var four = SIMD4<Int32>(truncatingIfNeeded: four) &+ base
            four = four &+ SIMD4(0, four[0], four[1], four[2])
            four = four &+ SIMD4(0, 0, four[0], four[1])
            four = four &+ carried
            (output + row &* 16).storeBytes(of: four, as: SIMD4<Int32>.self)
            carried = SIMD4(repeating: four[3])
        }
        sum = carried[0]
    }

    @inline(__always)
    private static func eachRow(
        _ staged: UnsafeRawPointer, rowCount: Int, width: Int, _ body: (_ row: Int, _ four: SIMD4<UInt32>) -> Void
    ) {
        let width = UInt32(truncatingIfNeeded: width)
        let mask = SIMD4(repeating: UInt32.max &>> (32 &- width))
        var bit: UInt32 = 0
        for row in 0..<rowCount {
            let words = staged + Int(bit &>> 5) &* 16
            let shift = bit & 31
            // SAFETY: the last row's first word is at most the last that was staged, and one more follows it.
            let low = words.loadUnaligned(as: SIMD4<UInt32>.self) &>> SIMD4(repeating: shift)
            // By 32 - shift in two steps, because shift may be 0.
            let high = ((words + 16).loadUnaligned(as: SIMD4<UInt32>.self) &<< SIMD4(repeating: 1)) &<< SIMD4(repeating: 31 &- shift)
            body(row, (low | high) & mask)
            bit &+= width
        }
    }
}
