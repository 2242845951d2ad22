import Synchronization
package import Telemetry

extension EmbeddedStore {
    /// Opens the store in a folder: takes the lock, finds the parts, replays the log.
    ///
    /// - Throws: ``StoreError``: `.inUse` where another process has the folder, `.system` where it cannot be read or written.
    package static func open(_ options: Options) throws(StoreError) -> EmbeddedStore {
        let files = options.fileSystem
        let logFolder = options.dataFolder + "/wal"
        do throws(StoreError) {
            try files.createFolder(options.dataFolder)
        } catch {
            throw StoreError(
                error.code, "the data folder \(options.dataFolder) cannot be used: \(error.message)",
                remedy: error.remedy.isEmpty ? "Choose another one with --data-dir." : error.remedy)
        }
        let lock = try files.lock(options.dataFolder + "/LOCK")
        try files.createFolder(logFolder)
        for signal in Signal.allCases { try files.createFolder(options.dataFolder + "/" + signal.name) }
        try files.syncFolder(options.dataFolder)

        let reporter = StoreReporter(options.log)
        let signals = Signal.allCases.map {
            SignalStore(
                signal: $0, dataFolder: options.dataFolder, fileSystem: files, reporter: reporter, time: options.time,
                hash: options.streamHash)
        }
        var highest: UInt64 = 0
        for signal in signals { highest = max(highest, try signal.open()) }
        let metadata = MetadataTable(path: options.dataFolder + "/metrics/metadata", folder: options.dataFolder + "/metrics", files, reporter)
        metadata.load()

        let state = StateTable(catalog: try options.catalog?(options.dataFolder))
        let bytes = MemtableBytes()
        let time = options.time
        let apply: @Sendable (PreparedBatch) -> Void = { batch in
            let now = time.nanoseconds
            for signal in signals where batch.rowCount(signal.signal) > 0 || (signal.signal == .metrics && !batch.exemplars.isEmpty) {
                bytes.add(signal.apply(batch, now: now))
            }
            metadata.set(batch.metadata)
            state.apply(batch.state, now: now)
        }
        let replay = LogReplay(folder: logFolder, fileSystem: files, registries: signals.map(\.registry), reporter: reporter, apply: apply)
        let replayed = try replay.run()
        // A process that was killed may have left records that it had not synced; what is served from now on must stay.
        for number in replayed.segments.keys { try files.open(logFolder + "/" + LogSegment.name(number), .read).sync() }
        try files.syncFolder(logFolder)
        if replayed.recordCount > 0 {
            reporter.info("replayed \(replayed.recordCount) records of \(replayed.segments.count) segments of the write-ahead log")
        }
        let log = WriteAheadLog(
            folder: logFolder, replayed: replayed, registries: signals.map(\.registry), fileSystem: files, reporter: reporter
        ) { batch in
            for signal in signals {
                let count = batch.rowCount(signal.signal)
                if count > 0 { reporter.counters.update { $0.rowsAppended[signal.signal, default: 0] += UInt64(count) } }
            }
            apply(batch)
        }
        return EmbeddedStore(
            options: options, reporter: reporter, signals: signals, log: log, metadataTable: metadata, stateTable: state,
            memtableByteCount: bytes, nextSequence: highest + 1, lock: lock)
    }
}
