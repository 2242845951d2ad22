import Telemetry

/// Scans in the order of time. Pages are opened only when the scan comes to their times, so that a reader that stops early has
/// read little.
extension Scan {
    /// Blocks of all streams, by time.
    func runInTime(_ body: (Block) throws -> ScanControl) throws {
        var order = try TimeOrder(self)
        while let (stream, items) = try order.next() {
            try Task.checkCancellation()
            let isNewestFirst = request.order == .newestFirst
            let horizon = order.horizon
            var blocks = try blocks(stream, items)
            if isNewestFirst { blocks.reverse() }
            for index in blocks.indices {
                blocks[index].horizon = horizon
                if index + 1 < blocks.count {
                    let following = blocks[index + 1].timestamps
                    blocks[index].horizon =
                        isNewestFirst ? max(horizon, following.last ?? horizon) : min(horizon, following.first ?? horizon)
                }
                if try body(blocks[index]) == .stop { return }
            }
        }
    }
}

/// Which pieces come next in a scan by time.
///
/// All times here are keys that fall as the scan goes on: the time itself where the newest comes first, its complement where the
/// oldest does. A piece's upper key is where the scan meets it.
struct TimeOrder {
    private let scan: Scan
    private let isNewestFirst: Bool
    /// The pages that are not open yet, by falling upper key; those before ``nextPage`` are all open.
    private var pages: [Page] = []
    private var nextPage = 0
    private var isOpen: [Set<Int>]
    /// By stream of the request: the pieces that wait.
    private var waiting: [[ScanItem]]
    /// Upper keys of what waits, with the stream; an entry whose piece went with another's cluster is passed over.
    private var heap = KeyHeap()
    /// By part: the streams' ids, ascending, with their positions in the request.
    private var streams: [[(id: UInt64, stream: Int)]] = []

    private struct Page {
        var part: Int
        var number: Int
        var upper: Int64
    }

    init(_ scan: Scan) throws(StoreError) {
        self.scan = scan
        isNewestFirst = scan.request.order == .newestFirst
        isOpen = scan.parts.map { _ in [] }
        waiting = Array(repeating: [], count: scan.request.streams.count)
        for (position, part) in scan.parts.enumerated() {
            var known: [(id: UInt64, stream: Int)] = []
            for (stream, id) in part.ids.enumerated() {
                if let id { known.append((id, stream)) }
            }
            known.sort { $0.id < $1.id }
            streams.append(known)
            addPages(of: part.reader.index, position)
        }
        pages.sort { $0.upper > $1.upper }
        for stream in scan.request.streams.indices {
            var items: [ScanItem] = []
            scan.addRuns(stream, to: &items)
            for item in items { add(item, stream) }
        }
    }

    /// The pages of a part that may hold what is wanted.
    private mutating func addPages(of index: PartIndex, _ part: Int) {
        let known = streams[part]
        var next = 0
        for number in 0..<index.values.count {
            guard index.range(number).overlaps(scan.request.range), scan.parts[part].mayHold(number) else { continue }
            while next < known.count, known[next].id < index.values.firsts[number] { next += 1 }
            guard next < known.count, known[next].id <= index.lastStream(number) else { continue }
            pages.append(Page(part: part, number: number, upper: upper(index.range(number))))
        }
    }

    private func upper(_ range: TimeRange) -> Int64 { isNewestFirst ? range.end : ~range.start }
    private func upper(_ item: ScanItem) -> Int64 { isNewestFirst ? item.maxTime : ~item.minTime }
    private func lower(_ item: ScanItem) -> Int64 { isNewestFirst ? item.minTime : ~item.maxTime }

    private mutating func add(_ item: ScanItem, _ stream: Int) {
        waiting[stream].append(item)
        heap.insert(upper(item), stream)
    }

