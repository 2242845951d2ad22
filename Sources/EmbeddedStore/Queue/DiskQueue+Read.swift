package import Telemetry

extension DiskQueue {
    package func read(from position: QueuePosition, byteCountMax: Int) throws(StoreError) -> QueueRun {
        let segments = self.segments
        var (place, lost) = start(position, segments)
        while let index = segments.firstIndex(where: { $0.number == place.segment }) {
            let segment = segments[index]
            if place.offset < segment.byteCount {
                var run = try read(segment, from: place, byteCountMax: byteCountMax)
                run.lostRowCount = lost
                if !run.records.isEmpty { return run }
                place = run.end
            }
            guard index + 1 < segments.count else { break }
            let next = segments[index + 1].start
            // Records that were damaged are missing in the count.
            lost &+= next.rowCount > place.rowCount ? next.rowCount - place.rowCount : 0
            place = next
        }
        var run = QueueRun(end: place)
        run.lostRowCount = lost
        return run
    }

    /// Where reading really starts, and how many rows that leaves out.
    private func start(_ position: QueuePosition, _ segments: [QueueSegment]) -> (QueuePosition, lost: UInt64) {
        if segments.contains(where: { $0.number == position.segment && position.offset <= $0.byteCount }) { return (position, 0) }
        let newest = self.newest
        guard let first = segments.first else { return (newest, 0) }
        // A position beyond the end is one of a queue that was here before.
        guard position < newest else { return position == newest ? (newest, 0) : (first.start, 0) }
        let next = segments.first { $0.number > position.segment } ?? first
        return (next.start, next.startRowCount > position.rowCount ? next.startRowCount - position.rowCount : 0)
    }

    /// The whole records of one segment from `place` on; none where only damage follows.
    private func read(_ segment: QueueSegment, from place: QueuePosition, byteCountMax: Int) throws(StoreError) -> QueueRun {
        let path = options.folder + "/" + QueueSegment.name(segment.number)
        let file: any StoreFile
        do throws(StoreError) {
            file = try options.fileSystem.open(path, .read)
        } catch {
            // Dropped for room meanwhile, or lost.
            var run = QueueRun(end: place)
            run.end.offset = segment.byteCount
            return run
        }
        let available = segment.byteCount - place.offset
        var run = QueueRun(end: place)
        var wanted = min(available, max(byteCountMax, RecordFraming.headerByteCount))
        while true {
            let bytes = try file.read(at: place.offset, count: wanted)
            // A file that was cut has no more to give.
            let mayGrow = bytes.count == wanted && wanted < available
            var offset = 0
            while offset < bytes.count {
                switch RecordFraming.read(bytes, at: offset, file: segment.number, base: place.offset) {
                case .record(let payload):
                    if let record = QueueSegment.record(bytes[payload]) {
                        run.records.append(record)
                        run.end.rowCount &+= UInt64(record.rowCount)
                    }
                    offset = payload.upperBound
                    run.end.offset = place.offset + offset
                    continue
                case .damagedPayload(let payload) where mayGrow && payload.upperBound > bytes.count && payload.upperBound <= available:
                    // Cut short by this read only.
                    if !run.records.isEmpty { return run }
                    wanted = payload.upperBound
                case .nothing where mayGrow && bytes.count - offset < RecordFraming.headerByteCount:
                    if !run.records.isEmpty { return run }
                    wanted = min(available, wanted + RecordFraming.headerByteCount)
                case .damagedPayload, .nothing:
                    if !run.records.isEmpty { return run }
                    return try skipDamage(segment, file, from: place, path)
                }
                break
            }
            if offset >= bytes.count || !run.records.isEmpty { return run }
        }
    }

    /// Goes to the next whole record behind damage, or to the segment's end.
    private func skipDamage(
        _ segment: QueueSegment, _ file: any StoreFile, from place: QueuePosition, _ path: String
    ) throws(StoreError) -> QueueRun {
        let bytes = try file.read(at: place.offset, count: segment.byteCount - place.offset)
        reporter.quarantine(
            "the queue segment \(path) is damaged at byte \(place.offset): "
                + RecordFraming.explain(bytes, at: 0, file: segment.number, base: place.offset), .log, path: path, offset: place.offset)
        var next = place
        next.offset = segment.byteCount
        if let found = RecordFraming.nextRecord(bytes, from: 1, file: segment.number, base: place.offset) {
            next.offset = place.offset + found
            return try read(segment, from: next, byteCountMax: bytes.count)
        }
        return QueueRun(end: next)
    }
}
