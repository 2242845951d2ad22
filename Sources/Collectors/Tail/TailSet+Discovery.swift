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
        if !known.isEmpty { followRenamed(jobs, known: &known, seen: &seen) }
        remembered = known
        let now = ContinuousClock.now
        for (key, entry) in entries where !seen.contains(key) && entry.file.orphanedSince == nil {
            entry.file.orphanedSince = now
        }
        nextDiscovery = now + max(.zero, (now - start) * Self.discoveryShare - options.pollInterval)
    }

    /// - Parameter name: the name of its position, where it is known.
    /// - Returns: the key under which it is followed; nil where it is not.
    @discardableResult
    private mutating func follow(
        _ path: String, _ job: TailJob, as name: String? = nil, known: inout [String: TailPosition], seen: inout Set<Key>
    ) -> Key? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        var key = Key(job: name ?? job.name, identity: FileIdentity(status))
        // Another target of the same job has it.
        var number = 1
        while seen.contains(key) {
            if entries[key]?.file.position.path != path { return nil }
            number += 1
            key.job = "\(job.name)#\(number)"
        }
        seen.insert(key)
        if let entry = entries[key] {
            entry.file.move(to: path)
            entry.file.orphanedSince = nil
            return key
        }
        guard entries.count < options.fileCountMax else {
            if !isFull {
                logger.error("Too many log files match: no more are followed", metadata: ["limit": "\(options.fileCountMax)"])
            }
            isFull = true
            return nil
        }
        let file = TailedFile(path: path, manner: job.manner(of: path)) { _ in known.removeValue(forKey: key.state) }
        guard let file else { return nil }
        var handler = job.handler(path, options, time)
        if !handler.restore(file.position.checkpoint) {
            logger.warning("Lines that stages held back at the last stop cannot be read any more", metadata: ["path": .string(path)])
        }
        logger.info("Following a log file", metadata: ["path": .string(path), "offset": "\(file.position.offset)"])
        let delay = file.position.offset == 0 && job.manner(of: path).compression != nil ? job.decompression?.initialDelay : nil
        entries[key] = Entry(file: file, handler: handler, notBefore: .now + (delay ?? .zero))
        return key
    }

    /// A file that was renamed while nobody looked lies beside its old path, under a name that no glob may match: what it still
    /// holds is read to the end. What cannot be found is forgotten; what belongs to no job waits for one.
    private mutating func followRenamed(
        _ jobs: [TailJob], known: inout [String: TailPosition], seen: inout Set<Key>
    ) {
        for (stateKey, position) in known {
            let name = String(stateKey.dropLast(position.key(configuration: "").count))
            guard let job = jobs.first(where: { ($0.name == name || name.hasPrefix($0.name + "#")) && $0.wants(position.path) }) else {
                continue
            }
            let folder = position.path.lastIndex(of: "/").map { String(position.path[...$0]) } ?? ""
            let found = FileGlob.files(folder + "*").first { path in
                var status = stat()
                return stat(path, &status) == 0 && FileIdentity(status) == position.identity
            }
            if let found, let key = follow(found, job, as: name, known: &known, seen: &seen) {
                // Its lines belong to the stream of its old name; nothing but this keeps it open.
                var handler = job.handler(position.path, options, time)
                handler.restore(position.checkpoint)
                entries[key]?.handler = handler
                seen.remove(key)
            } else {
                known[stateKey] = nil
                forgotten.append(stateKey)
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
