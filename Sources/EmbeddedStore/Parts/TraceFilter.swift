import Codecs
import Telemetry

/// Which value pages of a part may hold rows of a trace: the sorted upper 40 bits of the ids' hashes, each with the number of a page.
struct TraceFilter: Sendable {
    /// The hash's upper 40 bits, then the page's number in 24.
    private var entries: [UInt64] = []
    private var lastPage: (number: Int, hashes: Set<UInt64>) = (-1, [])

    private static let pageBits: UInt64 = 24
    private static let hashMask: UInt64 = ~((1 << pageBits) - 1)
    /// Beyond it the filter is left out, and every page is looked at.
    static let pageCountMax = 1 << Int(pageBits)

    init() {}

    var isEmpty: Bool { entries.isEmpty }

    /// Notes that page `number` holds a row of a trace. Pages come in ascending order.
    mutating func insert(_ id: TraceID, page number: Int) {
        guard !id.isNone, number < Self.pageCountMax else { return }
        if lastPage.number != number { lastPage = (number, []) }
        let hash = StreamHash.hash(id) & Self.hashMask
        if lastPage.hashes.insert(hash).inserted { entries.append(hash | UInt64(number)) }
    }

    mutating func insert(_ run: Run, page number: Int) {
        switch run.rows {
        case .logs(let columns): for id in columns.traceIDs { insert(id, page: number) }
        case .spans(let spans):
            var last = TraceID.none
            // Spans of one trace mostly follow each other.
            for span in spans where span.traceID != last {
                insert(span.traceID, page: number)
                last = span.traceID
            }
        default: break
        }
    }

    /// The numbers of the pages that may hold rows of the trace, ascending.
    func pages(of id: TraceID) -> [Int] {
        let hash = StreamHash.hash(id) & Self.hashMask
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle] < hash { low = middle + 1 } else { high = middle }
        }
        var pages: [Int] = []
        while low < entries.count, entries[low] & Self.hashMask == hash {
            pages.append(Int(entries[low] & ~Self.hashMask))
            low += 1
        }
        return pages
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
