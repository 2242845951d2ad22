import Synchronization
import Telemetry

extension DataWalk {
    /// Every record of the queue of `remote_write`, if there is one.
    func checkQueue() throws(StoreError) {
        let queueFolder = folder + "/remote"
        for name in try files.list(queueFolder) {
            guard let number = QueueSegment.number(name) else { continue }
            let path = queueFolder + "/" + name
            let bytes = try files.contents(of: path)
            report.withLock { $0.byteCount += bytes.count }
            let head = Array(bytes.prefix(QueueSegment.headerByteCount))
            guard QueueSegment(header: head, number: number, byteCount: bytes.count) != nil else {
                report.withLock { $0.notes.append("\(path) has no head of a queue segment: a server removes it at its start") }
                continue
            }
            let walk = RecordWalk(bytes, from: QueueSegment.headerByteCount, file: number)
            report.withLock { $0.recordCount += walk.payloads.count }
            for damage in walk.damages {
                let found = RecordFraming.explain(bytes, at: damage.range.lowerBound, file: number)
                let place = "the queue segment \(path) at byte \(damage.range.lowerBound): \(found)"
                if damage.isTail {
                    report.withLock { $0.notes.append(place + " (a record that a crash left unfinished)") }
                } else {
                    damaged(.log, nil, path, damage.range.lowerBound, place)
                }
            }
        }
    }
}
