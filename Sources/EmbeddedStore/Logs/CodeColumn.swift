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
            codes = [UInt8](repeating: 0, count: count)
            let mask = UInt64(1) << UInt64(width) - 1
            var (waiting, waitingBitCount, next) = (UInt64(0), 0, range.lowerBound)
            for index in 0..<count {
                while waitingBitCount < width, next < range.upperBound {
                    waiting |= UInt64(reader.bytes[next]) &<< UInt64(waitingBitCount)
                    waitingBitCount &+= 8
                    next &+= 1
                }
                codes[index] = UInt8(truncatingIfNeeded: waiting & mask)
                waiting &>>= UInt64(width)
                waitingBitCount &-= width
            }
        }
        guard codes.count == count, codes.allSatisfy({ Int($0) < entryCount }) else {
            throw DecodeError(offset: start, field: "codes", "not \(count) below \(entryCount)")
        }
        return codes
    }
}
