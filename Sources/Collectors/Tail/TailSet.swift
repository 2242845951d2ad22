import Codecs
import Glibc
import Logging
import Settings
import Telemetry

/// The files that a tailer follows. Belongs to one task.
struct TailSet {
    /// The same file may match two jobs: each follows it for itself.
    struct Key: Hashable {
        var job: String
        var identity: FileIdentity

        var state: String { TailPosition(identity: identity, path: "").key(configuration: job) }
    }

    struct Entry {
        var file: TailedFile
        var handler: LineHandler
        /// Of the job that the handler is of.
        var version: String
        /// The handler of a new configuration, from the next lines on.
        var renewed: LineHandler?
        /// Of the file's ``TailedFile/restartCount``, what the handler knows.
        var restartCount = 0
        /// Not read before: a compressed file that may still be written, or lines that a stage slows down.
        var notBefore: ContinuousClock.Instant
    }

    /// What was read and handed over, and is not kept yet.
    struct Unsent {
        var batch: DeliveryBatch
        var read: [(key: Key, chunk: TailedFile.Chunk, handler: LineHandler, restartCount: Int)] = []
        /// Files that are let go with it.
        var closed: [Key] = []
    }

    private let delivery: any LogDelivery
    let positions: any StateStore
    let options: TailOptions
    let metrics: SourceMetrics
    let time: TimeSource
    let logger: Logger
    var entries: [Key: Entry] = [:]
    /// What the state store knew at the start of files that have not been opened yet; nil: it was not asked yet.
    var remembered: [String: TailPosition]?
    var nextDiscovery = ContinuousClock.now
    var isFull = false
    /// The folders that jobs name without wildcards.
    var wantedFolders: Set<String> = []
    /// Positions of files that are gone, to be forgotten with the next batch, and what is held back of their lines.
    var abandoned: [(stateKey: String, handler: LineHandler)] = []
    private var unsent: Unsent?
    private var failureCount = 0
    /// Whose turn it is: rounds begin behind the file at which the last one ended.
    private var turn = 0

    init(
        delivery: any LogDelivery, positions: any StateStore, options: TailOptions, metrics: SourceMetrics = SourceMetrics(),
        time: TimeSource, logger: Logger
    ) {
        self.delivery = delivery
        self.positions = positions
        self.options = options
        self.metrics = metrics
        self.time = time
        self.logger = logger
    }

    var snapshot: [TailedFileSnapshot] {
        entries.map { key, entry in
            TailedFileSnapshot(
                configuration: key.job, path: entry.file.position.path, offset: entry.file.position.offset, size: entry.file.size)
        }
        .sorted { ($0.configuration, $0.path) < ($1.configuration, $1.path) }
    }

    /// The folders of the files followed, and those in which new ones may appear.
    var folders: Set<String> {
        let own = entries.values.compactMap { entry in
            entry.file.position.path.lastIndex(of: "/").map { String(entry.file.position.path[..<$0]) }
        }
        return wantedFolders.union(own)
    }

    /// Whether the last poll ended in a failure.
    var isFailing: Bool { failureCount > 0 }

    /// How long until held-back lines are due; nil where there are none.
    var nextFlush: Duration? {
        let due = entries.values.compactMap { $0.handler.nextFlush }.filter { $0 < .max }.min()
        return due.map { .nanoseconds(max(0, $0 - time.nanoseconds)) }
    }

    /// Looks for files, then reads what is new in all of them.
    ///
    /// - Returns: how long to wait before the next time.
    mutating func poll(_ jobs: [TailJob]) async -> Duration {
        discover(jobs)
        var hasMore = true
        while hasMore, !Task.isCancelled {
            if unsent == nil {
                let (round, more) = readRound()
                (unsent, hasMore) = (round, more)
            }
            guard await send() else {
                failureCount += 1
                return Backoff.pause(failureCount)
            }
        }
        failureCount = 0
        metrics.set("promtail_files_active_total", Double(entries.count))
        return options.pollInterval
    }

    // MARK: Reading

    /// Reads a chunk of every file with news, as far as a batch goes.
    private mutating func readRound() -> (unsent: Unsent, hasMore: Bool) {
        var round = Unsent(batch: DeliveryBatch())
        var hasMore = false
        let keys = entries.keys.sorted { ($0.job, $0.identity.device, $0.identity.inode) < ($1.job, $1.identity.device, $1.identity.inode) }
        let (now, instant) = (time.nanoseconds, ContinuousClock.now)
        // Before the positions of files that have their inodes now.
        for (stateKey, handler) in abandoned {
            var handler = handler
            handler.finish(into: &round.batch)
            round.batch.positions.append(StateChange(TailPosition.namespace, stateKey, nil))
        }
        abandoned = []
        for step in keys.indices {
            if round.batch.lineByteCount >= options.batchByteCountMax {
                hasMore = true
                turn = (turn + step) % keys.count
                break
            }
            let key = keys[(turn + step) % keys.count]
            guard let entry = entries[key], instant >= entry.notBefore else { continue }
            hasMore = read(key, entry, now, into: &round) || hasMore
        }
        closeOrphans(into: &round)
        return (round, hasMore)
    }

