import Dispatch
import Synchronization
package import Telemetry

/// A ``RecordQueue`` of numbered files in one folder, written and synced by one thread: whatever is added while one sync runs is synced
/// together by the next.
///
/// Of a full queue the oldest segment goes first, whoever has not read it.
package final class DiskQueue: RecordQueue {
    package struct Options: Sendable {
        package var folder: String
        /// Beyond it the oldest segments go.
        package var byteCountMax: Int
        /// A segment that holds this much is followed by another.
        package var segmentByteCountMax = 8 << 20
        package var fileSystem: any FileSystem = PosixFileSystem()
        package var log: @Sendable (StoreEvent) -> Void = { _ in }

        package init(folder: String, byteCountMax: Int) {
            self.folder = folder
            self.byteCountMax = byteCountMax
        }
    }

    private typealias Answer = Result<Void, StoreError>

    private struct Item: Sendable {
        var payload: [UInt8]
        var rowCount: UInt64
        var answer: CheckedContinuation<Answer, Never>
    }

    private struct State: Sendable {
        /// Oldest first.
        var segments: [QueueSegment]
        /// Behind everything that is acknowledged.
        var newest: QueuePosition
        var items: [Item] = []
        var isDraining = false
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextListener = 0
    }

    /// What only the queue's thread touches.
    private struct Writer: Sendable {
        /// nil: the next record begins segment `number`.
        var file: (any StoreFile)?
        var number: UInt64
        var byteCount = 0
        var rowCount: UInt64
    }

    let options: Options
    let reporter: StoreReporter
    private let thread = DispatchQueue(label: "apus.queue", qos: .userInitiated)
    private let state: Mutex<State>
    private let writer: Mutex<Writer>

    private init(_ options: Options, _ reporter: StoreReporter, segments: [QueueSegment], next: UInt64, rowCount: UInt64) {
        self.options = options
        self.reporter = reporter
        let newest =
            segments.last.map { QueuePosition(segment: $0.number, offset: $0.byteCount, rowCount: rowCount) }
            ?? QueuePosition(segment: next, offset: QueueSegment.headerByteCount, rowCount: rowCount)
        state = Mutex(State(segments: segments, newest: newest))
        writer = Mutex(Writer(file: nil, number: next, rowCount: rowCount))
    }

    /// Opens the queue in a folder, which is made where it does not exist.
    package static func open(_ options: Options) throws(StoreError) -> DiskQueue {
        let files = options.fileSystem
        let reporter = StoreReporter(options.log)
        try files.createFolder(options.folder)
        var segments: [QueueSegment] = []
        var highest: UInt64 = 0
        for name in try files.list(options.folder) {
            guard let number = QueueSegment.number(name) else { continue }
            highest = max(highest, number)
            let path = options.folder + "/" + name
            let file = try files.open(path, .read)
            let head = try file.read(at: 0, count: QueueSegment.headerByteCount)
            if let segment = QueueSegment(header: head, number: number, byteCount: try file.byteCount()) {
                segments.append(segment)
            } else {
                // A crash before the first sync of a segment leaves that, too.
                reporter.info("\(path) has no head of a queue segment and is removed")
                try files.remove(path)
            }
        }
        segments.sort { $0.number < $1.number }
        var rowCount: UInt64 = 0
        if let last = segments.last {
            let bytes = try files.contents(of: options.folder + "/" + QueueSegment.name(last.number))
            let walk = RecordWalk(bytes, from: QueueSegment.headerByteCount, file: last.number)
            rowCount = walk.payloads.reduce(last.startRowCount) { $0 &+ UInt64(QueueSegment.record(bytes[$1])?.rowCount ?? 0) }
            // What a crash left of a record was never acknowledged.
            segments[segments.count - 1].byteCount = walk.end
        }
        return DiskQueue(options, reporter, segments: segments, next: highest + 1, rowCount: rowCount)
    }

    package var newest: QueuePosition { state.withLock { $0.newest } }

    package var byteCount: Int { state.withLock { state in state.segments.reduce(0) { $0 + $1.byteCount } } }

    /// The segments there are, oldest first.
    var segments: [QueueSegment] { state.withLock { $0.segments } }

    package func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.listeners[number] = nil } }
        return stream
    }

    package func release(before position: QueuePosition) throws(StoreError) {
        let old = state.withLock { state in state.segments.filter { $0.number < position.segment && $0.number < state.newest.segment } }
        for segment in old { try drop(segment) }
    }

    // MARK: Writing

    package func append(_ record: [UInt8], rowCount: Int) async throws(StoreError) {
        let payload = QueueSegment.payload(record, rowCount: rowCount)
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            let wakes = state.withLock { state in
                state.items.append(Item(payload: payload, rowCount: UInt64(max(0, rowCount)), answer: continuation))
                defer { state.isDraining = true }
                return !state.isDraining
            }
            if wakes { thread.async { self.drain() } }
        }
        try answer.get()
    }

    private func drain() {
        while true {
            let items = state.withLock { state -> [Item] in
                defer { state.items = [] }
                if state.items.isEmpty { state.isDraining = false }
                return state.items
            }
            if items.isEmpty { return }
            let answer = Answer(catching: { () throws(StoreError) in try commit(items) })
            for item in items { item.answer.resume(returning: answer) }
            for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield() }
        }
    }

    private func commit(_ items: [Item]) throws(StoreError) {
        try writer.withLock { writer throws(StoreError) in
            do throws(StoreError) {
                try write(items, &writer)
            } catch {
                // What may be left of it was refused: nothing is written behind it.
                writer.file = nil
                writer.number += 1
                throw error
            }
        }
        try makeRoom()
    }

    private func write(_ items: [Item], _ writer: inout Writer) throws(StoreError) {
        let files = options.fileSystem
        let isNew = writer.file == nil
        let segment = QueueSegment(number: writer.number, startRowCount: writer.rowCount, byteCount: 0)
        var bytes = isNew ? segment.header : []
        let start = isNew ? 0 : writer.byteCount
        var rowCount = writer.rowCount
        for item in items {
            RecordFraming.append(item.payload, to: &bytes, offset: start + bytes.count, file: writer.number)
            rowCount &+= item.rowCount
        }
        let path = options.folder + "/" + QueueSegment.name(writer.number)
        let file = if let file = writer.file { file } else { try files.open(path, .create) }
        try file.write(bytes, at: start)
        try file.sync()
        if isNew { try files.syncFolder(options.folder) }
        writer.file = file
        writer.byteCount = start + bytes.count
        writer.rowCount = rowCount
        let written = writer
        state.withLock { state in
            if isNew { state.segments.append(segment) }
            state.segments[state.segments.count - 1].byteCount = written.byteCount
            state.newest = QueuePosition(segment: written.number, offset: written.byteCount, rowCount: written.rowCount)
        }
        if writer.byteCount >= options.segmentByteCountMax {
            writer.file = nil
            writer.number += 1
        }
    }

    // MARK: Room

    /// Drops the oldest segments of a queue that is too large.
    private func makeRoom() throws(StoreError) {
        while true {
            let oldest = state.withLock { state -> QueueSegment? in
                let byteCount = state.segments.reduce(0) { $0 + $1.byteCount }
                return byteCount > options.byteCountMax && state.segments.count > 1 ? state.segments.first : nil
            }
            guard let oldest else { return }
            reporter.warning(
                "the queue \(options.folder) exceeds \(options.byteCountMax) bytes: its oldest segment \(QueueSegment.name(oldest.number)) is dropped")
            try drop(oldest)
        }
    }

    private func drop(_ segment: QueueSegment) throws(StoreError) {
        try options.fileSystem.remove(options.folder + "/" + QueueSegment.name(segment.number))
        state.withLock { state in state.segments.removeAll { $0.number == segment.number } }
    }
}
