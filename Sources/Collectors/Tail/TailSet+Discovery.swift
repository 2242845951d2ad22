import Glibc
import Logging
import Settings
import Telemetry

extension TailSet {
    /// Finding files may take so much of the time: one part in twenty.
    private static let discoveryShare = 20

    /// Looks for the files of all jobs, and notices those that are gone.
    mutating func discover(_ jobs: [TailJob]) {
        let start = ContinuousClock.now
        guard start >= nextDiscovery, var known = remembered ?? load() else { return }
        var seen: Set<Key> = []
        let folders = jobs.flatMap(\.include).compactMap { pattern in pattern.lastIndex(of: "/").map { String(pattern[..<$0]) } }
        wantedFolders = Set(folders.filter { !FileGlob.isPattern($0) && access($0, R_OK) == 0 })
        for job in jobs {
            for path in Set(job.include.flatMap(FileGlob.files)).sorted()
            where !job.exclude.contains(where: { FileGlob.matches(path, $0) }) {
                follow(path, job, known: &known, seen: &seen)
            }
        }
        if known.keys.contains(where: { !PromtailPositionFile.isKey($0) }) { followRenamed(jobs, known: &known, seen: &seen) }
        remembered = known
        let now = ContinuousClock.now
        for (key, entry) in entries where !seen.contains(key) && entry.file.orphanedSince == nil {
            entry.file.orphanedSince = now
        }
        nextDiscovery = now + max(.zero, (now - start) * Self.discoveryShare - options.pollInterval)
    }

    /// - Parameter renamed: the name of its position and the position, where it was looked for by them: another file of that device and
    ///   inode is not wanted.
    /// - Returns: the key under which it is followed; nil where it is not.
    @discardableResult
    private mutating func follow(
        _ path: String, _ job: TailJob, renamed: (name: String, position: TailPosition)? = nil, known: inout [String: TailPosition],
        seen: inout Set<Key>
    ) -> Key? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        var key = Key(job: renamed?.name ?? job.name, identity: FileIdentity(status))
        // Another target of the same job has it.
        var number = 1
        while seen.contains(key) {
            if entries[key]?.file.position.path != path { return nil }
            number += 1
            key.job = "\(job.name)#\(number)"
        }
        if let entry = entries[key] {
            seen.insert(key)
            entry.file.move(to: path)
            entry.file.orphanedSince = nil
            if entry.version != job.version {
                let renewed = job.handler(path, options, time)
                entries[key]?.version = job.version
                entries[key]?.renewed = renewed
            }
            return key
        }
        guard entries.count < options.fileCountMax else {
            if !isFull {
                logger.error("Too many log files match: no more are followed", metadata: ["limit": "\(options.fileCountMax)"])
            }
            isFull = true
            return nil
        }
        var isMoved = false
        let file = TailedFile(path: path, manner: job.manner(of: renamed?.position.path ?? path)) { identity in
            isMoved = identity != key.identity
            return isMoved ? nil : known.removeValue(forKey: key.state) ?? known[PromtailPositionFile.key(key.identity)]
        }
        // The name led to another file before it could be opened: that one is found the next time.
        guard let file, !isMoved else { return nil }
        if let superseded = file.superseded {
            abandon(superseded, key.state, job)
            if renamed != nil { return nil }
        }
        seen.insert(key)
        // What was renamed stays what it was: its lines belong to the stream of the name by which the job wants it.
        if let renamed { file.move(to: renamed.position.path) }
        var handler = job.handler(file.position.path, options, time)
        if !handler.restore(file.position.checkpoint) {
            logger.warning("Lines that stages held back at the last stop cannot be read any more", metadata: ["path": .string(path)])
        }
        logger.info("Following a log file", metadata: ["path": .string(path), "offset": "\(file.position.offset)"])
        let delay = file.position.offset == 0 && job.manner(of: path).compression != nil ? job.decompression?.initialDelay : nil
        entries[key] = Entry(file: file, handler: handler, version: job.version, notBefore: .now + (delay ?? .zero))
        return key
    }

    /// A file is gone for good: what stages held back of its lines is let go, and its position is forgotten.
    private mutating func abandon(_ position: TailPosition, _ stateKey: String, _ job: TailJob) {
        var handler = job.handler(position.path, options, time)
        handler.restore(position.checkpoint)
        abandoned.append((stateKey, handler))
    }

    /// A file that was renamed while nobody looked lies beside its old path, under a name that no glob may match: what it still
    /// holds is read to the end. What cannot be found is forgotten; what belongs to no job waits for one.
    private mutating func followRenamed(
        _ jobs: [TailJob], known: inout [String: TailPosition], seen: inout Set<Key>
    ) {
        for (stateKey, position) in known where !PromtailPositionFile.isKey(stateKey) {
            let name = String(stateKey.dropLast(position.key(configuration: "").count))
            guard let job = jobs.first(where: { ($0.name == name || name.hasPrefix($0.name + "#")) && $0.wants(position.path) }) else {
                continue
            }
            let folder = position.path.lastIndex(of: "/").map { String(position.path[...$0]) } ?? ""
            let found = FileGlob.files(folder + "*").first { path in
                var status = stat()
                return stat(path, &status) == 0 && FileIdentity(status) == position.identity
            }
            if let found {
                // Nothing but its entry keeps it open. Where it cannot be followed now, it is tried again.
                if let key = follow(found, job, renamed: (name, position), known: &known, seen: &seen) { seen.remove(key) }
            } else {
                known[stateKey] = nil
                abandon(position, stateKey, job)
            }
        }
    }

    /// nil where the state store cannot be asked now: better late than twice.
    private func load() -> [String: TailPosition]? {
        do throws(StoreError) {
            return try positions.values(in: TailPosition.namespace).compactMapValues(TailPosition.init)
        } catch {
            logger.error("Positions of log files could not be read: trying again", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
