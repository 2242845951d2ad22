import Codecs
import Telemetry

/// Which blocks of a part may hold rows of a trace: the sorted upper 40 bits of the ids' hashes, each with the number of a block.
struct TraceFilter: Sendable {
    /// The hash's upper 40 bits, then the block's number in 24.
    private var entries: [UInt64] = []
    private var lastBlock: (number: Int, hashes: Set<UInt64>) = (-1, [])

    private static let blockBits: UInt64 = 24
    private static let hashMask: UInt64 = ~((1 << blockBits) - 1)
    /// Beyond it the filter is left out, and every block is looked at.
    static let blockCountMax = 1 << Int(blockBits)

    init() {}

    var isEmpty: Bool { entries.isEmpty }

    /// Notes that block `number` holds a row of a trace. Blocks come in ascending order.
    mutating func insert(_ id: TraceID, block number: Int) {
        guard !id.isNone, number < Self.blockCountMax else { return }
        if lastBlock.number != number { lastBlock = (number, []) }
        let hash = StreamHash.hash(id) & Self.hashMask
        if lastBlock.hashes.insert(hash).inserted { entries.append(hash | UInt64(number)) }
    }

    mutating func insert(_ run: Run, block number: Int) {
        switch run.rows {
        case .logs(let columns): for id in columns.traceIDs { insert(id, block: number) }
        case .spans(let spans): for span in spans { insert(span.traceID, block: number) }
        default: break
        }
    }

    /// The numbers of the blocks that may hold rows of the trace, ascending.
    func blocks(of id: TraceID) -> [Int] {
        let hash = StreamHash.hash(id) & Self.hashMask
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle] < hash { low = middle + 1 } else { high = middle }
        }
        var blocks: [Int] = []
        while low < entries.count, entries[low] & Self.hashMask == hash {
            blocks.append(Int(entries[low] & ~Self.hashMask))
            low += 1
        }
        return blocks
    }

    func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(count: entries.count)
        IntegerColumn.append(entries.sorted().map { Int64(bitPattern: $0) }, to: &bytes)
        return bytes
    }

    init(_ bytes: [UInt8]) throws(DecodeError) {
        var reader = ByteReader(bytes)
        let count = try reader.varint("entries")
        // A frame of 1,024 takes at least 3 bytes.
        guard count <= UInt64(bytes.count) * UInt64(IntegerColumn.frameValueCountMax) else {
            throw DecodeError(offset: reader.offset, field: "entries", "\(count) do not fit")
        }
        entries = try reader.integers(Int(count)).map { UInt64(bitPattern: $0) }
    }
}
