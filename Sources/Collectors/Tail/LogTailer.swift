package import Logging
import ServiceLifecycle
package import Telemetry
import Synchronization

/// Follows log files and hands over their lines.
///
/// A file is known by device, inode and a hash of its first bytes and of the last ones read, so it is followed through renames;
/// its position moves in the same durable step as its lines: after a crash none is lost and none comes twice.
package final class LogTailer: Service {
    private let jobs: Mutex<[TailJob]>
    private let delivery: any LogDelivery
    private let positions: any StateStore
    private let options: TailOptions
    private let metrics: SourceMetrics
    private let time: TimeSource
    private let logger: Logger
    private let current = Mutex<[TailedFileSnapshot]>([])

    package init(
        jobs: [TailJob], delivery: any LogDelivery, positions: any StateStore, options: TailOptions = TailOptions(),
        metrics: SourceMetrics = SourceMetrics(), time: TimeSource = .system, logger: Logger
    ) {
        self.jobs = Mutex(jobs)
        self.delivery = delivery
        self.positions = positions
        self.options = options
        self.metrics = metrics
        self.time = time
        self.logger = logger
    }

    /// Takes new jobs at the next poll. Files that still match go on where they are.
    package func apply(_ jobs: [TailJob]) {
        self.jobs.withLock { $0 = jobs }
    }

    /// The files followed now, by job and path.
    package func files() -> [TailedFileSnapshot] { current.withLock { $0 } }

    /// Follows the files until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        var set = TailSet(
            delivery: delivery, positions: positions, options: options, metrics: metrics, time: time, logger: logger)
        let watch = FolderWatch()
        if watch == nil { logger.info("The kernel gives no inotify watcher: log files are only polled") }
        while !Task.isCancelled {
            var pause = await set.poll(jobs.withLock { $0 })
            let snapshot = set.snapshot
            current.withLock { $0 = snapshot }
            guard let watch, !set.isFailing else {
                guard (try? await Task.sleep(for: pause)) != nil else { break }
                continue
            }
            // Where the kernel tells of every change, looking is needed for new folders only.
            if watch.watch(set.folders) { pause = max(pause, options.watchedPollInterval) }
            await watch.wait(atMost: min(pause, set.nextFlush ?? pause))
            // A busy writer wakes us for every line: some are taken together.
            guard (try? await Task.sleep(for: options.gatherInterval)) != nil else { break }
        }
    }
}