    /// No later block holds a row beyond this instant.
    var horizon: Int64 {
        let (start, end) = (scan.request.range.start, scan.request.range.end)
        var key: Int64?
        if let top = heap.top { key = top.key }
        if nextPage < pages.count { key = max(key ?? pages[nextPage].upper, pages[nextPage].upper) }
        guard let key else { return isNewestFirst ? .min : .max }
        return isNewestFirst ? min(key, end) : max(~key, start)
    }

    /// The next pieces: all that overlap the one whose turn it is. nil at the end.
    mutating func next() throws(StoreError) -> (stream: Int, items: [ScanItem])? {
        while true {
            while nextPage < pages.count, pages[nextPage].upper >= heap.top?.key ?? .min {
                try open(pages[nextPage].part, pages[nextPage].number)
                nextPage += 1
            }
            guard let top = heap.removeTop() else { return nil }
            guard waiting[top.stream].contains(where: { upper($0) == top.key }) else { continue }
            return (top.stream, try takeCluster(top.stream, top.key))
        }
    }

    /// Takes out the pieces of a stream that overlap the one with the highest upper key, or each other from there.
    private mutating func takeCluster(_ stream: Int, _ key: Int64) throws(StoreError) -> [ScanItem] {
        var cluster: [ScanItem] = []
        var bound = key
        while true {
            try openPages(of: stream, down: bound)
            let count = cluster.count
            var rest: [ScanItem] = []
            for item in waiting[stream] {
                if upper(item) >= bound { cluster.append(item) } else { rest.append(item) }
            }
            waiting[stream] = rest
            if cluster.count == count { return cluster }
            for item in cluster[count...] { bound = min(bound, lower(item)) }
        }
    }

    /// Opens the pages that may hold chunks of a stream that reach up to a key or beyond.
    private mutating func openPages(of stream: Int, down bound: Int64) throws(StoreError) {
        for part in scan.parts.indices {
            guard let id = scan.parts[part].ids[stream] else { continue }
            let reader = scan.parts[part].reader
            for number in reader.index.pages(of: id) where !isOpen[part].contains(number) && upper(reader.index.range(number)) >= bound {
                try open(part, number)
            }
        }
    }

    /// Adds the chunks of a page.
    private mutating func open(_ part: Int, _ number: Int) throws(StoreError) {
        let reader = scan.parts[part].reader
        guard reader.index.range(number).overlaps(scan.request.range), scan.parts[part].mayHold(number),
            isOpen[part].insert(number).inserted, let page = try scan.page(part, number), let first = page.chunks.first,
            let last = page.chunks.last
        else { return }
        let known = streams[part]
        var position = Self.position(known, first.stream)
        var items: [ScanItem] = []
        while position < known.count, known[position].id <= last.stream {
            items.removeAll(keepingCapacity: true)
            try scan.addChunks(of: known[position].id, part, number, to: &items)
            for item in items { add(item, known[position].stream) }
            position += 1
        }
    }

    private static func position(_ known: [(id: UInt64, stream: Int)], _ id: UInt64) -> Int {
        var (low, high) = (0, known.count)
        while low < high {
            let middle = (low + high) / 2
            if known[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A binary heap of keys with a number each; the highest key first.
private struct KeyHeap {
    private var entries: [(key: Int64, stream: Int)] = []

    var top: (key: Int64, stream: Int)? { entries.first }

    mutating func insert(_ key: Int64, _ stream: Int) {
        entries.append((key, stream))
        var child = entries.count - 1
        while child > 0, entries[(child - 1) / 2].key < entries[child].key {
            entries.swapAt((child - 1) / 2, child)
            child = (child - 1) / 2
        }
    }

    mutating func removeTop() -> (key: Int64, stream: Int)? {
        guard let top = entries.first, let last = entries.popLast() else { return nil }
        if entries.isEmpty { return top }
        entries[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { return top }
            if child + 1 < entries.count, entries[child + 1].key > entries[child].key { child += 1 }
            guard entries[child].key > entries[parent].key else { return top }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}
