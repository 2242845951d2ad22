package import Telemetry

/// Where a source's lines go.
package protocol LogDelivery: Sendable {
    /// Keeps the lines, and moves the positions in the same durable step: after a crash both are there, or neither.
    ///
    /// - Returns: how many lines were refused for good, and will never be kept; all others are.
    /// - Throws: ``StoreError`` where it should be tried again later; then neither lines nor positions count.
    func deliver(_ batch: DeliveryBatch) async throws(StoreError) -> Int
}

extension LogDelivery {
    /// Tries until the batch is kept or the task is cancelled.
    ///
    /// - Parameter failed: told of each failure and how many there were.
    /// - Returns: how many lines were refused for good; nil where the task was cancelled first.
    func deliverPatiently(_ batch: DeliveryBatch, failed: (StoreError, Int) -> Void) async -> Int? {
        var failureCount = 0
        while !Task.isCancelled {
            do throws(StoreError) {
                return try await deliver(batch)
            } catch {
                failureCount += 1
                failed(error, failureCount)
                guard (try? await Task.sleep(for: Backoff.pause(failureCount))) != nil else { return nil }
            }
        }
        return nil
    }
}

/// How long to wait after failures in a row.
enum Backoff {
    /// Half a second, and twice as long each time, up to half a minute.
    static func pause(_ failureCount: Int) -> Duration {
        min(.seconds(30), .milliseconds(250) * (1 << min(max(failureCount, 1), 7)))
    }
}