    /// - Returns: whether the file has more.
    private mutating func read(_ key: Key, _ entry: Entry, _ now: Int64, into round: inout Unsent) -> Bool {
        let (file, path) = (entry.file, entry.file.position.path)
        let isDue = (entry.handler.nextFlush ?? .max) <= now
        let hasNews = file.hasNews(partialLineTimeout: options.partialLineTimeout)
        guard isDue || hasNews || file.restartCount != entry.restartCount || entry.renewed != nil else { return false }
        let damaged = file.damagedLineCount
        let chunk = file.read(byteCount: max(options.chunkByteCount, 2 * options.lineByteCountMax), options: options)
        // Kept only once the lines are, like the position.
        var handler = entry.handler
        let isRestarted = file.restartCount != entry.restartCount
        if isRestarted {
            logger.info("A log file was truncated: reading it from its start", metadata: ["path": .string(path)])
            handler.finish(into: &round.batch)
        }
        if let renewed = entry.renewed {
            handler.finish(into: &round.batch)
            handler = renewed
        }
        handler.process(chunk.lines, now: now, into: &round.batch)
        if isDue { handler.flush(now: now, into: &round.batch) }
        if handler.delay > .zero { entries[key]?.notBefore = .now + handler.delay }
        report(file, chunk, path, damaged)
        if chunk.byteCount == 0, !isDue, !isRestarted, entry.renewed == nil {
            file.commit(chunk, checkpoint: file.position.checkpoint)
            return chunk.hasMore
        }
        let position = file.position(after: chunk, checkpoint: handler.checkpoint)
        round.batch.positions.append(StateChange(TailPosition.namespace, key.state, position.encoded))
        round.read.append((key, chunk, handler, file.restartCount))
        return chunk.hasMore
    }

    private func report(_ file: TailedFile, _ chunk: TailedFile.Chunk, _ path: String, _ damagedBefore: Int) {
        let labels = Labels(["path": path])
        if !chunk.lines.isEmpty { metrics.add("promtail_read_lines_total", labels, Double(chunk.lines.count)) }
        metrics.set("promtail_read_bytes_total", labels, Double(chunk.offset))
        metrics.set("promtail_file_bytes_total", labels, Double(file.size))
        let cut = chunk.lines.count { $0.originalByteCount != nil }
        if cut > 0 { metrics.add("promtail_lines_cut_total", Double(cut)) }
        if file.damagedLineCount > damagedBefore {
            metrics.add("promtail_encoding_failures_total", labels, Double(file.damagedLineCount - damagedBefore))
        }
        if let failure = file.failure, chunk.byteCount > 0 || chunk.end == 0 {
            logger.error("A compressed log file is damaged", metadata: ["path": .string(path), "error": "\(failure)"])
        }
    }

    /// Hands over what was read.
    ///
    /// - Returns: false where it should be tried again later.
    private mutating func send() async -> Bool {
        guard let round = unsent else { return true }
        if !round.batch.isEmpty {
            do throws(StoreError) {
                let refused = try await delivery.deliver(round.batch)
                if refused > 0 {
                    metrics.dropped(refused, reason: "out_of_bounds")
                    logger.warning("Log lines were refused for their time", metadata: ["count": "\(refused)"])
                }
            } catch {
                if failureCount == 0 {
                    logger.warning("Log lines could not be kept: trying again", metadata: ["error": "\(error)"])
                }
                return false
            }
        }
        for (key, chunk, handler, restartCount) in round.read {
            entries[key]?.handler = handler
            entries[key]?.restartCount = restartCount
            entries[key]?.renewed = nil
            entries[key]?.file.commit(chunk, checkpoint: handler.checkpoint)
        }
        for key in round.closed { close(key) }
        unsent = nil
        return true
    }

    // MARK: Closing

    /// Lets files go that nobody finds any more, and that were read to their end.
    private mutating func closeOrphans(into round: inout Unsent) {
        let now = ContinuousClock.now
        for (key, entry) in entries {
            guard let since = entry.file.orphanedSince, entry.file.isAtEnd || entry.file.failure != nil,
                !round.read.contains(where: { $0.key == key }),
                now - max(since, entry.file.unchangedSince) >= options.orphanTimeout
            else { continue }
            var handler = entry.handler
            handler.finish(into: &round.batch)
            round.batch.positions.append(StateChange(TailPosition.namespace, key.state, nil))
            round.closed.append(key)
        }
    }

    private mutating func close(_ key: Key) {
        guard let path = entries.removeValue(forKey: key)?.file.position.path else { return }
        if !entries.values.contains(where: { $0.file.position.path == path }) { metrics.forget(label: "path", path) }
    }
}
