import Telemetry

extension SignalStore {
    /// Writes a memtable's rows into one level-0 part a day, and puts those in its place. All or nothing: after an error the
    /// memtable is still there and no part is.
    ///
    /// - Parameter sequence: the number of this flush.
    func flush(_ memtable: Memtable, sequence: UInt64) throws(StoreError) {
        let contents = memtable.contents()
        var written: [(day: Int64, folder: String, name: String)] = []
        var isPublished = 0
        do throws(StoreError) {
            for day in memtable.summary.days.sorted() {
                if let name = try write(contents, day: day, sequence: sequence) { written.append((day, dayFolder(day), name)) }
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
    private func write(_ contents: Memtable.Contents, day: Int64, sequence: UInt64) throws(StoreError) -> String? {
        let range = Days.range(day, signal)
        let content = DayContent(contents, range)
        if content.slots.isEmpty { return nil }
        let folder = dayFolder(day)
        try fileSystem.createFolder(folder)
        try fileSystem.syncFolder(self.folder)
        // The streams before the rows: a part never names a stream that its day does not know.
        let ids = try index(of: day).persist(content.slots)

        let name = Part.name(sequence...sequence)
        let path = folder + "/" + name + ".tmp"
        do throws(StoreError) {
            var writer = PartWriter(try fileSystem.open(path, .create), signal: signal)
            try write(content, ids, clippedTo: range, to: &writer)
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

    /// Writes the streams in the order of their ids, floats before the other kinds.
    private func write(
        _ content: DayContent, _ ids: [UInt64], clippedTo range: TimeRange, to writer: inout PartWriter
    ) throws(StoreError) {
        let order = content.slots.indices.sorted { ids[$0] < ids[$1] }
        var gather = FloatGather(content.chunks, slots: order.map { content.slots[$0] })
        try gather.forEach { (rank, times, values) throws(StoreError) in
            let position = order[rank]
            let others = content.streams[position]
            let rows = times.range(of: range)
            if !rows.isEmpty {
                let (times, values) = (times.extracting(rows), values.extracting(rows))
                if let hidden = others?.histogramTimes, !hidden.isEmpty {
                    if let run = Run(times, values).hiding(hidden) { try writer.append(run, stream: ids[position]) }
                } else {
                    try writer.appendFloats(times: times, values: values, stream: ids[position])
                }
            }
            for run in others?.runs(signal) ?? [] {
                let rows = run.clipped(to: range)
                if !rows.isEmpty { try writer.append(rows, stream: ids[position]) }
            }
        }
    }
}

/// What a memtable holds of one day.
private struct DayContent {
    /// The streams with rows, each once.
    private(set) var slots: [UInt32] = []
    /// By stream: its rows but floats.
    private(set) var streams: [Memtable.Stream?] = []
    /// Floats of the day, and perhaps of others.
    let chunks: [FloatChunk]

    init(_ contents: Memtable.Contents, _ range: TimeRange) {
        chunks = contents.chunks.filter { $0.minTime <= range.end && range.start <= $0.maxTime }
        var others: [UInt32: Memtable.Stream] = [:]
        for stream in contents.streams where stream.minTime <= range.end && range.start <= stream.maxTime { others[stream.slot] = stream }
        var isKnown: [Bool] = []
        for chunk in chunks {
            let isInside = range.start <= chunk.minTime && chunk.maxTime <= range.end
            if let last = chunk.slots.last, Int(last) >= isKnown.count {
                isKnown.append(contentsOf: repeatElement(false, count: Int(last) + 1 - isKnown.count))
            }
            for (position, slot) in chunk.slots.enumerated() where !isKnown[Int(slot)] {
                guard isInside || chunk.times[chunk.rows(at: position)].contains(where: { range.contains($0) }) else { continue }
                isKnown[Int(slot)] = true
                slots.append(slot)
                streams.append(others.isEmpty ? nil : others.removeValue(forKey: slot))
            }
        }
        for (slot, stream) in others {
            slots.append(slot)
            streams.append(stream)
        }
    }
}

extension Run {
    /// Copies borrowed columns.
    fileprivate init(_ times: Span<Int64>, _ values: Span<Double>) {
        self.init(timestamps: times.indices.map { times[$0] }, rows: .floats(values.indices.map { values[$0] }))
    }
}

extension Span<Int64> {
    /// The instants within `range`; they must ascend.
    fileprivate func range(of range: TimeRange) -> Range<Int> {
        func firstIndex(_ condition: (Int64) -> Bool) -> Int {
            var (low, high) = (0, count)
            while low < high {
                let middle = low + (high - low) / 2
                if condition(self[middle]) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        guard count > 0 else { return 0..<0 }
        if range.start <= self[0], self[count - 1] <= range.end { return 0..<count }
        let start = firstIndex { $0 >= range.start }
        return start..<Swift.max(start, firstIndex { $0 > range.end })
    }
}
