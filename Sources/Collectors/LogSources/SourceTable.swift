/// Every kind of source that a job can have, besides files: adding one is adding a file and a line here.
enum SourceTable {
    private typealias Maker = @Sendable (PromtailJob, SourceContext) -> [(key: String, source: any LogSource)]

    private static let makers: [Maker] = [JournalSource.make, SyslogSource.make, PushSource.make, DockerSource.make]

    /// The sources of a job, each with a key that stays the same as long as the job's configuration does.
    static func sources(of job: PromtailJob, _ context: SourceContext) -> [String: any LogSource] {
        var sources: [String: any LogSource] = [:]
        for make in makers {
            for (key, source) in make(job, context) { sources["\(job.name)/\(key)/\(job.text)"] = source }
        }
        return sources
    }
}
