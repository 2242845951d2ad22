import Codecs
import Glibc
import Logging
import Telemetry

/// The files of a job: what its targets name in `__path__` and `__path_exclude__` after relabelling.
enum FileTargets {
    /// - Parameters:
    ///   - groups: the job's own and those discovered.
    ///   - hostname: whose targets are wanted: one with another `__host__` belongs to another machine.
    /// - Throws: ``EncodingError``.
    static func jobs(
        of job: PromtailJob, groups: [TargetGroup], environment: StageEnvironment, hostname: String, logger: Logger
    ) throws(EncodingError) -> [TailJob] {
        let encoding = try job.encoding.map { name throws(EncodingError) in try LineEncoding(named: name) } ?? nil
        let decompression = job.decompression.flatMap { settings -> TailJob.Decompression? in
            guard settings.isEnabled else { return nil }
            return TailJob.Decompression(
                format: settings.format.flatMap { DecompressionStream.Format(rawValue: $0.rawValue) }, initialDelay: settings.initialDelay)
        }
        var jobs: [TailJob] = []
        var seen: Set<Target> = []
        for group in groups {
            for target in group.labelSets {
                var labels = target
                guard RelabelRule.apply(job.relabelRules, to: &labels) else { continue }
                if let host = labels["__host__"], host != hostname { continue }
                guard let path = labels["__path__"] else {
                    logger.debug("A target names no file in __path__", metadata: ["job": .string(job.name), "labels": "\(labels)"])
                    continue
                }
                let excluded = labels["__path_exclude__"].map { [$0] } ?? []
                let own = Labels(
                    sorted: labels.pairs.filter { !$0.name.utf8.starts(with: "__".utf8) || $0.name == LogRecord.tenantLabel })
                // The ports of a pod, say, are targets with the same files.
                guard seen.insert(Target(path: path, excluded: excluded, labels: own)).inserted else { continue }
                let program = job.program
                jobs.append(
                    TailJob(
                        name: job.name, include: [path], exclude: excluded, encoding: encoding, decompression: decompression,
                        version: "\(own) \(job.text)"
                    ) { path, _, _ in
                        var labels = own
                        labels["filename"] = path
                        return LineHandler(program.pipeline(environment: environment), labels: labels)
                    })
            }
        }
        return jobs
    }

    private struct Target: Hashable {
        var path: String
        var excluded: [String]
        var labels: Labels
    }

    /// The name of this machine, as `__host__` is compared with: what the environment calls it (in a pod, its node), or the system.
    static func hostname(environment: [String: String] = ProcessEnvironment.variables) -> String {
        if let name = environment["HOSTNAME"], !name.isEmpty { return name }
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
