import Synchronization

/// What one query may use and what it has used: a deadline, a budget, and a way to stop it. Shared by all its operators.
package final class QueryContext: Sendable {
    package struct Limits: Sendable {
        /// How long a query may run. Prometheus' default (`--query.timeout`).
        package var timeout: Duration = .seconds(120)
        /// How many samples (rows, for logs and spans) it may hold. Prometheus' default (`--query.max-samples`).
        package var sampleCountMax = 50_000_000
        /// Bytes that it may hold at once.
        package var byteCountMax = 1 << 30

        package init() {}
    }

    package let limits: Limits
    package let deadline: ContinuousClock.Instant
    private let samples = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let peakBytes = Atomic<Int>(0)
    private let isCancelled = Atomic<Bool>(false)

    package init(limits: Limits = Limits()) {
        self.limits = limits
        deadline = .now + limits.timeout
    }

    /// Stops the query at its next check, from any thread.
    package func cancel() {
        isCancelled.store(true, ordering: .relaxed)
    }

    /// Throws where the query must end: cancelled (by ``cancel()`` or its task) or past its deadline. To be called once a block.
    package func check() throws(QueryError) {
        if isCancelled.load(ordering: .relaxed) || Task.isCancelled {
            throw QueryError(.cancelled, "query was canceled")
        }
        if ContinuousClock.now > deadline {
            throw QueryError(.timeout, "query timed out")
        }
    }

    /// Accounts for `count` rows read. To be called once a block.
    package func read(samples count: Int) throws(QueryError) {
        let total = samples.add(count, ordering: .relaxed).newValue
        guard total <= limits.sampleCountMax else {
            throw QueryError(.limit, "query processing would load too many samples into memory in query execution")
        }
    }

    /// Accounts for `count` bytes held until ``release(bytes:)``.
    package func reserve(bytes count: Int) throws(QueryError) {
        let total = bytes.add(count, ordering: .relaxed).newValue
        peakBytes.max(total, ordering: .relaxed)
        guard total <= limits.byteCountMax else {
            throw QueryError(
                .limit,
                "query needs more than its memory budget of \(limits.byteCountMax) bytes: narrow the time range or the selector"
            )
        }
    }

    package func release(bytes count: Int) {
        bytes.subtract(count, ordering: .relaxed)
    }

    /// Rows read so far.
    package var samplesRead: Int { samples.load(ordering: .relaxed) }
    /// The most bytes held at once.
    package var bytesPeak: Int { peakBytes.load(ordering: .relaxed) }
}
