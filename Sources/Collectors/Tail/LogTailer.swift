import Glibc
package import Logging
import ServiceLifecycle
import Settings
import Synchronization
package import Telemetry

/// Follows log files and stores their lines.
///
/// A file is known by device, inode and a hash of its first bytes, so it is followed through renames; positions go to the
/// state store after the lines are durable: after a crash lines may come twice, but none is missing.
package final class LogTailer: Service {
    private let configurations: Mutex<[TailConfiguration]>
    private let store: any TelemetryStore
    private let positions: any StateStore
    private let options: TailOptions
    private let time: TimeSource
    private let logger: Logger
    private let current = Mutex<[TailedFileSnapshot]>([])

    package init(
        configuration: [TailConfiguration], store: any TelemetryStore, state: any StateStore,
        options: TailOptions = TailOptions(),
        time: TimeSource = .system, logger: Logger
    ) {
        configurations = Mutex(configuration)
        self.store = store
        positions = state
        self.options = options
        self.time = time
        self.logger = logger
    }

    /// Takes a new configuration at the next poll. Files that still match go on where they are.
    package func apply(_ configuration: [TailConfiguration]) {
        configurations.withLock { $0 = configuration }
    }

    /// The files followed now, by configuration and path.
    package func files() -> [TailedFileSnapshot] { current.withLock { $0 } }

    /// Follows the files until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        var set = TailSet(store: store, positions: positions, options: options, time: time, logger: logger)
        while !Task.isCancelled {
            let pause = await set.poll(configurations.withLock { $0 })
            let snapshot = set.snapshot
            current.withLock { $0 = snapshot }
            guard (try? await Task.sleep(for: pause)) != nil else { break }
        }
    }
}

/// The files that a tailer follows. Belongs to one task.
struct TailSet {
    /// The same file may match two configurations: each follows it for itself.
    private struct Key: Hashable {
        var configuration: String
        var identity: FileIdentity
    }

    private struct Entry {
        var file: TailedFile
        var decoder: TailDecoder
    }

    private static let backoffMax = Duration.seconds(30)
    /// Finding files may take so much of the time: one part in twenty.
    private static let discoveryShare = 20

    private let store: any TelemetryStore
    private let positions: any StateStore
    private let options: TailOptions
    private let time: TimeSource
    private let logger: Logger
    private var entries: [Key: Entry] = [:]
    /// What the state store knew at the start of files that have not been opened yet.
    private var remembered: [String: TailPosition]?
    private var nextDiscovery = ContinuousClock.now
    private var failureCount = 0
    private var isFull = false

    init(store: any TelemetryStore, positions: any StateStore, options: TailOptions, time: TimeSource, logger: Logger) {
        self.store = store
        self.positions = positions
        self.options = options
        self.time = time
        self.logger = logger
    }

    var snapshot: [TailedFileSnapshot] {
        entries.map { key, entry in
            TailedFileSnapshot(
                configuration: key.configuration, path: entry.file.position.path, offset: entry.file.position.offset,
                size: entry.file.size)
        }
        .sorted { ($0.configuration, $0.path) < ($1.configuration, $1.path) }
    }

    /// Looks for files, then reads what is new in all of them.
    ///
    /// - Returns: how long to wait before the next time.
    mutating func poll(_ configurations: [TailConfiguration]) async -> Duration {
        discover(configurations)
        var hasMore = true
        while hasMore, !Task.isCancelled {
            hasMore = false
            switch await readRound() {
            case .done(let more): hasMore = more
            case .failed:
                failureCount += 1
                return min(Self.backoffMax, .milliseconds(250) * (1 << min(failureCount, 7)))
            }
        }
        failureCount = 0
        closeOrphans()
        return options.pollInterval
    }

    // MARK: Finding files

    private mutating func discover(_ configurations: [TailConfiguration]) {
        let start = ContinuousClock.now
        guard start >= nextDiscovery else { return }
        let isFirst = remembered == nil
        var known = remembered ?? load()
        var seen: Set<Key> = []
        for configuration in configurations {
            for path in Set(configuration.include.flatMap(FileGlob.files)).sorted()
            where !configuration.exclude.contains(where: { FileGlob.matches(path, $0) }) {
                follow(path, configuration, known: &known, seen: &seen)
            }
        }
        if isFirst { followRenamed(configurations, known: &known, seen: &seen) }
        remembered = known
        let now = ContinuousClock.now
        for (key, entry) in entries where !seen.contains(key) && entry.file.orphanedSince == nil {
            entry.file.orphanedSince = now
        }
        nextDiscovery = now + max(.zero, (now - start) * Self.discoveryShare - options.pollInterval)
    }

