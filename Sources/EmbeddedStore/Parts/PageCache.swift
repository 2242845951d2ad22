import Synchronization

/// Value pages that scans have read lately, checked and with their headers decoded: dashboards ask the same questions again and again.
final class PageCache: Sendable {
    /// One for the process: what bounds it is the process' memory.
    static let shared = PageCache(byteCountMax: Limits.pageCacheByteCountMax)

    struct Key: Hashable, Sendable {
        /// ``Part/number``.
        var part: UInt64
        var page: Int
    }

    private struct Entry: Sendable {
        var page: ValuePage
        var lastUse: UInt64
    }

    private struct State: Sendable {
        var entries: [Key: Entry] = [:]
        var byteCount = 0
        var uses: UInt64 = 0
    }

    private let byteCountMax: Int
    private let state = Mutex(State())

    init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// What the pages take in memory.
    var byteCount: Int { state.withLock { $0.byteCount } }

    func page(_ key: Key) -> ValuePage? {
        state.withLock { state in
            state.uses += 1
            guard let index = state.entries.index(forKey: key) else { return nil }
            state.entries.values[index].lastUse = state.uses
            return state.entries.values[index].page
        }
    }

    /// Keeps a page; where there is no more room, the half that was not used for longest goes.
    func insert(_ page: ValuePage, for key: Key) {
        state.withLock { state in
            state.uses += 1
            if let old = state.entries.updateValue(Entry(page: page, lastUse: state.uses), forKey: key) { state.byteCount -= old.page.memoryByteCount }
            state.byteCount += page.memoryByteCount
            guard state.byteCount > byteCountMax else { return }
            for key in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }).map(\.key) {
                guard state.byteCount > byteCountMax / 2, let old = state.entries.removeValue(forKey: key) else { break }
                state.byteCount -= old.page.memoryByteCount
            }
        }
    }

    /// Forgets the pages of a part.
    func remove(part: UInt64) {
        state.withLock { state in
            for key in state.entries.keys where key.part == part {
                if let old = state.entries.removeValue(forKey: key) { state.byteCount -= old.page.memoryByteCount }
            }
        }
    }
}
