import Telemetry

extension SignalStore {
    /// Writes a memtable's rows into one level-0 part a day, and puts those in its place. All or nothing: after an error the
    /// memtable is still there and no part is.
    ///
    /// - Parameter sequence: the number of this flush.
    func flush(_ memtable: Memtable, sequence: UInt64) throws(StoreError) {
        let streams = memtable.allStreams()
        var written: [(day: Int64, folder: String, name: String)] = []
        var isPublished = 0
        do throws(StoreError) {
            for day in memtable.summary.days.sorted() {
                if let name = try write(streams, day: day, sequence: sequence) { written.append((day, dayFolder(day), name)) }
            }
            var parts: [(day: Int64, part: Part)] = []
            for (day, folder, name) in written {
                let path = folder + "/" + name
                try fileSystem.rename(path + ".tmp", to: path)
                isPublished += 1
                try fileSystem.syncFolder(folder)
                parts.append((day, try Part(path: path, sequence: sequence...sequence, fileSystem: fileSystem, reporter: reporter)))
            }
            publish(memtable, parts)
        } catch {
            for (index, file) in written.enumerated() {
                let path = file.folder + "/" + file.name + (index < isPublished ? "" : ".tmp")
                do throws(StoreError) { try fileSystem.remove(path) } catch {
                    reporter.warning("\(path), left by a flush that failed, cannot be removed: \(error)")
                }
            }
            throw error
        }
        reporter.counters.update { $0.flushes += 1 }
    }

    /// Writes the rows of one day under a temporary name.
    ///
    /// - Returns: the part's name; nil where there are no rows.
    private func write(_ streams: [Memtable.Stream], day: Int64, sequence: UInt64) throws(StoreError) -> String? {
        let range = Days.range(day, signal)
        let present = streams.filter { $0.minTime <= range.end && range.start <= $0.maxTime }
        if present.isEmpty { return nil }
        let folder = dayFolder(day)
        try fileSystem.createFolder(folder)
        try fileSystem.syncFolder(self.folder)
        // The streams before the rows: a part never names a stream that its day does not know.
        let index = index(of: day)
        let ids = index.add(registry[present.map(\.slot)])
        try index.persist()

        let name = Part.name(sequence...sequence)
        let path = folder + "/" + name + ".tmp"
        do throws(StoreError) {
            var writer = PartWriter(try fileSystem.open(path, .create), signal: signal)
            for position in present.indices.sorted(by: { ids[$0] < ids[$1] }) {
                for run in present[position].runs(signal) {
                    let rows = run.clipped(to: range)
                    if !rows.isEmpty { try writer.append(rows, stream: ids[position]) }
                }
            }
            let isEmpty = writer.isEmpty
            try writer.finish()
            if isEmpty {
                try fileSystem.remove(path)
                return nil
            }
            return name
        } catch {
            do throws(StoreError) { try fileSystem.remove(path) } catch {}
            throw error
        }
    }
}