    private mutating func follow(
        _ path: String, _ configuration: TailConfiguration, known: inout [String: TailPosition], seen: inout Set<Key>
    ) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        let key = Key(configuration: configuration.name, identity: FileIdentity(status))
        guard seen.insert(key).inserted else { return }
        if let entry = entries[key] {
            entry.file.move(to: path)
            entry.file.orphanedSince = nil
            return
        }
        guard entries.count < options.fileCountMax else {
            if !isFull {
                logger.error(
                    "Too many log files match: no more are followed", metadata: ["limit": "\(options.fileCountMax)"])
            }
            isFull = true
            return
        }
        let file = TailedFile(path: path) { identity in
            known.removeValue(
                forKey: TailPosition(identity: identity, path: path).key(configuration: configuration.name))
        }
        guard let file else { return }
        logger.info("Following a log file", metadata: ["path": .string(path), "offset": "\(file.position.offset)"])
        entries[key] = Entry(
            file: file, decoder: TailDecoder(configuration: configuration, path: path, options: options, time: time))
    }

    /// A file that was renamed while nobody looked lies beside its old path, under a name that no glob may match: what it still
    /// holds is read to the end.
    private mutating func followRenamed(
        _ configurations: [TailConfiguration], known: inout [String: TailPosition], seen: inout Set<Key>
    ) {
        for (stateKey, position) in known {
            guard let configuration = configurations.first(where: { stateKey == position.key(configuration: $0.name) })
            else { continue }
            let folder = position.path.lastIndex(of: "/").map { String(position.path[...$0]) } ?? ""
            for path in FileGlob.files(folder + "*") {
                var status = stat()
                guard stat(path, &status) == 0, FileIdentity(status) == position.identity else { continue }
                let original = position.path
                follow(path, configuration, known: &known, seen: &seen)
                let key = Key(configuration: configuration.name, identity: position.identity)
                // Its lines belong to the stream of its old name; nothing but this keeps it open.
                let decoder = TailDecoder(configuration: configuration, path: original, options: options, time: time)
                entries[key]?.decoder = decoder
                seen.remove(key)
            }
        }
        // Whatever is left is gone.
        forget(known.keys.map { $0 })
        known = [:]
    }

    // MARK: Reading

    private enum Round {
        case done(hasMore: Bool)
        case failed
    }

    /// Reads one chunk of every file, stores all their lines at once, then remembers the positions.
    private mutating func readRound() async -> Round {
        var batch = LogBatch()
        var read: [(key: Key, chunk: TailedFile.Chunk, decoder: TailDecoder)] = []
        var hasMore = false
        for (key, entry) in entries {
            // Kept only once the lines are stored, like the position.
            var decoder = entry.decoder
            let before = entry.file.position
            let restarts = entry.file.restartCount
            let chunk = entry.file.read(
                byteCount: max(options.chunkByteCount, 2 * options.lineByteCountMax), options: options)
            if entry.file.restartCount != restarts {
                logger.info(
                    "A log file was truncated: reading it from its start", metadata: ["path": .string(before.path)])
            }
            hasMore = hasMore || chunk.hasMore
            let logEntries = decoder.decode(chunk.lines)
            if chunk.offset != before.offset || entry.file.position != before { read.append((key, chunk, decoder)) }
            if !logEntries.isEmpty { batch.streams.append(.init(labels: decoder.labels, entries: logEntries)) }
        }
        guard !read.isEmpty else { return .done(hasMore: false) }
        if !batch.isEmpty, await !append(batch) { return .failed }
        return commit(read) ? .done(hasMore: hasMore) : .failed
    }

    private mutating func commit(_ read: [(key: Key, chunk: TailedFile.Chunk, decoder: TailDecoder)]) -> Bool {
        var values: [String: [UInt8]?] = [:]
        for (key, chunk, decoder) in read {
            guard let entry = entries[key] else { continue }
            entries[key]?.decoder = decoder
            entry.file.commit(chunk)
            // Lines of a container's log that go on in the next record are not stored yet: after a restart they are read again.
            if decoder.holdsBack { continue }
            values[entry.file.position.key(configuration: key.configuration)] = entry.file.position.encoded
        }
        do throws(StoreError) {
            try positions.set(values, in: TailPosition.namespace)
            return true
        } catch {
            logger.error("Positions of log files could not be saved", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Stores lines; those that the store never takes are left out and counted.
    ///
    /// - Returns: false where it should be tried again later.
    private func append(_ logs: LogBatch) async -> Bool {
        var batch = TelemetryBatch()
        batch.logs = logs
        do throws(StoreError) {
            try await store.append(batch)
            return true
        } catch {
            guard error.code == .rejected else {
                if failureCount == 0 {
                    logger.warning("Log lines could not be stored: trying again", metadata: ["error": "\(error)"])
                }
                return false
            }
            guard let halves = logs.halves else {
                logger.warning("A log line was left out", metadata: ["error": "\(error)"])
                return true
            }
            guard await append(halves.0) else { return false }
            return await append(halves.1)
        }
    }

    // MARK: Closing

    private mutating func closeOrphans() {
        let now = ContinuousClock.now
        var gone: [String] = []
        for (key, entry) in entries {
            guard let since = entry.file.orphanedSince, entry.file.isAtEnd, now - since >= options.orphanTimeout else {
                continue
            }
            gone.append(entry.file.position.key(configuration: key.configuration))
            entries[key] = nil
        }
        forget(gone)
    }

    private func forget(_ keys: [String]) {
        guard !keys.isEmpty else { return }
        try? positions.set(Dictionary(uniqueKeysWithValues: keys.map { ($0, nil) }), in: TailPosition.namespace)
    }

    private func load() -> [String: TailPosition] {
        do throws(StoreError) {
            return try positions.values(in: TailPosition.namespace).compactMapValues(TailPosition.init)
        } catch {
            logger.error(
                "Positions of log files could not be read: files are read from their start",
                metadata: ["error": "\(error)"])
            return [:]
        }
    }
}

extension LogBatch {
    /// Two batches of half the entries each; nil for a single entry.
    fileprivate var halves: (LogBatch, LogBatch)? {
        guard entryCount > 1 else { return nil }
        var (left, right) = (LogBatch(), LogBatch())
        if streams.count > 1 {
            left.streams = Array(streams[..<(streams.count / 2)])
            right.streams = Array(streams[(streams.count / 2)...])
        } else if let stream = streams.first {
            let middle = stream.entries.count / 2
            left.streams = [.init(labels: stream.labels, entries: Array(stream.entries[..<middle]))]
            right.streams = [.init(labels: stream.labels, entries: Array(stream.entries[middle...]))]
        }
        return (left, right)
    }
}
