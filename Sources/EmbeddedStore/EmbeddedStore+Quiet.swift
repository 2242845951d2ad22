import Dispatch
import Telemetry

extension EmbeddedStore {
    /// Runs blocking work while no flush and no merge runs, so that parts and their folders stay as they are meanwhile.
    ///
    /// On the merge's thread, then on the flush's: a flush never waits for a merge.
    func whileQuiet<Value: Sendable>(
        _ work: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await onThread(mergeThread) { () throws(StoreError) -> Value in
            try self.flushThread.sync { Result(catching: work) }.get()
        }
    }
}
