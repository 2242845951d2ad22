import Synchronization
import Telemetry

/// Moving a day's streams from memory and log into sealed files.
extension DayIndex {
    /// Below it, a day's sealed files are made one.
    private static let joinedStreamCountMax = 1 << 18

    /// Seals all streams of a day that is over.
    func sealAll() throws(StoreError) {
        let needs = state.withLock { state in
            load(&state)
            return !state.members.isEmpty || state.segments.count > 1 && isJoinable(state.segments)
        }
        if needs { try seal { $0 } }
    }

    /// Seals those of `slots` that are in memory.
    func seal(_ slots: Bitmap) throws(StoreError) {
        try seal { $0.intersection(slots) }
    }

    /// Takes note that the registry has forgotten slots, which must have been sealed.
    func forget(_ slots: Bitmap) {
        state.withLock { state in
            state.sealed.subtract(slots)
            if !state.ids.isEmpty { state.ids = state.ids.filter { !slots.contains($0.key) } }
        }
    }

    /// The members that `slots` holds.
    func members(in slots: Bitmap) -> Bitmap {
        state.withLock { $0.members.intersection(slots) }
    }

    private func isJoinable(_ segments: [IndexSegment]) -> Bool {
        segments.reduce(0) { $0 + $1.footer.streamCount } <= Self.joinedStreamCountMax
    }

    /// Writes the members that are chosen into a file of their own, with what small files hold already, then the log without them.
    /// After a crash in between, both have them, which does no harm.
    private func seal(_ choose: (Bitmap) -> Bitmap) throws(StoreError) {
        try writing.withLock { _ throws(StoreError) in
            let before = state.withLock { state in
                load(&state)
                return (
                    members: state.members, unwritten: state.unwritten, segments: state.segments,
                    isReadable: state.logByteCount != nil
                )
            }
            guard before.isReadable else { throw unreadable }
            // What is not in the log has no id that is known to be its own.
            let chosen = choose(before.members.subtracting(before.unwritten))
            let joined = isJoinable(before.segments) ? before.segments : []
            if chosen.isEmpty, joined.count < 2 { return }
            let slots = chosen.values
            let ids = ids(of: slots)
            var rows = registry.rows(slots, ids: ids)
            var hasDisplaced = ids != registry.hashes(slots)
            var isWhole = true
            for segment in joined {
                guard let reader = segment.reader() else {
                    isWhole = false
                    break
                }
                reader.append(to: &rows)
                hasDisplaced = hasDisplaced || reader.hasDisplaced
            }
            // What cannot be read stays where it is: somebody may mend it.
            let replaced = isWhole ? joined : []
            let segment = try write(rows, hasDisplaced, number: (before.segments.map(\.number).max() ?? 0) + 1)
            let rest = before.members.subtracting(chosen).subtracting(before.unwritten)
            let logByteCount: Int
            do throws(StoreError) { logByteCount = try writeLog(rest) } catch {
                // The file may be the old one or the new one: it is read again before anything is written behind what is in it.
                state.withLock { state in
                    state.logByteCount = nil
                    state.isLoaded = false
                }
                throw error
            }
            state.withLock { state in
                state.members.subtract(chosen)
                state.sealed.formUnion(chosen)
                state.logByteCount = logByteCount
                state.segments.removeAll { segment in replaced.contains { $0 === segment } }
                state.segments.append(segment)
            }
            for old in replaced { try fileSystem.remove(old.path) }
        }
    }

    private func write(_ rows: StreamRows, _ hasDisplaced: Bool, number: UInt64) throws(StoreError) -> IndexSegment {
        let path = folder + "/" + IndexSegment.name(number)
        do throws(StoreError) {
            let file = try fileSystem.open(path + ".tmp", .create)
            try IndexSegmentWriter(file, signal: signal, rows: rows, hasDisplaced: hasDisplaced).finish()
            try fileSystem.rename(path + ".tmp", to: path)
            try fileSystem.syncFolder(folder)
            return try IndexSegment(path: path, number: number, fileSystem: fileSystem, reporter: reporter)
        } catch {
            // What is left of it is swept at the next start anyway.
            do throws(StoreError) { try fileSystem.remove(path + ".tmp") } catch {}
            throw error
        }
    }

    /// - Returns: where the log's next record goes.
    private func writeLog(_ slots: Bitmap) throws(StoreError) -> Int {
        if !slots.isEmpty { return try log.replace(with: entries(slots.values)) }
        try log.remove()
        return 0
    }
}
