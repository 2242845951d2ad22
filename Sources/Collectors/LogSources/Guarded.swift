import Synchronization

/// A value behind a lock that several tasks of one function share: a `Mutex` alone cannot be captured by them.
final class Guarded<Value: Sendable>: Sendable {
    private let held: Mutex<Value>

    init(_ value: Value) {
        held = Mutex(value)
    }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        held.withLock { value in body(&value) }
    }
}
