import Codecs

/// Codes of a dictionary of at most 256 entries: packed bits, or zstd of bytes where codes are so uneven that it is smaller.
/// Byte for byte: docs/format/logs.md, "Codes".
enum CodeColumn {
    private enum Form: UInt8 {
        case packed = 0
        case frame = 1
    }

    /// Nothing for one entry: there is nothing to tell apart.
    static func append(_ codes: [UInt8], entryCount: Int, to bytes: inout [UInt8]) {
        guard entryCount > 1 else { return }
        let width = 8 - UInt8(truncatingIfNeeded: entryCount - 1).leadingZeroBitCount
        let packedByteCount = BitPacking.byteCount(count: codes.count, width: width)
        if width > 1 || codes.count > 4096 {
            var frame: [UInt8] = []
            BlockCodec.appendFrame(codes, to: &frame)
            if frame.count < packedByteCount {
                bytes.append(Form.frame.rawValue)
                bytes += frame
                return
            }
        }
        bytes.append(Form.packed.rawValue)
        var (waiting, waitingBitCount) = (UInt64(0), 0)
        bytes.reserveCapacity(bytes.count + packedByteCount)
        for code in codes {
            waiting |= UInt64(code) &<< UInt64(waitingBitCount)
            waitingBitCount &+= width
            while waitingBitCount >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: waiting))
                waiting &>>= 8
                waitingBitCount &-= 8
            }
        }
        if waitingBitCount > 0 { bytes.append(UInt8(truncatingIfNeeded: waiting)) }
    }

    /// Reads `count` codes, all below `entryCount`.
    static func read(_ reader: inout ByteReader, count: Int, entryCount: Int) throws(DecodeError) -> [UInt8] {
        guard entryCount > 1 else { return [UInt8](repeating: 0, count: count) }
        let start = reader.offset
        guard let form = Form(rawValue: try reader.byte("codes")) else {
            throw DecodeError(offset: start, field: "codes", "of an unknown form")
        }
        var codes: [UInt8]
        switch form {
        case .frame: codes = try BlockCodec.frame(&reader, isWanted: true) ?? []
        case .packed:
            let width = 8 - UInt8(truncatingIfNeeded: entryCount - 1).leadingZeroBitCount
            let range = try reader.take(BitPacking.byteCount(count: count, width: width), "codes")
            codes = unpack(reader.bytes, range, count: count, width: width)
        }
        var greatest: UInt8 = 0
        for code in codes { greatest = max(greatest, code) }
        guard codes.count == count, Int(greatest) < entryCount else {
            throw DecodeError(offset: start, field: "codes", "not \(count) below \(entryCount)")
        }
        return codes
    }

    /// - Parameter range: of `bytes`: as many as the codes take.
    private static func unpack(_ bytes: [UInt8], _ range: Range<Int>, count: Int, width: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { output, initializedCount in
            bytes.withUnsafeBytes { all in
                let mask = UInt32(1) << UInt32(width) - 1
                var index = 0
                // SAFETY: four bytes from the code's first one on lie inside `all` as long as the condition holds.
                while index < count, range.lowerBound &+ (index &* width) &>> 3 &+ 4 <= all.count {
                    let bit = index &* width
                    let word = UInt32(littleEndian: all.loadUnaligned(fromByteOffset: range.lowerBound &+ bit &>> 3, as: UInt32.self))
                    output[index] = UInt8(truncatingIfNeeded: (word &>> UInt32(truncatingIfNeeded: bit & 7)) & mask)
                    index &+= 1
                }
                while index < count {
                    let bit = index * width
                    var word = UInt32(all[range.lowerBound + bit >> 3])
                    if range.lowerBound + bit >> 3 + 1 < range.upperBound { word |= UInt32(all[range.lowerBound + bit >> 3 + 1]) << 8 }
                    output[index] = UInt8(truncatingIfNeeded: (word >> UInt32(bit & 7)) & mask)
                    index += 1
                }
            }
            initializedCount = count
        }
    }

    /// How often each code below `entryCount` comes.
    static func histogram(_ codes: [UInt8], entryCount: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: entryCount)
        guard entryCount <= 8 else {
            for code in codes { counts[Int(code)] += 1 }
            return counts
        }
        // A few passes that compare many at once are quicker than one that counts one by one.
        var left = codes.count
        for entry in 0..<entryCount where left > 0 {
            let wanted = UInt8(entry)
            var count = 0
            for code in codes {
                let one: UInt8 = code == wanted ? 1 : 0
                count &+= Int(one)
            }
            counts[entry] = count
            left -= count
        }
        return counts
    }
}
