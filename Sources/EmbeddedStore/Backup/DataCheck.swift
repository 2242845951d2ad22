import Synchronization
package import Telemetry

/// Reads everything in a data folder and verifies every checksum: with the engine's own readers, and without changing a byte.
package enum DataCheck {
    /// What was found.
    package struct Report: Sendable {
        /// Every damaged place, in the order of the files.
        package var damages: [StoreDamage] = []
        /// What is odd but no damage: an unfinished record at the end of the log, say.
        package var notes: [String] = []
        package var segmentCount = 0
        package var recordCount = 0
        package var dayCount = 0
        package var streamCount = 0
        package var partCount = 0
        package var blockCount = 0
        package var rowCount = 0
        /// Bytes of all that was read.
        package var byteCount = 0
    }

    /// - Parameter folder: of a store that no process has open: a stopped one, a snapshot, a restored backup.
    /// - Throws: ``StoreError`` where there is no store, or one in use.
    package static func run(folder: String, fileSystem: any FileSystem = PosixFileSystem()) throws(StoreError) -> Report {
        let names = Set(try fileSystem.list(folder))
        guard Signal.allCases.contains(where: { names.contains($0.name) }) else {
            throw StoreError(.rejected, "there is no store in \(folder)", remedy: "Name a data folder or a snapshot.")
        }
        guard try !fileSystem.isLocked(folder + "/LOCK") else {
            throw StoreError(
                .inUse, "the data folder \(folder) is in use by a server",
                remedy: "Take a snapshot and check that, or stop the server. (What a server finds by itself is in /api/apus/damage.)")
        }
        let walk = DataWalk(folder, ReadOnlyFileSystem(fileSystem))
        try walk.checkLog()
        try walk.checkQueue()
        for signal in Signal.allCases { try walk.check(signal) }
        try walk.checkState()
        return walk.report.withLock { $0 }
    }
}

/// One walk through a data folder.
final class DataWalk: Sendable {
    let folder: String
    let files: ReadOnlyFileSystem
    let report = Mutex(DataCheck.Report())

    init(_ folder: String, _ files: ReadOnlyFileSystem) {
        self.folder = folder
        self.files = files
    }

    private var reporter: StoreReporter {
        StoreReporter { event in
            if event.level != .error { self.report.withLock { $0.notes.append(event.message) } }
        } damage: { damage in
            self.report.withLock { $0.damages.append(damage) }
        }
    }

    func damaged(_ kind: StoreDamage.Kind, _ signal: Signal?, _ path: String, _ offset: Int? = nil, _ message: String) {
        report.withLock { $0.damages.append(StoreDamage(kind, signal, path: path, offset: offset, message: message)) }
    }

    // MARK: The log

    func checkLog() throws(StoreError) {
        let logFolder = folder + "/wal"
        let registries = Signal.allCases.map { StreamRegistry(signal: $0) }
        let rows = Mutex(0)
        let replay = LogReplay(folder: logFolder, fileSystem: files, registries: registries, reporter: reporter) { batch in
            rows.withLock { $0 += Signal.allCases.reduce(0) { $0 + batch.rowCount($1) } }
        }
        let outcome = try replay.run()
        report.withLock { report in
            report.segmentCount = outcome.segments.count
            report.recordCount = outcome.recordCount
            report.rowCount += rows.withLock { $0 }
            report.byteCount += outcome.segments.values.reduce(0, +)
        }
    }

    // MARK: Days

    func check(_ signal: Signal) throws(StoreError) {
        let store = SignalStore(signal: signal, dataFolder: folder, fileSystem: files, reporter: reporter)
        _ = try store.open()
        let days = store.snapshot(.all).days
        for (day, index, parts) in days {
            var sources = IndexSources(registry: store.registry)
            (sources.members, sources.segments) = index.contents()
            let streams = IndexQuestion.everything.streams(sources, limit: nil)
            for segment in sources.segments { segment.reader()?.checkPostings() }
            let ids = Set(index.ids(of: streams, slots: store.registry.slots(of: streams)).compactMap { $0 })
            report.withLock { report in
                report.dayCount += 1
                report.streamCount += ids.count
                report.byteCount += index.fileByteCount
            }
            for part in parts { check(part, ids, indexPath: store.dayFolder(day) + "/index") }
        }
    }

    private func check(_ part: Part, _ ids: Set<UInt64>, indexPath: String) {
        let signal = part.footer.signal
        report.withLock { report in
            report.partCount += 1
            report.byteCount += part.byteCount
        }
        let reader: PartReader
        do throws(PartFailure) { reader = try part.reader() } catch {
            return damaged(.part, signal, part.path, error.offset, "\(error.error.message); lost: its \(part.footer.rowCount) rows")
        }
        do throws(PartFailure) { _ = try part.pages(of: TraceID(high: 0, low: 1)) } catch {
            damaged(.part, signal, part.path, error.offset, "\(error.error.message); lost: finding traces in it")
        }
        var unknownRowCount = 0
        for number in 0..<reader.index.values.count {
            let page: ValuePage
            do throws(PartFailure) { page = try reader.page(number) } catch {
                damaged(.block, signal, part.path, error.offset, "\(error.error.message); lost: the rows of this page")
                continue
            }
            for failure in page.failures {
                damaged(.block, signal, part.path, failure.offset, "\(failure.error.message); lost: rows with these times")
            }
            for chunk in page.chunks {
                do throws(PartFailure) {
                    _ = try reader.run(chunk, of: page, columns: .all)
                    report.withLock { report in
                        report.blockCount += 1
                        if chunk.kind != .exemplars { report.rowCount += Int(chunk.rowCount) }
                    }
                    if !ids.contains(chunk.stream) { unknownRowCount += Int(chunk.rowCount) }
                } catch {
                    damaged(.block, signal, part.path, error.offset, "\(error.error.message); lost: \(chunk.rowCount) rows of one stream")
                }
            }
        }
        if unknownRowCount > 0 {
            damaged(
                .index, signal, indexPath, nil,
                "the stream index \(indexPath) lacks streams of \(part.path); lost: finding \(unknownRowCount) rows")
        }
    }

    // MARK: Small state

    func checkState() throws(StoreError) {
        MetadataTable(path: folder + "/metrics/metadata", folder: folder + "/metrics", files, reporter).load()
        for message in try Catalog.damage(dataFolder: folder, fileSystem: files) {
            damaged(.catalog, nil, folder + "/catalog.sqlite", nil, "the catalogue \(folder)/catalog.sqlite is damaged: \(message)")
        }
    }
}
