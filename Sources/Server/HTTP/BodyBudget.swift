import Synchronization

/// Bytes of request bodies in memory at once, over all connections.
final class BodyBudget: Sendable {
    private let used = Atomic<Int>(0)
    private let byteCountMax: Int

    init(byteCountMax: Int = Limits.bodiesInFlightByteCountMax) {
        self.byteCountMax = byteCountMax
    }

    func reserve(_ byteCount: Int) throws(APIError) {
        let total = used.add(byteCount, ordering: .relaxed).newValue
        guard total <= byteCountMax else {
            used.subtract(byteCount, ordering: .relaxed)
            throw APIError(.overloaded, "too many request bodies are waiting (\(byteCountMax) bytes): try again later")
        }
    }

    func release(_ byteCount: Int) {
        used.subtract(byteCount, ordering: .relaxed)
    }
}
