import Query
import Telemetry

extension Evaluator {
    /// Below that many series the work of one chunk is not worth a task of its own: at an instant, and at many.
    private static let chunkSeriesCountMin = (instant: 256, range: 64)
    /// Steps from which a series is so much work.
    private static let rangeStepCountMin = 32

    /// Splits streams over the cores, in their order, and returns what `body` makes of each chunk.
    ///
    /// - Parameter stepCount: the instants that each series is evaluated at.
    func inChunks<Part: Sendable>(
        _ streams: [TelemetryStream], stepCount: Int,
        _ body: @Sendable @escaping @concurrent ([TelemetryStream]) async throws(QueryError) -> Part
    ) async throws(QueryError) -> [Part] {
        let least = stepCount < Self.rangeStepCountMin ? Self.chunkSeriesCountMin.instant : Self.chunkSeriesCountMin.range
        let count = min(WorkerThreads.coreCount, max(1, streams.count / least))
        guard count > 1 else { return [try await body(streams)] }
        let length = (streams.count + count - 1) / count
        let outcomes = await withTaskGroup(of: (Int, Result<Part, QueryError>).self) { group in
            for index in 0..<count {
                let chunk = Array(streams[min(index * length, streams.count)..<min((index + 1) * length, streams.count)])
                group.addTask {
                    do throws(QueryError) {
                        return (index, .success(try await body(chunk)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var outcomes: [(Int, Result<Part, QueryError>)] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes.sorted { $0.0 < $1.0 }
        }
        var parts: [Part] = []
        for (_, outcome) in outcomes { parts.append(try outcome.get()) }
        return parts
    }
}
