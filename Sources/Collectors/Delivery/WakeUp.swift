import Synchronization

/// Wakes one waiting task; a signal that comes while nobody waits is kept for the next.
final class WakeUp: Sendable {
    private struct State: Sendable {
        var isSet = false
        var waiter: CheckedContinuation<Bool, Never>?
        var number = 0
    }

    private let state = Mutex(State())

    func send() {
        let waiter = state.withLock { state in
            state.isSet = state.waiter == nil
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: true)
    }

    /// Returns when a signal has come since the last call, after `timeout`, or when the task is cancelled.
    func wait(atMost timeout: Duration) async { _ = await waited(atMost: timeout) }

    /// The same.
    ///
    /// - Returns: whether it was a signal that ended it.
    func waited(atMost timeout: Duration) async -> Bool {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.park(number) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                self.release(number)
                return false
            }
            var wasSent = false
            while let result = await group.next() {
                wasSent = wasSent || result
                group.cancelAll()
            }
            return wasSent
        }
    }

    private func park(_ number: Int) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.isSet {
                        state.isSet = false
                        return true
                    }
                    if state.number != number || Task.isCancelled { return false }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            release(number)
        }
    }

    private func release(_ number: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.number == number else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: false)
    }
}
