import Synchronization

/// Which listeners are open, and on which port.
final class Readiness: Sendable {
    private let ports = Mutex<[String: Int]>([:])
    private let expected: Set<String>
    /// Called once, when all of them are open.
    private let whenReady: @Sendable ([String: Int]) -> Void

    init(expecting expected: Set<String>, whenReady: @escaping @Sendable ([String: Int]) -> Void) {
        self.expected = expected
        self.whenReady = whenReady
    }

    var isReady: Bool { ports.withLock { $0.count == expected.count } }

    func didOpen(_ name: String, port: Int) {
        let all: [String: Int]? = ports.withLock { ports in
            ports[name] = port
            return ports.count == expected.count ? ports : nil
        }
        if let all { whenReady(all) }
    }
}
